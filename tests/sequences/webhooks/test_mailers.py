"""SendGrid's and Amazon SES's hooks: only what they signed gets in, each event once, and every event means what it says."""

import asyncio
import base64
import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from omnify.lib import outbound
from omnify.simulator.sns import made
from sequences.models import Sender
from sequences.signals import (
    TopicOffered,
)
from sequences.webhooks import certificates, ses
from tests.making import People, make_senders
from tests.sequences.webhooks import mailers
from tests.sequences.webhooks.mailers import (
    DELIVERED,
    SIGNATURE,
    STAMP,
    TOPICS,
    certified,
    parsed_mail,
    posted,
    ses_event,
    sns,
)
from tests.sequences.webhooks.requests import MARK, Ask, as_web_role, events, knock, through_the_door
from tests.wire.mailers import as_provider

PAT = "pat@people.example"
database = pytest.mark.django_db(transaction=True)


@database
def test_a_batch_is_stored_event_by_event_each_once(grid: Sender) -> None:
    batch = [DELIVERED | {"sg_event_id": f"ev-{n}"} for n in range(150)]
    with as_web_role():
        assert knock(
            mailers.sendgrid(grid, *batch), mailers.sendgrid(grid, *batch[:20], DELIVERED | {"sg_event_id": "new"})
        ) == [200, 200]
    assert sorted(event.event_key for event in events()) == sorted([f"ev-{n}" for n in range(150)] + ["new"])
    assert {event.mark for event in events()} == {MARK}


@database
def test_a_genuine_batch_that_makes_no_sense_is_stored_for_somebody_to_read(grid: Sender) -> None:
    assert knock(
        mailers.sendgrid(grid), mailers.sendgrid(grid, {"x": 1}, {"event": "delivered", "sg_event_id": "e"})
    ) == [200, 200]
    assert sorted(event.kind for event in events()) == ["mail", "unreadable", "unreadable"]


@database
def test_another_tenants_sender_or_another_kind_of_sender_opens_no_door(
    people: People, grid: Sender, senders: dict[str, Sender], settings: Any
) -> None:
    theirs = as_provider(make_senders(people.charlie.tenant)["email"], "sendgrid", 2)
    crossed = mailers.sendgrid(theirs, DELIVERED) | {"url": f"/hooks/sendgrid/{grid.webhook_key}/events"}
    signed_by_them = mailers.sendgrid(grid, DELIVERED, key=theirs.credentials["api_key"])
    mail = parsed_mail(grid, secret=theirs.credentials["webhook_secret"])
    assert knock(crossed, signed_by_them, mail) == [403, 403, 403]
    other = f"/hooks/sendgrid/{senders['sms'].webhook_key}/events"
    ways = [
        other,
        other.replace("/events", "/inbound"),
        f"/hooks/ses/{grid.webhook_key}",
        f"/hooks/postmark/{grid.webhook_key}",
    ]
    ways += [f"/hooks/sendgrid/{grid.webhook_key}", f"/hooks/sendgrid/{grid.webhook_key}/status"]
    assert knock(*[mailers.sendgrid(grid, DELIVERED) | {"url": way} for way in ways]) == [404] * len(ways)
    assert events() == []


@database
def test_an_event_signed_more_than_ten_minutes_ago_is_refused(grid: Sender) -> None:
    at = datetime.now(UTC).timestamp()
    tries = [mailers.sendgrid(grid, DELIVERED, at=at + off) for off in (-601, 660, -10_000_000)]
    assert knock(*tries) == [403] * 3
    assert knock(mailers.sendgrid(grid, DELIVERED, at=at - 500)) == [200]


@database
@pytest.mark.parametrize("key", ["", "no base64!", base64.b64encode(b"x" * 91).decode()])
def test_without_a_key_nothing_is_believed(grid: Sender, key: str) -> None:
    grid.set_credentials(grid.credentials | {"event_public_key": key})
    from omnify.tenants.context import tenant_context

    with tenant_context(grid.tenant_id):
        grid.save()
    assert knock(mailers.sendgrid(grid, DELIVERED)) == [403]


def mutated(request: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The request with one thing changed that the signature covers, or the signature itself changed."""
    body, headers = bytearray(request["content"]), dict(request["headers"])
    if "/hooks/ses/" in request["url"]:
        told = json.loads(request["content"])
        name = dice.choice([each for each in told if each not in ("SigningCertURL",)])
        value, choice = told[name], dice.randrange(5)
        if choice == 0:
            at = dice.randrange(len(value))
            told[name] = value[:at] + dice.choice([char for char in "abcXYZ019" if char != value[at]]) + value[at + 1 :]
        elif choice == 1:
            told[name] = dice.choice(["", value + "x", value + value, value[:-1], value.swapcase() + " "])
        elif choice == 2:
            del told[name]
        elif choice == 3:
            told["SigningCertURL"] = dice.choice(
                [
                    "https://evil.example/SimpleNotificationService-" + "0" * 32 + ".pem",
                    "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-" + "0" * 32 + ".pem",
                    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-" + "0" * 32 + ".pem",
                    "http://simulator.test/ses/sns/../x.pem", "file:///etc/passwd", "",
                ]
            )  # fmt: skip
        else:
            told["Subject"] = dice.choice(["", "x"])
        return {**request, "content": json.dumps(told).encode()}
    choice = dice.randrange(5)
    if choice == 0:
        at = dice.randrange(len(body))
        body[at] = (body[at] + dice.randrange(1, 20)) % 128 or 65
    elif choice == 1:
        body += dice.choice([b" ", b"\n", b"[]"])
    elif choice == 2:
        value = headers[SIGNATURE]
        at = dice.randrange(len(value))
        headers[SIGNATURE] = (
            value[:at] + dice.choice([char for char in "abcXYZ019" if char != value[at]]) + value[at + 1 :]
        )
    elif choice == 3:
        headers[SIGNATURE] = dice.choice(["", "AAAA", headers[SIGNATURE] * 2, headers[SIGNATURE][:-4]])
    else:
        headers[STAMP] = dice.choice(
            [str(int(headers[STAMP]) + dice.choice([1, -1, 700, -700])), "", "-1", "1e9", "9" * 30]
        )
    return {**request, "content": bytes(body), "headers": headers}


@database
@pytest.mark.parametrize("provider", ["sendgrid", "ses"])
def test_of_1200_changed_requests_none_is_accepted(
    senders: dict[str, Sender], settings: Any, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = as_provider(senders["email"], provider, 1)
    fetched: list[str] = []

    def nobody(url: str, **options: Any) -> Any:
        fetched.append(url)
        raise outbound.Unreachable("nobody there")

    monkeypatch.setattr(outbound, "fetch", nobody)
    with certified(settings):
        original = mailers.sendgrid(sender, DELIVERED) if provider == "sendgrid" else sns(sender, ses_event("Send"))
        dice = random.Random(7)
        changed = [each for each in (mutated(original, dice) for _ in range(1300)) if each != original]
        if provider == "ses":  # SNS signs values, not how they are written
            changed = [each for each in changed if json.loads(each["content"]) != json.loads(original["content"])]
        assert len(changed) >= 1200

        async def act(ask: Ask) -> set[int]:
            return {(await ask(each)).status_code for each in changed}

        assert through_the_door(act) <= {403}
        assert (events(), fetched) == ([], [])
        assert knock(original) == [200]


@database
@pytest.mark.parametrize("version", ["1", "2"])
def test_both_of_snss_signatures_are_understood_and_each_message_is_one_event(amazon: Sender, version: str) -> None:
    request = sns(amazon, ses_event("Delivery"), version=version, Subject="Amazon SES Email Event Notification")
    assert knock(request, request) == [200, 200]
    [event] = events()
    assert (event.event_key, event.mark, event.provider) == ("Notification:sns-1", MARK, "ses")


@database
def test_a_message_of_somebody_elses_topic_is_refused_though_amazon_signed_it(amazon: Sender) -> None:
    assert knock(sns(amazon, ses_event("Send"), topic="arn:aws:sns:eu-central-1:666:mine")) == [403]
    stranger = json.loads(sns(amazon, ses_event("Send"))["content"])
    forged = TOPICS.signed({**stranger, "MessageId": "m2"}, key=made()[0])
    assert knock(posted(amazon, forged)) == [403]
    old = sns(amazon, ses_event("Send"), Timestamp="2020-01-01T00:00:00.000Z")
    assert knock(old) == [403]
    assert events() == []


CERTIFICATE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-" + "a" * 32 + ".pem"


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        (CERTIFICATE, True),
        (CERTIFICATE.replace(".com/", ".com.cn/").replace("eu-central-1", "cn-north-1"), True),
        (CERTIFICATE.replace("eu-central-1", "us-gov-west-1"), True),
        (CERTIFICATE.replace("https", "http"), False),
        (CERTIFICATE.replace("amazonaws.com", "amazonaws.com.evil.example"), False),
        (CERTIFICATE.replace("sns.", "evil.example/sns."), False),
        (CERTIFICATE.replace("sns.", "sns@"), False),
        (CERTIFICATE.replace("https://", "https://user@"), False),
        (CERTIFICATE.replace("sns.eu-central-1", "s3.eu-central-1"), False),
        (CERTIFICATE.replace("eu-central-1.", "bucket.s3-eu-central-1."), False),
        (CERTIFICATE.replace("/Simple", ":8443/Simple"), False),
        (CERTIFICATE.replace("/Simple", "/../Simple"), False),
        (CERTIFICATE + "?x=1", False),
        (CERTIFICATE + "\n", False),
        ("http://simulator.test/ses/sns/SimpleNotificationService-" + "a" * 32 + ".pem", False),
        ("", False),
    ],
)
def test_a_certificate_comes_from_amazons_own_hosts_only(url: str, fine: bool, settings: Any) -> None:
    settings.SIMULATOR_URL = "http://simulator.test"
    assert certificates.is_certificate(url, simulated=False) is fine
    assert certificates.is_certificate(url, simulated=True) is url.startswith("http://simulator.test")


def test_a_certificate_is_fetched_once_by_the_client_for_strangers_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(url: str, **options: Any) -> outbound.Answer:
        asked.append(url)
        return outbound.Answer(200, {}, TOPICS.pem)

    monkeypatch.setattr(outbound, "fetch", fetch)
    certificates._known.clear()
    for _ in range(3):
        asyncio.run(certificates.ready(CERTIFICATE, simulated=False))
    assert asked == [CERTIFICATE]
    assert certificates.known(CERTIFICATE) is not None
    certificates._known.clear()


@database
@pytest.mark.parametrize("answer", [outbound.Refused("private"), outbound.Unreachable("late"), 404, b"no certificate"])
def test_where_the_certificate_cannot_be_had_amazon_is_asked_to_come_again(
    amazon: Sender, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    certificates._known.clear()

    def get(url: str, *, simulated: bool) -> tuple[int, bytes]:
        if isinstance(answer, Exception):
            raise answer
        return (answer, b"") if isinstance(answer, int) else (200, answer)

    monkeypatch.setattr(certificates, "get", get)
    assert knock(sns(amazon, ses_event("Send"))) == [503]
    assert events() == []


@database
def test_a_topic_that_is_offered_is_stored_and_not_fetched_by_the_door(
    amazon: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "get", lambda url, **options: pytest.fail("the door fetched it"))
    assert knock(posted(amazon, TOPICS.offer(amazon.config["topic_arn"]))) == [200]
    [event] = events()
    assert event.kind == "topic"
    [offer] = ses.parse(event.kind, event.body, "")
    assert isinstance(offer, TopicOffered)
    assert offer.topic == amazon.config["topic_arn"]
