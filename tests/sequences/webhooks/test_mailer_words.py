"""What SendGrid and Amazon SES tell, read: every event means what the table of their words says, and every mail is whole."""

import base64
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from sequences.codes import mail as codes
from sequences.models import Sender
from sequences.signals import (
    Bounced,
    Clicked,
    Complained,
    MailReceived,
    Opened,
    OptedOutAtProvider,
    StatusChanged,
)
from sequences.webhooks import sendgrid, ses
from sequences.webhooks.base import Request
from sequences.webhooks.multipart import fields_of
from tests.sequences.webhooks.mailers import (
    DELIVERED,
    parsed_mail,
    ses_event,
)
from tests.sequences.webhooks.requests import MARK, events, knock

PAT = "pat@people.example"
database = pytest.mark.django_db(transaction=True)


SENDGRID: list[tuple[dict[str, Any], list[Any]]] = [
    ({"event": "processed"}, [StatusChanged(MARK, "msg-1", "accepted")]),
    ({"event": "deferred", "response": "451"}, [StatusChanged(MARK, "msg-1", "deferred")]),
    ({"event": "delivered"}, [StatusChanged(MARK, "msg-1", "delivered")]),
    (
        {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 no"},
        [Bounced(MARK, "msg-1", PAT, "bounce", True, "5.1.1", "550 no")],
    ),
    (
        {"event": "bounce", "type": "blocked", "status": "5.7.1", "reason": "spam"},
        [Bounced(MARK, "msg-1", PAT, "blocked", False, "5.7.1", "spam")],
    ),
    (
        {"event": "dropped", "reason": "Unsubscribed Address"},
        [
            Bounced(MARK, "msg-1", PAT, "dropped: Unsubscribed Address", False, "", "Unsubscribed Address"),
            OptedOutAtProvider(PAT, "email", "Unsubscribed Address"),
        ],
    ),
    (
        {"event": "dropped", "reason": "Bounced Address"},
        [Bounced(MARK, "msg-1", PAT, "dropped: Bounced Address", True, "", "Bounced Address")],
    ),
    (
        {"event": "dropped", "reason": "Spam Reporting Address"},
        [
            Bounced(MARK, "msg-1", PAT, "dropped: Spam Reporting Address", False, "", "Spam Reporting Address"),
            Complained("", "", PAT),
        ],
    ),
    ({"event": "dropped", "reason": "Invalid"}, [Bounced(MARK, "msg-1", PAT, "dropped: Invalid", True, "", "Invalid")]),
    (
        {"event": "dropped", "reason": "Invalid SMTPAPI header"},
        [Bounced(MARK, "msg-1", PAT, "dropped", False, "", "Invalid SMTPAPI header")],
    ),
    ({"event": "spamreport"}, [Complained(MARK, "msg-1", PAT)]),
    ({"event": "unsubscribe"}, [OptedOutAtProvider(PAT, "email", "unsubscribe")]),
    ({"event": "group_unsubscribe", "asm_group_id": 1}, [OptedOutAtProvider(PAT, "email", "group_unsubscribe")]),
    ({"event": "group_resubscribe", "asm_group_id": 1}, []),
    ({"event": "open"}, [Opened(MARK, "msg-1", datetime.fromtimestamp(1_790_000_000, UTC))]),
    ({"event": "open", "sg_machine_open": True}, []),
    ({"event": "click", "url": "x"}, [Clicked(MARK, "msg-1", datetime.fromtimestamp(1_790_000_000, UTC))]),
    ({"event": "levitated"}, []),
]


@pytest.mark.parametrize(("event", "signals"), SENDGRID)
def test_every_event_of_sendgrid_means_what_it_says(event: dict[str, Any], signals: list[Any]) -> None:
    body = json.dumps(DELIVERED | event)
    request = Request("", "events", "", {}, body.encode())
    identity = sendgrid.identify(request)
    assert (identity.kind, identity.event_key, identity.mark) == ("mail", "ev-1", MARK)
    assert sendgrid.parse("mail", body, identity.mark) == signals


def bounce(kind: str, subtype: str, status: str = "5.1.1") -> dict[str, Any]:
    people = [{"emailAddress": f"Pat <{PAT}>", "status": status, "diagnosticCode": "smtp; no"}]
    return ses_event("Bounce", bounceType=kind, bounceSubType=subtype, bouncedRecipients=people)


def came_back(kind: str, *, hard: bool, status: str = "5.1.1") -> Bounced:
    return Bounced(MARK, "ses-1", PAT, kind, hard, status, "smtp; no")


def complaint(**fields: Any) -> dict[str, Any]:
    return ses_event("Complaint", complainedRecipients=[{"emailAddress": PAT}], **fields)


SES: list[tuple[dict[str, Any], list[Any]]] = [
    (ses_event("Send"), [StatusChanged(MARK, "ses-1", "accepted")]),
    (ses_event("Delivery", recipients=[PAT]), [StatusChanged(MARK, "ses-1", "delivered")]),
    (ses_event("DeliveryDelay", delayType="MailboxFull"), [StatusChanged(MARK, "ses-1", "deferred")]),
    (bounce("Permanent", "General"), [came_back("Permanent/General", hard=True)]),
    (bounce("Permanent", "NoEmail"), [came_back("Permanent/NoEmail", hard=True)]),
    (
        bounce("Permanent", "OnAccountSuppressionList"),
        [came_back("Permanent/OnAccountSuppressionList", hard=True)],
    ),
    (
        bounce("Permanent", "UnsubscribedRecipient"),
        [
            came_back("Permanent/UnsubscribedRecipient", hard=True),
            OptedOutAtProvider(PAT, "email", "Permanent/UnsubscribedRecipient"),
        ],
    ),
    (bounce("Transient", "MailboxFull", "4.2.2"), [came_back("Transient/MailboxFull", hard=False, status="4.2.2")]),
    (complaint(complaintFeedbackType="abuse"), [Complained(MARK, "ses-1", PAT)]),
    (complaint(), [Complained(MARK, "ses-1", PAT)]),
    (complaint(complaintFeedbackType="not-spam"), []),
    (complaint(complaintFeedbackType="auth-failure"), []),
    (
        complaint(complaintSubType="OnAccountSuppressionList"),
        [
            Bounced(
                MARK,
                "ses-1",
                PAT,
                "Permanent/OnAccountSuppressionList",
                False,
                "Permanent/OnAccountSuppressionList",
            ),
            Complained("", "", PAT),
        ],
    ),
    (ses_event("Reject", reason="Bad content"), [Bounced(MARK, "ses-1", "", "Reject", False, "Reject", "Bad content")]),
    (
        ses_event("Open", timestamp="2026-03-01T10:00:00Z"),
        [Opened(MARK, "ses-1", datetime(2026, 3, 1, 10, tzinfo=UTC))],
    ),
    (
        ses_event("Click", timestamp="2026-03-01T10:00:00Z"),
        [Clicked(MARK, "ses-1", datetime(2026, 3, 1, 10, tzinfo=UTC))],
    ),
    (
        ses_event("Subscription", newTopicPreferences={"unsubscribeAll": True}),
        [OptedOutAtProvider(PAT, "email", "unsubscribed")],
    ),
    (
        ses_event("Subscription", newTopicPreferences={"topicSubscriptionStatus": [{"subscriptionStatus": "OptIn"}]}),
        [],
    ),
    (ses_event("Levitation"), []),
]


@pytest.mark.parametrize(("event", "signals"), SES)
def test_every_event_of_amazon_means_what_it_says(event: dict[str, Any], signals: list[Any]) -> None:
    body = json.dumps({"Type": "Notification", "MessageId": "sns-1", "Message": json.dumps(event)})
    identity = ses.identify(Request("", "sns", "", {}, body.encode()))
    assert (identity.kind, identity.event_key, identity.mark) == ("mail", "Notification:sns-1", MARK)
    assert ses.parse("mail", body, identity.mark) == signals


@pytest.mark.parametrize(
    ("kind", "hard", "code", "text", "verdict"),
    [
        ("bounce", True, "5.1.1", "", codes.HARD),
        ("blocked", False, "5.7.1", "blocked", codes.SPAM),
        ("blocked", False, "5.1.1", "550 5.1.1 user unknown", codes.SPAM),  # never about the mailbox
        ("blocked", False, "4.2.2", "mailbox full", codes.SOFT),
        ("blocked", False, "4.7.0", "try later", codes.SOFT),
        ("dropped: Bounced Address", True, "", "", codes.HARD),
        ("dropped: Unsubscribed Address", False, "", "", codes.OPTED_OUT),
        ("dropped: Spam Reporting Address", False, "", "", codes.COMPLAINT),
        ("dropped", False, "", "", codes.OURS),
        ("Permanent/General", True, "", "", codes.HARD),
        ("Permanent/OnAccountSuppressionList", True, "", "", codes.LISTED),
        ("Permanent/SomethingNew", True, "", "", codes.HARD),
        ("Transient/MailboxFull", False, "", "", codes.SOFT),
        ("Transient/ContentRejected", False, "", "", codes.SPAM),
        ("Transient/SomethingNew", False, "", "", codes.SOFT),
        ("Undetermined/Undetermined", False, "", "", codes.SOFT),
        ("HardBounce", True, "", "", codes.HARD),
        ("SoftBounce", True, "", "", codes.HARD),
    ],
)
def test_what_a_bounce_means_is_a_table(kind: str, hard: bool, code: str, text: str, verdict: Any) -> None:
    assert codes.bounce(kind, hard, code, text) == verdict


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "null", '{"event":7}', '{"Message":7}', '{"Message":"{"}', "[[[" * 5000]
)
def test_what_makes_no_sense_is_refused_by_the_parser_and_nothing_worse(body: str) -> None:
    for module, kind in ((sendgrid, "mail"), (sendgrid, "inbound"), (ses, "mail"), (ses, "inbound")):
        with pytest.raises(ValueError):
            module.parse(kind, body, "")
    assert ses.parse("topic", body, "") == []


# --- mails to us ---


@database
def test_a_mail_by_inbound_parse_is_kept_in_each_fields_own_charset(grid: Sender) -> None:
    request = parsed_mail(grid, text="Schöne Grüße".encode("latin-1"), charsets='{"text":"iso-8859-1"}')
    assert knock(request, request) == [200, 200]
    [event] = events()
    assert (event.kind, event.provider) == ("inbound", "sendgrid")
    [mail] = sendgrid.parse(event.kind, event.body, event.mark)
    assert isinstance(mail, MailReceived)
    assert (mail.text, mail.sender, mail.name, mail.subject) == ("Schöne Grüße", PAT, "Pat Doe", "Re: hello")
    assert (mail.to, mail.header("Message-ID")) == ("hello@acme.example", "<m1@people.example>")


@database
def test_a_whole_mail_by_inbound_parse_or_amazon_is_read_the_same(grid: Sender, settings: Any) -> None:
    whole = EmailMessage()
    whole["From"], whole["To"], whole["Subject"] = "Pät <pat@people.example>", "hello@acme.example", "Grüße"
    whole["In-Reply-To"], whole["Received-SPF"] = f"<{MARK}@acme.example>", "pass helo=people.example"
    whole.set_content("Ja, gerne")
    whole.add_alternative("<p>Ja, gerne</p>", subtype="html")
    whole.add_attachment(b"x" * 1000, maintype="image", subtype="png", filename="a.png")
    assert knock(parsed_mail(grid, email=whole.as_bytes())) == [200]
    [event] = events()
    [one] = sendgrid.parse(event.kind, event.body, "")
    content = base64.b64encode(whole.as_bytes()).decode()
    told = {
        "notificationType": "Received",
        "mail": {"messageId": "in-1", "source": PAT},
        "receipt": {"recipients": ["hello@acme.example"], "action": {"encoding": "BASE64"}},
        "content": content,
    }
    body = json.dumps({"Type": "Notification", "MessageId": "sns-1", "Message": json.dumps(told)})
    identity = ses.identify(Request("", "sns", "", {}, body.encode()))
    assert (identity.kind, identity.event_key) == ("inbound", "Received:in-1")
    [two] = ses.parse("inbound", body, "")
    for mail in (one, two):
        assert isinstance(mail, MailReceived)
        assert (mail.text.strip(), mail.html.strip(), mail.subject) == ("Ja, gerne", "<p>Ja, gerne</p>", "Grüße")
        assert (mail.sender, mail.name, mail.header("In-Reply-To")) == (PAT, "Pät", f"<{MARK}@acme.example>")
        assert mail.header("Received-SPF") == ""  # a stranger may write that line


def test_a_mail_whose_text_amazon_did_not_pass_on_is_an_answer_all_the_same() -> None:
    heads = {"from": [f"Pat <{PAT}>"], "subject": "Re: hello"}
    lines = [{"name": "In-Reply-To", "value": f"<{MARK}@acme.example>"}, {"name": "bad\nname", "value": "x"}]
    told = {"notificationType": "Received", "mail": {"messageId": "in-1", "commonHeaders": heads, "headers": lines}}
    body = json.dumps({"Type": "Notification", "MessageId": "sns-1", "Message": json.dumps(told)})
    [mail] = ses.parse("inbound", body, "")
    assert isinstance(mail, MailReceived)
    assert (mail.sender, mail.subject, mail.text) == (PAT, "Re: hello", ses.TOO_LARGE)
    assert mail.headers == (("In-Reply-To", f"<{MARK}@acme.example>"),)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 600 + b"--x--",
        ),
    ],
)
def test_a_form_that_is_none_is_no_form(kind: str, body: bytes) -> None:
    with pytest.raises(ValueError):
        fields_of(kind, body)


def test_a_forms_values_are_what_was_sent_and_of_files_nothing_is_kept() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n\r\n--y\r\n'
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.png"\r\n\r\nbytes\r\n'
        b'--x\r\nContent-Disposition: form-data; name="b"\r\n\r\n\r\n--x--\r\n'
    )
    assert fields_of("multipart/form-data; boundary=x", body) == {"a": b"1\r\n\r\n--y", "b": b""}
