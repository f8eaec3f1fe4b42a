"""The webhook door: verified, stored once, answered after the commit, and never fooled."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from django.db import connection

from omnify.lib.clock import now as clock
from sequences.models import ProviderEvent, Sender
from sequences.webhooks import ingest, storing
from sequences.webhooks.link import Link
from tests.making import People, make_senders
from tests.sequences.webhooks.requests import (
    CALL,
    SID,
    Ask,
    as_web_role,
    inbound,
    knock,
    postmark,
    status,
    through_the_door,
    twilio,
    vapi,
)

pytestmark = pytest.mark.django_db(transaction=True)

MARK = "0199c0de-0000-7000-8000-00000000000a"
PERSON = "+12125550100"
REPORT = {"type": "end-of-call-report", "call": {"id": CALL, "name": MARK}, "endedReason": "customer-ended-call"}
BOUNCE = {"RecordType": "Bounce", "MessageID": "m-1", "ID": 7, "Type": "HardBounce", "Metadata": {"m": MARK}}


@pytest.fixture
def senders(people: People) -> dict[str, Sender]:
    return make_senders(people.acme)


def events() -> list[ProviderEvent]:
    return list(ProviderEvent.objects.all_tenants().order_by("id"))


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

    async def counting(self: storing.Store, rows: Any) -> None:
        sizes.append(len(rows))
        while len(sizes) == 1 and len(self._waiting) < 149:  # the first commit lasts until the others have arrived
            await asyncio.sleep(0)
        await real(self, rows)

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


def test_another_tenants_signed_request_is_refused_at_our_address(people: People, senders: dict[str, Sender]) -> None:
    theirs = make_senders(people.charlie.tenant)
    ours = senders["sms"]
    replayed = inbound(theirs["sms"], PERSON, "stop") | {"url": f"/hooks/twilio/{ours.webhook_key}/inbound"}
    # Signed for our very address, with their token or even with ours, but about their account.
    crossed = twilio(ours, "inbound", token=theirs["sms"].credentials["auth_token"], From=PERSON, Body="stop")
    foreign = twilio(ours, "inbound", account=theirs["sms"].config["account_sid"], From=PERSON, Body="stop")
    call = vapi(senders["voice"], REPORT, secret=theirs["voice"].credentials["webhook_secret"])
    mail = postmark(senders["email"], BOUNCE, secret=theirs["email"].credentials["webhook_secret"])
    assert knock(replayed, crossed, foreign, call, mail) == [403] * 5
    assert events() == []


def mutations(request: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The request with one thing changed that the signature covers, or the signature itself changed."""
    body, headers, url = bytearray(request["content"]), dict(request["headers"]), request["url"]
    secret = next(name for name in ("x-twilio-signature", "x-signature", "authorization") if name in headers)
    choice = dice.randrange(5)
    if choice == 0 and secret != "authorization":
        at = dice.randrange(len(body))
        body[at] = (body[at] + dice.randrange(1, 20)) % 128 or 65
    elif choice == 1 and secret != "authorization":
        body += dice.choice([b"&Extra=1", b" ", b"&Body=more"])
    elif choice == 2:
        value = headers[secret]
        at = dice.randrange(value.find(" ") + 1, len(value) - 2)
        headers[secret] = value[:at] + dice.choice([c for c in "abcXYZ019" if c != value[at]]) + value[at + 1 :]
    elif choice == 3:
        del headers[secret]
    elif secret == "x-twilio-signature":
        url += dice.choice(["?a=1", "?", "?bodySHA256=" + "0" * 64]) if dice.random() < 0.7 else "/"
        url = url if url.endswith(("/", "=1", "0")) else url + "x=2"
    elif secret == "x-signature":
        headers["x-timestamp"] = str(int(headers["x-timestamp"]) + dice.choice([-400, 400, 1, -1]))
    else:
        headers[secret] = dice.choice(["Basic", "Basic ", "Bearer x", "Basic !!!", headers[secret] + "QQ=="])
    return {**request, "content": bytes(body), "headers": headers, "url": url}


def test_of_1500_changed_requests_none_is_accepted(people: People, senders: dict[str, Sender]) -> None:
    voice = senders["voice"]
    voice.set_credentials({**voice.credentials, "hmac_secret": "signing-secret"})
    voice.save()
    originals = [
        inbound(senders["sms"], PERSON, "Yes please & thanks"),
        vapi(voice, REPORT, now=clock()),
        postmark(senders["email"], BOUNCE),
    ]
    dice = random.Random(7)
    changed = [mutations(originals[n % 3], dice) for n in range(1500)]
    changed = [each for n, each in enumerate(changed) if each != originals[n % 3]]
    assert len(changed) > 1000

    async def act(ask: Ask) -> set[int]:
        return {(await ask(each)).status_code for each in changed}

    assert through_the_door(act) <= {403, 404}
    assert events() == []
    assert knock(*originals) == [200, 200, 200]


def test_a_signed_call_report_replayed_after_five_minutes_is_refused(senders: dict[str, Sender]) -> None:
    voice = senders["voice"]
    voice.set_credentials({"hmac_secret": "signing-secret", "webhook_secret": "weaker"})
    voice.save()
    old = datetime.fromtimestamp(clock().timestamp() - 301, UTC)
    # The weaker secret alone is not enough where a signing secret is set.
    assert knock(vapi(voice, REPORT, now=old), vapi(voice, REPORT, secret="weaker")) == [403, 403]
    assert knock(vapi(voice, REPORT, now=clock())) == [200]


def test_a_secret_changed_a_moment_ago_works_at_once_and_the_old_one_no_longer(
    senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sequences.webhooks.accounts.REREAD_AFTER_SECONDS", 0.0)
    sender = senders["sms"]

    async def act(ask: Ask) -> list[int]:
        first = await ask(inbound(sender, PERSON, "one", sid="SM" + "1" * 32))
        stale = inbound(sender, PERSON, "three", sid="SM" + "3" * 32)
        sender.set_credentials({"auth_token": "rotated"})
        await asyncio.to_thread(save, sender)
        second = await ask(inbound(sender, PERSON, "two", sid="SM" + "2" * 32))
        door = await ask(stale)
        return [first.status_code, second.status_code, door.status_code]

    assert through_the_door(act) == [200, 200, 403]


def save(sender: Sender) -> None:
    from django.db import connections

    from omnify.tenants.context import tenant_context

    with tenant_context(sender.tenant_id):
        sender.save()
    connections.close_all()


def test_a_body_too_large_is_refused_before_it_is_all_read(senders: dict[str, Sender]) -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        for _ in range(100):
            read += 100_000
            yield b"x" * 100_000

    wanted = inbound(senders["sms"], PERSON, "hi")
    assert knock(wanted | {"content": b"x" * (ingest.LIMIT + 1)}) == [413]
    assert knock(wanted | {"content": endless()}) == [413]
    assert read <= ingest.LIMIT + 200_000 or read == 10_000_000  # httpx's test transport may read ahead
    assert events() == []


def test_a_stranger_cannot_make_us_read_a_mail_of_megabytes(senders: dict[str, Sender]) -> None:
    wanted = postmark(senders["email"], BOUNCE, secret="user:guess")
    assert knock(wanted | {"content": b"x" * 2_000_000}) == [403]


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


def test_a_sender_deleted_in_flight_costs_the_others_nothing(people: People, senders: dict[str, Sender]) -> None:
    others = make_senders(people.charlie.tenant)

    async def act(ask: Ask) -> list[int]:
        await ask(inbound(senders["sms"], PERSON, "first", sid="SM" + "1" * 32))
        await asyncio.to_thread(delete, senders["sms"])
        wanted = [inbound(senders["sms"], PERSON, "late", sid="SM" + "2" * 32)]
        wanted += [inbound(others["sms"], PERSON, "fine", sid=f"SM{n:032x}") for n in range(5)]
        return [reply.status_code for reply in await asyncio.gather(*(ask(each) for each in wanted))]

    assert through_the_door(act) == [503, 200, 200, 200, 200, 200]
    assert len(events()) == 5


def delete(sender: Sender) -> None:
    from django.db import connections

    from omnify.tenants.context import tenant_context

    with tenant_context(sender.tenant_id):
        Sender.objects.filter(pk=sender.pk).delete()
    connections.close_all()


def test_a_client_that_hangs_up_does_not_stop_the_writer(
    senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()
    real = storing.Store._insert

    async def slow(self: storing.Store, rows: Any) -> None:
        await held.wait()
        await real(self, rows)

    monkeypatch.setattr(storing.Store, "_insert", slow)

    async def act(ask: Ask) -> int:
        gone = asyncio.create_task(ask(inbound(senders["sms"], PERSON, "bye", sid="SM" + "1" * 32)))
        stays = asyncio.create_task(ask(inbound(senders["sms"], PERSON, "here", sid="SM" + "2" * 32)))
        await asyncio.sleep(0.3)
        gone.cancel()
        held.set()
        return (await stays).status_code

    assert through_the_door(act) == 200
    assert len(events()) == 2


def test_a_database_connection_that_died_is_replaced_within_the_request(senders: dict[str, Sender]) -> None:
    async def act(ask: Ask) -> list[int]:
        first = await ask(inbound(senders["sms"], PERSON, "one", sid="SM" + "1" * 32))
        await asyncio.to_thread(end_other_sessions)
        second = await ask(inbound(senders["sms"], PERSON, "two", sid="SM" + "2" * 32))
        return [first.status_code, second.status_code]

    assert through_the_door(act) == [200, 200]
    assert len(events()) == 2


def end_other_sessions() -> None:
    """Ends the door's sessions, as a restart of the database would."""
    from django.db import connections

    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'omnify webhooks'"
        )
        assert cursor.fetchone()[0]
    connections.close_all()


def test_without_a_database_the_answer_is_503_so_that_the_provider_comes_again(
    senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = inbound(senders["sms"], PERSON, "hi")
    monkeypatch.setattr(
        "sequences.webhooks.ingest.parameters", lambda: {"host": "127.0.0.1", "port": 1, "connect_timeout": 2}
    )
    assert knock(wanted) == [503]


def test_a_link_whose_work_is_cancelled_starts_anew(people: People) -> None:
    from sequences.webhooks.link import parameters

    async def run() -> tuple[int]:
        link = Link(parameters())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), link.transaction() as cursor:
                await cursor.execute("SELECT pg_sleep(30)")
        async with link.transaction() as cursor:
            await cursor.execute("SELECT 1")
            found = await cursor.fetchone()
        await link.close()
        return found

    assert asyncio.run(run()) == (1,)
