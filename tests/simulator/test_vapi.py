"""The real VAPI SDK against the simulator (its import alone takes seconds)."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from omnify.simulator.running import RunningSimulator
from tests.simulator.conftest import VAPI_HMAC, VAPI_KEY, VAPI_SECRET, Hooks, eventually

ONCE = {"max_retries": 0}


@pytest.fixture
def connect(sim: RunningSimulator):
    from vapi import Vapi

    made = []

    def client(token: str = VAPI_KEY, timeout: float = 5.0) -> Vapi:
        http = httpx.Client(timeout=timeout, trust_env=False)
        made.append(http)
        return Vapi(token=token, base_url=sim.base_url + "/vapi", httpx_client=http)

    yield client
    for http in made:
        http.close()


def order(number: str, hooks: Hooks | None = None, **more) -> dict:
    from vapi import AssistantOverrides, CreateCustomerDto

    overrides = {"first_message": "Hi {{name}}, this is Omnify.", "variable_values": {"name": "Ann"}}
    if hooks is not None:
        overrides |= {"server": {"url": hooks.url("/vapi/own")}, "metadata": {"message": "m-1"}}
    return {
        "assistant_id": "assistant-1",
        "phone_number_id": "phone-1",
        "customer": CreateCustomerDto(number=number, name="Ann"),
        "assistant_overrides": AssistantOverrides(**overrides),
        "name": "0198c0de-0000-7000-8000-000000000002",
        "request_options": ONCE,
        **more,
    }


def test_a_call_rings_is_talked_through_and_reported(sim, hooks, connect, number):
    from vapi.types import ServerMessageEndOfCallReport, ServerMessageStatusUpdate

    person = number()
    sim.client.set_person(person, temperament="talkative")
    vapi = connect()
    call = vapi.calls.create(**order(person, hooks))
    assert (call.status, call.name) == ("queued", "0198c0de-0000-7000-8000-000000000002")
    assert sim.client.settled()
    (ring,) = sim.client.ledger(to=person)
    assert (ring["kind"], ring["first_message"], ring["mark"]) == ("call", "Hi Ann, this is Omnify.", call.name)
    messages = [hit.json["message"] for hit in hooks.at("/vapi/own")]
    assert [(m["type"], m.get("status")) for m in messages] == [
        ("status-update", "ringing"),
        ("status-update", "in-progress"),
        ("status-update", "ended"),
        ("end-of-call-report", None),
    ]
    for message in messages[:3]:
        assert ServerMessageStatusUpdate.model_validate(message).call.id == call.id
    report = ServerMessageEndOfCallReport.model_validate(messages[3])
    assert report.ended_reason == "customer-ended-call"
    assert report.artifact.transcript.startswith("AI: Hi Ann, this is Omnify.\nUser: ")
    assert [m.role for m in report.artifact.messages[:3]] == ["bot", "user", "bot"]
    assert "Thursday at ten" in report.analysis.summary
    assert messages[3]["durationSeconds"] == 6.0 * len(report.artifact.messages)
    fetched = vapi.calls.get(id=call.id)
    assert (fetched.status, fetched.ended_reason) == ("ended", "customer-ended-call")
    entry = sim.client.thread(person)["entries"][0]
    assert entry["turns"][1]["who"] == "person"


def test_server_messages_carry_the_secret_and_a_signature_over_time_and_body(sim, hooks, connect, number):
    connect().calls.create(**order(number()))
    assert sim.client.settled()
    assert hooks.at("/vapi/account"), "without an address of its own a call reports to the account's"
    for hit in hooks.hits:
        assert hit.headers["x-vapi-secret"] == VAPI_SECRET
        signed = hit.headers["x-timestamp"].encode() + b"." + hit.body
        expected = hmac.new(VAPI_HMAC.encode(), signed, hashlib.sha256).hexdigest()
        assert hit.headers["x-signature"] == expected


@pytest.mark.parametrize(
    ("temperament", "reason", "statuses", "rings"),
    [
        ("no_answer", "customer-did-not-answer", ["ringing", "ended"], 1),
        ("busy_line", "customer-busy", ["ringing", "ended"], 1),
        ("voicemail", "voicemail", ["ringing", "in-progress", "ended"], 1),
        ("hangs_up", "customer-ended-call", ["ringing", "in-progress", "ended"], 1),
        ("wrong_number", "twilio-reported-customer-misdialed", ["ringing", "ended"], 0),
    ],
)
def test_not_everybody_picks_up(sim, hooks, connect, number, temperament, reason, statuses, rings):
    person = number()
    sim.client.set_person(person, temperament=temperament)
    connect().calls.create(**order(person, hooks))
    assert sim.client.settled()
    messages = [hit.json["message"] for hit in hooks.hits]
    assert [m["status"] for m in messages[:-1]] == statuses
    assert (messages[-1]["type"], messages[-1]["endedReason"]) == ("end-of-call-report", reason)
    assert not any(m["role"] == "user" for m in messages[-1]["messages"]) or temperament == "voicemail"
    assert len(sim.client.ledger(to=person)) == rings


@pytest.mark.parametrize(
    "changes",
    [{"phone_number_id": "unknown"}, {"assistant_id": None}, {"name": "x" * 41}],
)
def test_a_call_that_makes_no_sense_is_refused_with_a_reason(sim, connect, number, changes):
    from vapi.errors import BadRequestError

    person = number()
    with pytest.raises(BadRequestError) as refused:
        connect().calls.create(**order(person, **changes))
    assert refused.value.body["message"]
    assert sim.client.ledger(to=person, record="all") == []


def test_a_wrong_key_is_unauthorised(connect, number):
    from vapi.core.api_error import ApiError

    with pytest.raises(ApiError) as refused:
        connect(token="wrong").calls.create(**order(number()))
    assert refused.value.status_code == 401


def test_calls_are_listed_newest_first_by_number_and_time(sim, connect, number):
    vapi = connect()
    start = datetime.now(UTC)
    ids = [vapi.calls.create(**order(number(), name=f"call-{n}")).id for n in range(3)]
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert [c.id for c in vapi.calls.list(phone_number_id="phone-1", created_at_ge=start, created_at_le=later)] == ids[
        ::-1
    ]
    assert [c.id for c in vapi.calls.list(limit=1)] == ids[-1:]
    assert vapi.calls.list(created_at_gt=later) == []
    sim.client.faults([{"match": {"provider": "vapi", "op": "list"}, "do": {"listing_lag_s": 30}, "times": 1}])
    assert vapi.calls.list(created_at_ge=start) == []
    assert eventually(lambda: len(vapi.calls.list(created_at_ge=start))) == 3


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [
        ("accept_then_reset", 1),
        ({"accept_then_timeout": 30}, 1),
        ("accept_then_500", 1),
        ("reset", 0),
        ("status_503", 0),
        ("rate_limit_429", 0),
    ],
)
def test_a_lost_answer_is_an_error_to_the_sdk_while_the_phone_may_have_rung(sim, connect, number, fault, arrives):
    from vapi.core.api_error import ApiError

    person = number()
    sim.client.faults([{"match": {"provider": "vapi", "op": "create"}, "do": fault, "times": 1}])
    with pytest.raises((httpx.TransportError, ApiError)):
        connect(timeout=0.5).calls.create(**order(person))
    assert sim.client.settled()
    assert len(sim.client.ledger(to=person)) == arrives


def test_shuffled_and_repeated_server_messages(sim, hooks, connect, number):
    sim.client.faults([{"do": {"reorder_callbacks": True, "duplicate_callbacks": 1}, "times": 1}])
    connect().calls.create(**order(number(), hooks))
    assert sim.client.settled()
    types = [hit.json["message"]["type"] for hit in hooks.hits]
    assert types == ["end-of-call-report"] * 2 + ["status-update"] * 6


def test_a_forged_server_message_has_another_secret(sim, hooks, connect, number):
    sim.client.faults([{"match": {"op": "create"}, "do": "forged_callback", "times": 1}])
    connect().calls.create(**order(number(), hooks))
    assert sim.client.settled()
    forged = [hit for hit in hooks.hits if hit.headers["x-vapi-secret"] != VAPI_SECRET]
    assert len(forged) == 4
    assert {hit.json["message"]["endedReason"] for hit in forged} == {"pipeline-error-forged"}
