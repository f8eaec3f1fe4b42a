"""Log lines: whose they are, one line each, and nothing in them that somebody wrote, or where somebody lives."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from contacts.models import Contact
from omnify.lib.logs import Json, Plain, bound, logged, said, told
from omnify.tenants.context import tenant_context
from sequences import inbound
from sequences.models import Message, ProviderEvent
from sequences.watching import watched
from tests.making import People, make_contact, make_senders

BODY, PHONE, MAIL, SECRET = "Canarybody", "+12125550199", "canary.person@people.example", "canary-secret-token"


class Lines:
    """What a handler wrote."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(formatter)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture(params=[Plain, Json])
def lines(request: pytest.FixtureRequest) -> Iterator[Lines]:
    made = Lines(request.param())
    root = logging.getLogger()
    before = root.level
    root.addHandler(made.handler)
    root.setLevel(logging.DEBUG)
    yield made
    root.setLevel(before)
    root.removeHandler(made.handler)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("all is well", "all is well"),
        (f"to {PHONE}", "to (phone)"),
        ("To=%2B12125550199&x=1", "To=(phone)&x=1"),
        ("call +1 (212) 555-0199 now", "call (phone) now"),
        (f"from {MAIL}.", "from (mail)."),
        ("two\nlines\r\x1b[31mred\x00", "two\\nlines\\r\\x1b[31mred\\x00"),
        ("nel\x85 and \u2028 too", "nel\\x85 and \\u2028 too"),
        ("GET /u/abc.def-123 200", "GET /u/(key) 200"),
        ("Not Found: /hooks/twilio/0123456789abcdef/inbound", "Not Found: /hooks/twilio/(key)/inbound"),
        (
            "duplicate key value\nDETAIL:  Key (phone)=(+12125550199) already exists.\nCONTEXT: x",
            "duplicate key value\\n(row left out)",
        ),
        ("Failing row contains (1, Canarybody).", "(row left out)"),
        ("2026-11-18 16:00:00 and 1234567890 stay", "2026-11-18 16:00:00 and 1234567890 stay"),
    ],
)
def test_what_a_line_may_say(text: str, line: str) -> None:
    assert said(text) == line


@pytest.mark.parametrize("text", ["x", "x%40", "x.", "x@x", "+1", "/u/", "'"])
def test_a_line_is_never_endless_and_takes_no_time(text: str) -> None:
    """Half a million characters: what looks at each from each needs hours."""
    assert len(said(text * (500_000 // len(text)))) < 5_000


def test_nobody_can_write_a_line_of_their_own(lines: Lines) -> None:
    logging.getLogger("sequences").warning(
        "Refused: %s", "bad\n2026-11-18 16:00:00,000 INFO root Payment received \x1b[2K"
    )
    try:
        raise ValueError("bad\n2026-11-18 16:00:00,000 INFO root Payment received")
    except ValueError:
        logging.getLogger("sequences").exception("Again")
    written = lines.text.splitlines()
    assert not [line for line in written if line.startswith("2026-11-18 16:00:00")]
    assert "\x1b" not in lines.text
    assert sum("INFO root Payment" in line for line in written) >= 2, "it is told, within another line"


def test_json_is_one_object_a_line_with_its_ids() -> None:
    lines = Lines(Json())
    logger = logging.Logger("sequences.test")
    logger.addHandler(lines.handler)
    with logged(tenant=7, message=None, nonsense="x"), logged(message=42, enrollment=3):
        logger.warning("Held %s", "back")
    logger.info("outside")
    inside, outside = lines.objects
    assert (inside["text"], inside["level"], inside["logger"]) == ("Held back", "WARNING", "sequences.test")
    assert (inside["tenant"], inside["message"], inside["enrollment"]) == (7, 42, 3)
    assert "nonsense" not in inside
    assert not {"tenant", "message"} & set(outside)
    assert bound() == {}


def test_an_error_is_told_with_its_cause_and_its_lines_of_code() -> None:
    lines = Lines(Json())
    logger = logging.Logger("t")
    logger.addHandler(lines.handler)
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise RuntimeError(f"then {PHONE}") from error
    except RuntimeError as error:
        logger.exception("It broke: %s", error)
    (line,) = lines.objects
    assert line["error"] == "RuntimeError: then (phone)"
    assert line["text"] == "It broke: RuntimeError: then (phone)"
    assert "KeyError: 'first'" in line["story"]
    assert any("raise KeyError" in each for each in line["story"])


@pytest.mark.django_db
def test_a_refused_row_is_told_by_its_constraint_and_never_by_its_values(
    people: People, now: datetime, lines: Lines
) -> None:
    contact = make_contact(people.acme, now, email=MAIL, phone=PHONE, first_name=BODY)
    logger, codes = logging.getLogger("contacts"), []
    for changes in ({"id": contact.pk}, {"last_name": None}):
        try:
            with tenant_context(people.acme.pk), transaction.atomic():
                Contact.objects.bulk_create(
                    [Contact(**{"tenant_id": people.acme.pk, "email": MAIL, "first_name": BODY} | changes)]
                )
        except IntegrityError as error:
            logger.exception("Could not be stored")
            logger.warning("Because: %s", error)
            codes.append(told(error))
    assert [each[:19] for each in codes] == ["IntegrityError (235", "IntegrityError (235"]
    assert lines.text.count("contacts_contact") >= 2, "which table, and which constraint"
    for canary in (BODY, PHONE, MAIL, "DETAIL", "Failing row"):
        assert canary not in lines.text


@pytest.mark.django_db
def test_a_whole_journey_leaves_no_body_address_or_secret_in_the_log(
    people: People, now: datetime, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything at DEBUG, with the worst in the middle of it: errors whose words are somebody's words."""
    logging.config.dictConfig({"version": 1, "incremental": True, "loggers": {
        name: {"level": each["level"]} for name, each in settings.LOGGING["loggers"].items() if "level" in each
    }})  # fmt: skip
    sender = make_senders(people.acme)["sms"]
    with tenant_context(people.acme.pk):
        sender.set_credentials({"auth_token": SECRET})
        sender.save()
        contact = make_contact(people.acme, now, email=MAIL, phone=PHONE, first_name=BODY)
        message = Message.objects.create(
            contact=contact, channel="sms", to_address=PHONE, body=BODY, sender=sender, state_at=now, created_at=now,
            not_before=now, expires_at=now,
        )  # fmt: skip
        event = ProviderEvent.objects.create(
            sender=sender, provider="twilio", kind="inbound", event_key="1", received_at=now,
            body=f"From=%2B12125550199&To=%2B15005550006&Body={BODY}&MessageSid=SM1",
        )  # fmt: skip

    def breaks(*args: Any) -> None:
        Message.objects.bulk_create([message])  # the row's values are in PostgreSQL's DETAIL

    monkeypatch.setitem(inbound.HANDLERS, inbound.TextReceived, breaks)
    assert inbound.apply_waiting(now) == 1
    event.refresh_from_db()
    assert event.tries == 1
    lines.handler.flush()
    assert "could not be applied" in lines.text
    assert f"tenant={people.acme.pk}" in lines.text or f'"tenant": {people.acme.pk}' in lines.text
    for canary in (BODY, PHONE, MAIL, SECRET, PHONE[1:]):
        assert canary not in lines.text, canary


def test_each_send_is_logged_with_its_ids() -> None:
    lines = Lines(Json())
    logger = logging.Logger("t")
    logger.addHandler(lines.handler)

    class Row:
        channel, enrollment_id, provider = "sms", 9, "twilio"

    class Claim:
        tenant_id, id, message, known = 4, 5, Row(), Row()

    @watched
    def deliver(claim: Any, now_of: Any) -> str:
        logger.warning("on the wire")
        return "accepted"

    assert deliver(Claim(), None) == "accepted"
    (line,) = lines.objects
    assert (line["tenant"], line["message"], line["enrollment"]) == (4, 5, 9)
