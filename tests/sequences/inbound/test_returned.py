"""A mail that reports on a mail: anybody can write one, so it counts only where something shows that the mail was ours."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contacts.models import Contact, Interaction, Suppression
from omnify.simulator.mail_events import delivery_status_text
from sequences.models import Message
from sequences.returned import UNPROVEN
from tests.making import make_contact
from tests.sequences.inbound.conftest import House
from tests.sequences.inbound.told import apply_all, mail, make_message, rows

pytestmark = pytest.mark.django_db

PAT = "pat@people.example"
MACHINE = {"Return-Path": "<>", "Auto-Submitted": "auto-replied"}
COMPLAINT = f"This is an email abuse report.\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: {PAT}\n"


def spf(domain: str, result: str = "Pass") -> dict[str, str]:
    """As the receiving server writes it."""
    said = (
        f"{result} (sender authorized) identity=helo; client-ip=192.0.2.1; helo=mx.{domain}; receiver=inbound.example"
    )
    return MACHINE | {"Received-SPF": said}


def gone(house: House) -> bool:
    house.pat.refresh_from_db()
    return house.pat.email_valid is False


def returned(
    house: House, now: datetime, headers: dict[str, str], text: str = "", sender: str = f"mailer-daemon@{PAT[4:]}"
) -> Any:
    event = mail(house.email, now, sender, text or delivery_status_text(PAT), headers=headers, Subject="Undelivered")
    apply_all(now)
    event.refresh_from_db()
    return event


def sent(house: House, now: datetime, **fields: Any) -> Message:
    return make_message(house.pat, house.email, now, **{"state": "sent", "sending_started_at": now} | fields)


def marked(message: Message) -> dict[str, str]:
    return MACHINE | {"In-Reply-To": f"<{message.public_id}@acme.example>"}


def test_a_report_with_our_mark_is_believed_wherever_it_comes_from(house: House, now: datetime) -> None:
    message = sent(house, now)
    returned(house, now, marked(message), sender="postmaster@relay.example")
    message.refresh_from_db()
    assert (gone(house), message.state) == (True, "undelivered")


def test_a_marked_report_says_something_about_that_mails_recipient_only(house: House, now: datetime) -> None:
    """Somebody who got one mail of ours knows one mark; with it they could otherwise have a neighbour taken for gone."""
    neighbour = make_contact(house.tenant, now, email="neighbour@people.example")
    message = sent(house, now)
    returned(house, now, marked(message), delivery_status_text("neighbour@people.example"))
    neighbour.refresh_from_db()
    assert neighbour.email_valid is None
    assert gone(house)


@pytest.mark.parametrize(
    "headers",
    [
        MACHINE,
        MACHINE | {"In-Reply-To": f"<{uuid4()}@acme.example>"},
        spf("evil.example"),
        spf("people.example", "Fail"),
        spf("people.example", "SoftFail"),
        spf("notpeople.example"),
        spf("people.example.evil.example"),
        MACHINE | {"Received-SPF": "None", "X-Received-SPF": "Pass helo=mx.people.example"},
    ],
)
@pytest.mark.parametrize("text", ["", COMPLAINT])
def test_a_forged_report_marks_nobody_and_closes_nothing(
    house: House, now: datetime, headers: dict[str, str], text: str
) -> None:
    message = sent(house, now)
    event = returned(house, now, headers, text)
    message.refresh_from_db()
    assert (gone(house), message.state) == (False, "sent")
    assert rows(Suppression) == []
    assert (event.state, event.problem) == ("done", UNPROVEN)
    assert Contact.objects.all_tenants().count() == 1


def test_a_mark_of_another_tenants_mail_proves_nothing(people: Any, house: House, now: datetime) -> None:
    from tests.making import make_senders

    namesake = make_contact(people.charlie.tenant, now, email=PAT)
    theirs = make_message(namesake, make_senders(people.charlie.tenant)["email"], now)
    returned(house, now, marked(theirs))
    assert not gone(house)


def test_without_a_mark_the_recipients_own_server_is_believed_about_a_mail_of_these_days(
    house: House, now: datetime
) -> None:
    message = sent(house, now)
    returned(house, now + timedelta(days=5), spf("people.example"))
    message.refresh_from_db()
    assert (gone(house), message.state) == (True, "undelivered")


@pytest.mark.parametrize("how", ["too old", "never sent", "to nobody of ours"])
def test_without_a_mark_there_must_be_a_mail_of_these_days(house: House, now: datetime, how: str) -> None:
    if how == "too old":
        sent(house, now - timedelta(days=9))
    elif how == "never sent":
        sent(house, now, sending_started_at=None, state="ready")
    returned(house, now, spf("people.example"))
    assert not gone(house)


def test_a_complaint_that_the_recipients_provider_sends_ends_the_mail(house: House, now: datetime) -> None:
    sent(house, now)
    returned(house, now, spf("people.example"), COMPLAINT)
    (row,) = rows(Suppression)
    assert (row.address, row.channel, row.reason) == (PAT, "email", "complaint")


def test_a_report_that_no_person_made_ends_nothing(house: House, now: datetime) -> None:
    sent(house, now)
    returned(house, now, spf("people.example"), COMPLAINT.replace("Type: abuse", "Type: auth-failure"))
    assert rows(Suppression) == []


def test_apples_program_asks_for_the_end_in_the_persons_name(house: House, now: datetime) -> None:
    headers = {"Auto-Submitted": "auto-replied", "X-Apple-Unsubscribe": "true"}
    mail(house.email, now, PAT, "Apple Mail sent this email to unsubscribe.", headers=headers, Subject="unsubscribe")
    apply_all(now)
    (row,) = rows(Suppression)
    assert (row.address, row.channel, row.reason) == (PAT, "email", "opted_out")


def test_a_report_of_html_alone_is_read(house: House, now: datetime) -> None:
    message = sent(house, now)
    html = f"<p>Delivery has failed to:</p><p>{PAT}</p><p>550 5.1.1 user unknown</p>"
    fields = {"Subject": "Undeliverable", "HtmlBody": html, "headers": marked(message)}
    mail(house.email, now, "postmaster@relay.example", "", **fields)
    apply_all(now)
    assert gone(house)


def test_what_a_machine_wrote_below_an_answer_does_not_make_the_answer_a_machines(house: House, now: datetime) -> None:
    body = "Thanks, Monday suits.\n\nOn 1 May 2026, Acme <hello@acme.example> wrote:\n> Do not reply to this email.\n"
    mail(house.email, now, PAT, body, Subject="roof")
    apply_all(now)
    assert [each.outcome for each in rows(Interaction, direction="inbound")] == ["replied"]


@pytest.mark.parametrize("where", ["headers", "text"])
def test_our_mark_is_found_beside_those_that_other_servers_write(house: House, now: datetime, where: str) -> None:
    message = sent(house, now)
    ours, theirs = f"<{message.public_id}@acme.example>", f"<{uuid4()}@mail.example>"
    if where == "headers":
        returned(house, now, MACHINE | {"In-Reply-To": theirs, "References": f"{theirs} {ours}"})
    else:
        lines = f"X-Correlation-Id: {uuid4()}\nMessage-ID: {ours}\n"
        returned(house, now, MACHINE, f"{delivery_status_text(PAT)}\n\nOriginal message headers:\n{lines}")
    message.refresh_from_db()
    assert (gone(house), message.state) == (True, "undelivered")


def test_another_servers_mark_does_not_keep_the_recipients_own_server_from_being_believed(
    house: House, now: datetime
) -> None:
    sent(house, now)
    returned(house, now, spf("people.example"), f"Queue-Id: {uuid4()}\n{delivery_status_text(PAT)}")
    assert gone(house)
