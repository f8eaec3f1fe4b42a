"""/healthz and /metrics as a stranger, a load balancer and a scraper meet them, on a real database, and without one."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from omnify.operations import door as doors
from omnify.operations.door import Door, may_read
from sequences import switches, tally, vitals
from tests.everything import make_everything
from tests.making import People

pytestmark = pytest.mark.django_db(transaction=True)

HERE = ("127.0.0.1", 5000)
Answer = tuple[int, dict[str, str], str]


def scope(path: str, method: str = "GET", query: str = "", client: Any = HERE, **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": pairs, "client": client,
    }  # fmt: skip


def ask(*scopes: dict[str, Any], at_once: bool = False) -> list[Answer]:
    """Each request at one door, one after the other or all at once."""

    async def one(door: Door, request: dict[str, Any]) -> Answer:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await door(request, None, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers, sent[1]["body"].decode()

    async def all_of_them() -> list[Answer]:
        door = Door()
        try:
            if at_once:
                return list(await asyncio.gather(*(one(door, each) for each in scopes)))
            return [await one(door, each) for each in scopes]
        finally:
            await door.close()

    return asyncio.run(all_of_them())


def test_a_running_omnify_is_well(now: datetime) -> None:
    vitals.write(now)
    ((status, headers, body),) = ask(scope("/healthz"))
    told = json.loads(body)
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert headers["content-type"] == "application/json"
    assert {"database", "pulse", "clock", "ready", "unknown", "epoch", "switches", "cluster_default"} <= set(
        told["checks"]
    )
    assert told["checks"]["database"]["status"] == told["checks"]["pulse"]["status"] == "ok"
    assert told["checks"]["pulse"]["failed_from"] == 60


def test_head_answers_without_a_body_and_nothing_else_is_taken(now: datetime) -> None:
    (head, post, get) = ask(scope("/healthz", "HEAD"), scope("/healthz", "POST"), scope("/healthz"))
    assert (head[0], head[2]) == (200, "")
    assert int(head[1]["content-length"]) > 10
    assert (post[0], post[1]["allow"]) == (405, "GET, HEAD")
    assert get[2]


def test_it_serves_while_something_has_failed_unless_asked_strictly(now: datetime) -> None:
    usual, strict = ask(scope("/healthz"), scope("/healthz", query="strict"))  # no pulse has ever beaten
    assert json.loads(usual[2])["status"] == "failed"
    assert (usual[0], strict[0]) == (200, 503)


def test_a_switch_that_is_off_is_told(now: datetime) -> None:
    switches.switch_off("sms", by="test", reason="because", now=now)
    ((_, _, body),) = ask(scope("/healthz"))
    assert json.loads(body)["checks"]["switches"]["says"] == "Sending of texts is switched off for everybody."
    assert "because" not in body


def test_another_epoch_is_told(now: datetime, settings: Any) -> None:
    settings.SEND_EPOCH = 5
    ((_, _, body),) = ask(scope("/healthz"))
    assert json.loads(body)["checks"]["epoch"]["status"] == "failed"


@pytest.fixture
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Points the door's own connection at a port where nobody is, or where somebody takes calls and never says a word."""
    opened: list[socket.socket] = []

    def point(silent: bool) -> None:
        taken = socket.create_server(("127.0.0.1", 0))
        parameters = {"host": "127.0.0.1", "port": taken.getsockname()[1], "user": "omnify", "dbname": "omnify"}
        if silent:
            opened.append(taken)
        else:
            taken.close()

        class Elsewhere:
            def get_connection_params(self) -> dict[str, Any]:
                return dict(parameters)

        monkeypatch.setattr(doors, "connection", Elsewhere())

    yield point
    for each in opened:
        each.close()


@pytest.mark.parametrize("silent", [False, True])
def test_it_answers_within_two_seconds_when_the_database_is_away(
    nobody_listens: Callable[[bool], None], silent: bool
) -> None:
    nobody_listens(silent)
    began = time.monotonic()
    answers = ask(scope("/healthz"), scope("/healthz", "HEAD"), scope("/metrics"), at_once=True)
    assert time.monotonic() - began < 4  # two, and a loaded machine
    assert [each[0] for each in answers] == [503, 503, 503]
    assert json.loads(answers[0][2])["checks"] == {
        "database": {"status": "failed", "says": "The database does not answer.", "value": 0}
    }


def test_however_often_somebody_knocks_the_database_is_asked_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    real = Door._look

    async def counted(self: Door) -> Any:
        nonlocal looks
        looks += 1
        return await real(self)

    monkeypatch.setattr(Door, "_look", counted)
    answers = ask(*(scope("/healthz") for _ in range(100)), at_once=True)
    assert {each[0] for each in answers} == {200}
    assert looks == 1


def test_neither_page_names_a_tenant_or_a_person(people: People, now: datetime) -> None:
    make_everything(people.alice, now, "Oursword")
    tally.count("sends", "sms", "accepted")
    tally.write_down()
    vitals.write(now)
    for _, _, body in ask(scope("/healthz"), scope("/metrics")):
        assert "Oursword" not in body
        assert people.acme.name.lower() not in body.lower()
        assert "@" not in body
        assert str(people.acme.public_id) not in body


def test_metrics_speak_prometheus_and_count_across_processes(people: People, now: datetime) -> None:
    make_everything(people.alice, now, "Oursword")
    for outcome in ("accepted", "accepted", "unknown"):
        tally.count("sends", "sms", outcome)
        tally.write_down()  # as three processes would
    tally.took("tick_seconds", 0.3)
    tally.took("tick_seconds", 7)
    tally.write_down()
    vitals.write(now)
    ((status, headers, body),) = ask(scope("/metrics"))
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    }
    assert samples["omnify_sends_total", "accepted", "sms"] == 2
    assert samples["omnify_sends_total", "sms", "unknown"] == 1
    assert samples["omnify_held_messages",] == 1
    assert samples["omnify_tick_seconds_count",] == 2
    assert samples["omnify_tick_seconds_sum",] == pytest.approx(7.3)
    assert samples["omnify_tick_seconds_bucket", "0.25"] == 0
    assert samples["omnify_tick_seconds_bucket", "0.5"] == 1
    assert samples["omnify_tick_seconds_bucket", "10.0"] == 2
    assert samples["omnify_check", "database"] == 0
    assert samples["omnify_ready_messages", "voice"] == 0
    labels = {name for family in text_string_to_metric_families(body) for s in family.samples for name in s.labels}
    assert labels <= {"check", "channel", "outcome", "state", "cluster", "switch", "le"}


@pytest.mark.parametrize(
    ("token", "client", "headers", "allowed"),
    [
        ("", HERE, {}, True),
        ("", ("::1", 1), {}, True),
        ("", ("10.0.0.7", 1), {}, False),
        ("", HERE, {"x_forwarded_for": "127.0.0.1"}, False),
        ("", HERE, {"forwarded": "for=127.0.0.1"}, False),
        ("", None, {}, False),
        ("", ("somewhere", 1), {}, False),
        ("secret-token", HERE, {}, False),
        ("secret-token", ("10.0.0.7", 1), {"authorization": "Bearer secret-token"}, True),
        ("secret-token", HERE, {"authorization": "Bearer secret-tokem"}, False),
        ("secret-token", HERE, {"authorization": "Basic secret-token"}, False),
        ("secret-token", HERE, {"authorization": "Bearer "}, False),
    ],
)
def test_metrics_are_for_the_token_or_this_machine(
    token: str, client: Any, headers: dict[str, str], allowed: bool
) -> None:
    assert may_read(scope("/metrics", client=client, **headers), token) is allowed


def test_metrics_are_refused_to_everybody_else(settings: Any) -> None:
    settings.METRICS_TOKEN = "secret-token"
    ((status, _, body),) = ask(scope("/metrics"))
    assert status == 403
    assert "omnify_" not in body
