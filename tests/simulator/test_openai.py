"""The real OpenAI SDK against the simulator."""

from enum import StrEnum

import openai
import pytest
from pydantic import BaseModel

from omnify.simulator.running import RunningSimulator
from tests.simulator.conftest import OPENAI_KEY


class Mood(StrEnum):
    neutral = "neutral"
    happy = "happy"


class Reading(BaseModel):
    mood: Mood
    score: float
    reason: str | None
    tags: list[str]


@pytest.fixture
def connect(sim: RunningSimulator):
    made = []

    def client(key: str = OPENAI_KEY, timeout: float = 5.0) -> openai.OpenAI:
        made.append(openai.OpenAI(api_key=key, base_url=sim.base_url + "/openai/v1", timeout=timeout, max_retries=0))
        return made[-1]

    yield client
    for each in made:
        each.close()


def ask(client: openai.OpenAI, text: str, **more):
    return client.chat.completions.create(model="sim-small", messages=[{"role": "user", "content": text}], **more)


def test_an_answer_is_the_same_every_time_and_counts_its_tokens(connect):
    first, second = ask(connect(), "Hello there"), ask(connect(), "Hello there")
    assert first.choices[0].message.content == second.choices[0].message.content != ""
    assert first.id == second.id
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens > 0


def test_a_stream_gives_the_same_words_in_pieces(connect):
    client = connect()
    whole = ask(client, "Hello there").choices[0].message.content
    chunks = list(ask(client, "Hello there", stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == whole
    assert sum(1 for piece in pieces if piece) > 1
    assert chunks[-1].usage.completion_tokens > 0


def test_a_schema_is_obeyed(connect):
    parsed = (
        connect()
        .chat.completions.parse(
            model="sim-small", messages=[{"role": "user", "content": "How is it?"}], response_format=Reading
        )
        .choices[0]
        .message.parsed
    )
    assert parsed == Reading(mood=Mood.neutral, score=0, reason=None, tags=[])


def test_a_scripted_answer_wins(connect):
    assert ask(connect(), "ping please").choices[0].message.content == '{"say": "pong"}'


def test_models_are_listed_and_strangers_are_not_let_in(connect):
    assert "sim-small" in [model.id for model in connect().models.list()]
    with pytest.raises(openai.AuthenticationError):
        ask(connect(key="wrong"), "Hello")


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("rate_limit_429", openai.RateLimitError),
        ("status_500", openai.InternalServerError),
        ({"refuse": "content_policy_violation"}, openai.BadRequestError),
        ("accept_then_reset", openai.APIConnectionError),
        ({"timeout": 20}, openai.APITimeoutError),
    ],
)
def test_each_fault_is_the_sdks_own_error(sim, connect, fault, seen):
    sim.client.faults([{"match": {"provider": "openai", "op": "chat"}, "do": fault, "times": 1}])
    with pytest.raises(seen):
        ask(connect(timeout=0.5), "Hello")
    assert ask(connect(), "Hello").choices[0].finish_reason == "stop"
