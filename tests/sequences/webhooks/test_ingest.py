"""The webhook door: verified, stored once, answered after the commit."""

import asyncio
from typing import Any

import httpx
import pytest

from sequences.models import Sender
from sequences.webhooks import ingest, storing
from tests.making import People, make_senders
from tests.sequences.webhooks.requests import (
    BOUNCE,
    CALL,
    MARK,
    PERSON,
    REPORT,
    SID,
    Ask,
    as_web_role,
    events,
    inbound,
    knock,
    postmark,
    status,
    through_the_door,
    vapi,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_providers_event_is_stored_under_the_web_role_with_its_key_and_our_mark(
    people: People, senders: dict[str, Sender]
) -> None:
    with as_web_role():
        statuses = knock(
            inbound(senders["sms"], PERSON, "sounds good"),
            status(senders["sms"], MARK, "delivered"),
            vapi(senders["voice"], REPORT),
            postmark(senders["email"], BOUNCE),
        )
    assert statuses == [200, 200, 200, 200]
    assert [(event.provider, event.kind, event.event_key, event.mark) for event in events()] == [
        ("twilio", "inbound", f"inbound:{SID}", ""),
        ("twilio", "status", f"status:{SID}:delivered", MARK),
        ("vapi", "call", f"{CALL}:end-of-call-report:", MARK),
        ("postmark", "mail", "Bounce:m-1:7", MARK),
    ]
    assert {event.tenant_id for event in events()} == {people.acme.pk}
    assert {event.state for event in events()} == {"new"}


def test_an_inbound_text_is_answered_with_an_empty_twiml_so_that_twilio_says_nothing_itself(
    senders: dict[str, Sender],
) -> None:
    async def act(ask: Ask) -> httpx.Response:
        return await ask(inbound(senders["sms"], PERSON, "hi"))

    reply = through_the_door(act)
    assert reply.headers["content-type"] == "text/xml"
    assert reply.text.endswith("<Response></Response>")


def test_no_secret_is_stored_with_the_event(senders: dict[str, Sender]) -> None:
    knock(vapi(senders["voice"], REPORT), postmark(senders["email"], BOUNCE))
    kept = " ".join(f"{event.headers} {event.body}" for event in events())
    assert "hook-acme" not in kept
    assert "authorization" not in kept.lower()


def test_ten_deliveries_at_once_make_one_row(senders: dict[str, Sender]) -> None:
    async def act(ask: Ask) -> list[int]:
        wanted = [inbound(senders["sms"], PERSON, "hello"), vapi(senders["voice"], REPORT)] * 10
        return [reply.status_code for reply in await asyncio.gather(*(ask(each) for each in wanted))]

    assert set(through_the_door(act)) == {200}
    assert len(events()) == 2


def test_a_hundred_requests_at_once_share_a_few_commits(
    senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = storing.Store._insert

    async def counting(self: storing.Store, rows: Any, until: float) -> None:
        sizes.append(len(rows))
        while len(sizes) == 1 and len(self._waiting) < 149:  # the first commit lasts until the others have arrived
            await asyncio.sleep(0)
        await real(self, rows, until)

    monkeypatch.setattr(storing.Store, "_insert", counting)

    async def act(ask: Ask) -> list[int]:
        wanted = [inbound(senders["sms"], PERSON, f"text {n}", sid=f"SM{n:032x}") for n in range(150)]
        return [reply.status_code for reply in await asyncio.gather(*(ask(each) for each in wanted))]

    assert set(through_the_door(act)) == {200}
    assert len(events()) == 150
    assert sizes == [1, storing.BATCH, 49]


def test_one_batch_may_hold_events_of_several_tenants(people: People, senders: dict[str, Sender]) -> None:
    others = make_senders(people.charlie.tenant)

    async def act(ask: Ask) -> list[int]:
        wanted = [
            inbound(chosen["sms"], PERSON, "hello", sid=f"SM{n:032x}")
            for n in range(20)
            for chosen in (senders, others)
        ]
        return [reply.status_code for reply in await asyncio.gather(*(ask(each) for each in wanted))]

    with as_web_role():
        assert set(through_the_door(act)) == {200}
    tenants = [event.tenant_id for event in events()]
    assert tenants.count(people.acme.pk) == tenants.count(people.charlie.tenant_id) == 20


def test_storing_wakes_the_workers(senders: dict[str, Sender]) -> None:
    import psycopg

    from sequences.webhooks.link import parameters

    with psycopg.connect(**parameters(), autocommit=True) as listener:
        listener.execute("LISTEN omnify_wake")
        knock(inbound(senders["sms"], PERSON, "hi"))
        heard = next(iter(listener.notifies(timeout=5, stop_after=1)), None)
    assert heard is not None
    assert heard.payload == "inbound"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_a_post_changes_anything(senders: dict[str, Sender], method: str) -> None:
    assert knock(inbound(senders["sms"], PERSON, "hi") | {"method": method}) == [405]
    assert events() == []


@pytest.mark.parametrize(
    "path",
    [
        "/hooks/twilio/" + "0" * 32 + "/inbound",
        "/hooks/twilio/not-a-key/inbound",
        "/hooks/twilio/{sms}",
        "/hooks/twilio/{sms}/elsewhere",
        "/hooks/twilio/{sms}/inbound/more",
        "/hooks/twilio/{sms}/status/a/b",
        "/hooks/vapi/{sms}",
        "/hooks/twilio/{voice}/inbound",
        "/hooks/telegram/{sms}",
        "/hooks/",
        "/hooks/twilio//inbound",
    ],
)
def test_an_address_that_is_nobodys_is_not_found(senders: dict[str, Sender], path: str) -> None:
    target = path.format(**{channel: sender.webhook_key for channel, sender in senders.items()})
    assert knock(inbound(senders["sms"], PERSON, "hi") | {"url": target}) == [404]
    assert events() == []


def test_a_mail_with_a_photograph_is_kept_without_the_photograph(senders: dict[str, Sender]) -> None:
    attachment = {"Name": "roof.jpg", "Content": "A" * 2_000_000, "ContentLength": 1_500_000}
    mail = {"MessageID": "in-1", "Headers": [], "TextBody": "see the photo", "Attachments": [attachment]}
    assert knock(postmark(senders["email"], mail)) == [200]
    stored = events()[0]
    assert len(stored.body) < 2_000
    assert "see the photo" in stored.body
    assert "roof.jpg" in stored.body


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"RecordType": "Delivery", "MessageID": "\xff\xfe bad"}', "mail"),
        (b'{"MessageID": "x", "Headers": [], "TextBody": "a\x00b"}', "unreadable"),
        (b'{"MessageID": "x", "Headers": [], "TextBody": "a\\u0000b"}', "inbound"),
        (b"not json at all", "unreadable"),
        (b"[" * 100_000, "unreadable"),
        (b"", "unreadable"),
        (b'{"RecordType": "SomethingNew", "MessageID": "n-1"}', "mail"),
        (b'{"RecordType": {"a": 1}, "MessageID": ["x"]}', "unreadable"),
    ],
)
def test_a_genuine_event_is_stored_however_broken_or_new_it_is(
    senders: dict[str, Sender], content: bytes, kind: str
) -> None:
    wanted = postmark(senders["email"], BOUNCE) | {"content": content}
    assert knock(wanted, wanted) == [200, 200]
    assert [event.kind for event in events()] == [kind]
    assert "\x00" not in events()[0].body


def test_the_door_can_be_a_process_of_its_own_that_starts_and_stops(senders: dict[str, Sender]) -> None:
    async def run() -> list[str]:
        door, said = ingest.Ingest(), []
        steps = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, Any]:
            return {"type": next(steps)}

        async def send(message: dict[str, Any]) -> None:
            said.append(message["type"])

        door.desk()
        await door({"type": "lifespan"}, receive, send)
        assert not door._desks
        return said

    assert asyncio.run(run()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
