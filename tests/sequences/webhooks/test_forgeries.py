"""Nothing but the holder of a sender's secret gets a row into the table."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from omnify.lib.clock import now as clock
from omnify.tenants.context import tenant_context
from sequences.models import Sender
from sequences.webhooks import ingest
from tests.making import People, make_senders
from tests.sequences.webhooks.requests import (
    BOUNCE,
    PERSON,
    REPORT,
    Ask,
    events,
    inbound,
    knock,
    postmark,
    through_the_door,
    twilio,
    vapi,
)

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_number_whose_account_is_kept_with_its_secrets_is_heard_too(senders: dict[str, Sender]) -> None:
    ours = senders["sms"]
    account = ours.config["account_sid"]
    with tenant_context(ours.tenant_id):
        ours.config = {}
        ours.set_credentials(ours.credentials | {"account_sid": account})
        ours.save()
    fine = twilio(ours, "inbound", account=account, From=PERSON, Body="stop")
    strange = twilio(ours, "inbound", account="AC" + "9" * 32, From=PERSON, Body="stop")
    assert knock(fine, strange) == [200, 403]


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
