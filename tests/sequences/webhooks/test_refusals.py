"""A refused webhook is left in sight: counted in the ledger, told to the tenant, and in the log; its words nowhere."""

import asyncio
import json
import logging
from datetime import datetime, timedelta

import pytest
from django.db import connections

from omnify.lib.clock import now as clock
from omnify.tenants.models import Event, Notification
from sequences.alarms import webhooks_refused
from sequences.models import Sender
from sequences.webhooks import ingest, refusals
from tests.making import People, make_senders
from tests.sequences.webhooks.requests import (
    BOUNCE,
    PERSON,
    REPORT,
    Ask,
    as_web_role,
    inbound,
    knock,
    postmark,
    through_the_door,
    twilio,
    vapi,
)

pytestmark = pytest.mark.django_db(transaction=True)


def refused() -> list[tuple[int, str, str, int]]:
    """(sender, provider, why, times) of every event."""
    rows = Event.objects.all_tenants().filter(kind="webhook.refused").order_by("id")
    return [(row.subject_id, row.data["provider"], row.data["why"], row.data["times"]) for row in rows]


def refused_elsewhere() -> list[tuple[int, str, str, int]]:
    """The same, asked in a thread whose connection nobody else would close."""
    try:
        return refused()
    finally:
        connections.close_all()


def notices() -> list[Notification]:
    return list(Notification.objects.all_tenants().order_by("id"))


def test_each_kind_of_refusal_is_recorded_with_its_reason(people: People, senders: dict[str, Sender]) -> None:
    sms, voice, email = senders["sms"], senders["voice"], senders["email"]
    theirs = make_senders(people.charlie.tenant)["sms"]
    voice.set_credentials({"hmac_secret": "signing-secret"})
    voice.save()
    old = datetime.fromtimestamp(clock().timestamp() - 301, clock().tzinfo)
    wanted = inbound(sms, PERSON, "a private word")
    wrong = [
        twilio(sms, "inbound", token="guessed", From=PERSON, Body="a private word"),
        twilio(sms, "inbound", account=theirs.config["account_sid"], From=PERSON, Body="a private word"),
        wanted | {"headers": {"content-type": wanted["headers"]["content-type"]}},
        wanted | {"content": b"x" * (ingest.LIMIT + 1)},
        wanted | {"content": b"a=1&" * 1001},
        vapi(voice, REPORT, now=old),
        vapi(voice, REPORT, now=clock(), secret="guessed"),
        postmark(email, BOUNCE, secret="user:guess"),
    ]
    with as_web_role():
        assert knock(*wrong) == [403, 403, 403, 413, 403, 403, 403, 403]
    assert sorted(refused()) == sorted(
        [
            (sms.pk, "twilio", "bad signature", 1),
            (sms.pk, "twilio", "another account", 1),
            (sms.pk, "twilio", "no signature", 1),
            (sms.pk, "twilio", "too large", 1),
            (sms.pk, "twilio", "unreadable form", 1),
            (voice.pk, "vapi", "stale timestamp", 1),
            (voice.pk, "vapi", "bad signature", 1),
            (email.pk, "postmark", "wrong password", 1),
        ]
    )
    rows = list(Event.objects.all_tenants().filter(kind="webhook.refused"))
    assert {row.tenant_id for row in [*rows, *notices()]} == {people.acme.pk}
    assert "a private word" not in json.dumps(
        [[row.data for row in rows], [[row.title, row.body] for row in notices()]]
    )


def test_a_flood_is_one_event_at_once_and_one_with_the_rest(
    senders: dict[str, Sender], caplog: pytest.LogCaptureFixture
) -> None:
    forged = twilio(senders["sms"], "inbound", token="guessed", From=PERSON, Body="hi")
    with caplog.at_level(logging.WARNING, logger="sequences.webhooks.refusals"):
        assert knock(*[forged] * 30) == [403] * 30
    assert sorted(times for *_, times in refused()) == [1, 29]
    assert [record.getMessage() for record in caplog.records] == [
        f"Webhooks refused for sender {senders['sms'].pk}: 1, bad signature",
        f"Webhooks refused for sender {senders['sms'].pk}: 29, bad signature",
    ]
    assert len(notices()) == 1


def test_what_was_counted_is_written_when_the_minute_is_over(
    senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "EVERY_SECONDS", 0.3)
    forged = twilio(senders["sms"], "inbound", token="guessed", From=PERSON, Body="hi")

    async def act(ask: Ask) -> list[int]:
        for _ in range(5):
            await ask(forged)
        async with asyncio.timeout(20):
            while len(found := await asyncio.to_thread(refused_elsewhere)) < 2:
                await asyncio.sleep(0.05)
        return [times for *_, times in found]

    found = through_the_door(act)
    assert sum(found) == 5


def test_a_tenant_is_told_once_an_hour_with_how_many(senders: dict[str, Sender], now: datetime) -> None:
    sender, moment = senders["sms"], clock()
    for minutes, times in ((0, 12), (1, 30), (2, 1)):
        at = moment + timedelta(minutes=minutes)
        webhooks_refused(sender.tenant_id, sender.pk, "twilio", "bad signature", times, at)
    later = moment + timedelta(hours=1, minutes=1)
    webhooks_refused(sender.tenant_id, sender.pk, "twilio", "bad signature", 1, later)
    assert [row.title for row in notices()] == [
        f"12 webhooks to “{sender.name}” were refused: bad signature",
        f"2 webhooks to “{sender.name}” were refused: bad signature",
    ]
    assert {row.type for row in notices()} == {"sending_problem"}
    assert [times for *_, times in refused()] == [12, 30, 1, 1]


def test_an_unknown_key_is_a_line_in_the_log_and_no_more(
    senders: dict[str, Sender], caplog: pytest.LogCaptureFixture
) -> None:
    nobody = inbound(senders["sms"], PERSON, "hi") | {"url": f"/hooks/twilio/{'0' * 32}/inbound"}
    with caplog.at_level(logging.WARNING, logger="sequences.webhooks.refusals"):
        assert knock(*[nobody] * 20) == [404] * 20
    assert [record.getMessage() for record in caplog.records] == ["Webhooks to addresses that nobody has: 1"]
    assert (refused(), notices()) == ([], [])


def test_good_webhooks_leave_no_trace_of_it(senders: dict[str, Sender]) -> None:
    assert knock(inbound(senders["sms"], PERSON, "hi"), postmark(senders["email"], BOUNCE)) == [200, 200]
    assert (refused(), notices()) == ([], [])
