"""Bounces: an address that is wrong for good is told from a full mailbox, a delay, a block and a complaint."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequences.bounces import Bounce, classify, parse

DATA = Path(__file__).parents[3] / "shared" / "data" / "bounces"

REPORT = """From: MAILER-DAEMON@mx.example
To: us@omnify.example
Subject: {subject}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ann@x.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--b
Content-Type: message/rfc822

From: us@omnify.example
To: ann@x.example
Subject: 550 5.1.1 user unknown

--b--
"""


def _report(
    action: str = "failed", status: str = "5.0.0", diagnostic: str = "550 failed", subject: str = "Undelivered"
) -> bytes:
    return REPORT.format(action=action, status=status, diagnostic=diagnostic, subject=subject).encode()


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "kind"),
    [
        ("failed", "5.1.1", "550 5.1.1 <ann@x.example> User unknown", "hard"),
        ("failed", "5.0.0", "550 no such user here", "hard"),
        ("failed", "5.1.2", "host not found", "hard"),
        ("failed", "5.2.2", "552 5.2.2 mailbox full", "soft"),
        ("failed", "4.2.2", "452 over quota", "soft"),
        ("failed", "5.7.1", "554 5.7.1 blocked by policy", "soft"),
        ("delayed", "4.4.1", "connection timed out", "soft"),
        ("failed", "5.1.1", "greylisted, try again later", "soft"),
        ("failed", "5.4.1", "550 5.4.1 Recipient address rejected: Access denied", "hard"),
        ("failed", "5.0.0", "554 the domain is not reachable", "hard"),
        ("failed", "5.0.0", "550 Requested action not taken: mailbox unavailable", "hard"),
        ("failed (no such mailbox)", "5.0.0", "unknown", "hard"),
        ("failed", "4.1.1", "450 4.1.1 user unknown in local recipient table", "hard"),
        ("failed", "4.4.3", "host not found, try again", "soft"),
        ("failed", "5.1.8", "553 5.1.8 sender's domain does not exist", "soft"),
        ("failed", "5.7.1", "550 Sender address rejected: domain not found", "soft"),
        ("failed", "5.1.0", "554 blocked using a list, see unknown host", "soft"),
        ("failed", "5.2.1", "550 this account has been disabled", "soft"),
        ("failed", "5.0.0", "550 Benutzer unbekannt", "hard"),
        ("failed", "5.0.0", "550 el usuario no existe", "hard"),
        ("failed", "5.0.0", "552 boite du destinataire pleine", "soft"),
        ("relayed", "2.0.0", "250 ok", "delivered"),
        ("expanded (to a list)", "2.0.0", "250 ok", "delivered"),
        ("delivered", "2.0.0", "250 ok", "delivered"),
    ],
)
def test_a_delivery_report_is_read_from_its_fields(action: str, status: str, diagnostic: str, kind: str) -> None:
    (bounce,) = parse(_report(action, status, diagnostic))
    assert (bounce.recipient, bounce.status, bounce.kind) == ("ann@x.example", status, kind)
    assert diagnostic in bounce.diagnostic


def test_the_returned_mail_does_not_testify() -> None:
    (bounce,) = parse(_report("failed", "5.2.2", "552 mailbox full"))
    assert bounce.kind == "soft"


def test_a_report_in_plain_sentences_is_understood() -> None:
    mail = (
        b"From: MAILER-DAEMON@mx.example\nTo: us@omnify.example\nSubject: failure notice\n\n"
        b"I could not deliver your message.\n\n<ann@x.example>:\n192.0.2.1 said: 550 5.1.1 unknown user (#5.1.1)\n\n"
        b"--- Below this line is a copy of the message.\n\nTo: bob@y.example\n\nmailbox full\n"
    )
    assert [(b.recipient, b.status, b.kind) for b in parse(mail)] == [("ann@x.example", "5.1.1", "hard")]


def test_a_complaint_names_everyone_it_concerns() -> None:
    mail = (
        b"From: fbl@isp.example\nSubject: complaint\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        b"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: ann@x.example\n"
        b"Original-Rcpt-To: bob@x.example\n\n--b--\n"
    )
    assert [(b.recipient, b.kind) for b in parse(mail)] == [
        ("ann@x.example", "complaint"),
        ("bob@x.example", "complaint"),
    ]


@pytest.mark.parametrize(
    ("mail", "recipient", "kind"),
    [
        (b"From: ann@x.example\nSubject: Re: roof\n\nSounds good, 550 dollars is fine.", "", "none"),
        (b"From: ann@x.example\nSubject: Re: delivery\n\nThe tiles were not delivered. Ask bob@x.example.", "", "none"),
        (b"From: ann@x.example\nSubject: tiles not delivered\n\nAsk bob@x.example.", "", "none"),
        (b"From: ann@x.example\nSubject: Fwd: Undelivered Mail\n\nI got this back: 550 5.1.1 unknown user", "", "none"),
        (b"From: shop@x.example\nSubject: Free delivery\nPrecedence: bulk\n\nWrite to help@x.example.", "", "none"),
        (
            b"From: ann@x.example\nSubject: Read: roof\nContent-Type: multipart/report; report-type=disposition-notification\n\nread",
            "",
            "none",
        ),
        (b"From: ann@x.example\nSubject: Away\nAuto-Submitted: auto-replied\n\nMonday.", "ann@x.example", "auto_reply"),
        (
            b"Return-Path: <>\nFrom: Ann <ann@x.example>\nSubject: Out of Office: roof\n\nhm",
            "ann@x.example",
            "auto_reply",
        ),
        (b"", "", "none"),
    ],
)
def test_a_mail_that_reports_on_nobody_is_no_bounce(mail: bytes, recipient: str, kind: str) -> None:
    assert parse(mail) == (Bounce(recipient, "", "", kind),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "disposition", "found"),
    [
        (b"Your message was automatically rejected:\nQuota exceeded", b"deleted", ("ann@x.example", "soft")),
        (b"Your message was refused: ann no longer works here", b"deleted", ("ann@x.example", "hard")),
        (b"Your message was deleted without being read.", b"deleted", ("", "none")),
        (b"Your message was displayed. My last one was rejected.", b"displayed", ("", "none")),
    ],
)
def test_a_receipt_is_a_bounce_only_where_a_filter_refused_the_mail(
    said: bytes, disposition: bytes, found: tuple[str, str]
) -> None:
    mail = (
        b"From: postmaster@x.example\nSubject: Automatically rejected mail\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\n\n--b\n\n'
        + said
        + b"\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; ann@x.example\n"
        + b"Disposition: automatic-action/MDN-sent-automatically; "
        + disposition
        + b"\n\n--b--\n"
    )
    assert [(each.recipient, each.kind) for each in parse(mail)] == [found]


def test_an_address_that_was_only_probed_counts_as_reached() -> None:
    assert classify("2.1.5", "smtp; 250 2.1.5 Ok", "deliverable") == "delivered"


def test_a_status_alone_decides_when_there_are_no_words() -> None:
    assert [classify(status, "") for status in ("5.1.1", "5.1.10", "5.2.2", "4.0.0", "5.7.26", "2.0.0", "")] == [
        "hard",
        "hard",
        "soft",
        "soft",
        "soft",
        "delivered",
        "soft",
    ]


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        ({"notificationType": "Delivery", "delivery": {"recipients": ["ann@x.example"], "smtpResponse": "250 2.6.0 ok"}}, ["delivered"]),
        ({"notificationType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [
            {"emailAddress": "ann@x.example", "status": "5.1.1", "diagnosticCode": "smtp; 550 unknown user"}]}}, ["hard"]),
        ({"notificationType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": "ann@x.example"}, 7]}}, ["complaint"]),
        ({"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ann@x.example"}]}}, ["hard"]),
        ({"eventType": "Bounce", "bounce": {"bounceType": "Transient", "bouncedRecipients": [{"emailAddress": "ann@x.example"}]}}, ["soft"]),
        ({"Type": "Notification", "Message": '{"notificationType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": "ann@x.example"}]}}'},
         ["complaint"]),
        ({"notificationType": "Bounce", "bounce": {"bouncedRecipients": 7}}, ["auto_reply"]),
    ],
)  # fmt: skip
def test_amazons_notifications_are_read(told: dict, kinds: list[str]) -> None:
    mail = b"From: mailer-daemon@x.example\nSubject: Delivery Notification\n\n" + json.dumps(told).encode()
    assert [bounce.kind for bounce in parse(mail)] == kinds


@given(st.binary(max_size=400))
def test_any_bytes_give_an_answer(raw: bytes) -> None:
    assert all(isinstance(bounce, Bounce) for bounce in parse(raw))
    assert parse(_report()[:200] + raw)


@pytest.mark.parametrize("piece", [b"a@", b"a@b.c ", b"5.1.1 ", b"<", b"user ", b"{", b"--b\n", b"a.", b"\n"])
def test_a_hostile_report_costs_little(piece: bytes) -> None:
    raw = b"From: mailer-daemon@x.example\nSubject: undelivered\n\n" + piece * 300_000
    started = time.perf_counter()
    assert parse(raw[:1_000_000])
    assert time.perf_counter() - started < 3


def test_a_subject_whose_encoding_is_broken_does_not_keep_a_report_from_being_read() -> None:
    (bounce,) = parse(_report(status="5.1.1", diagnostic="550 user unknown", subject="=?utf-8?b?x?="))
    assert (bounce.recipient, bounce.kind) == ("ann@x.example", "hard")


@pytest.mark.conformance
@pytest.mark.skipif(not DATA.exists(), reason="the shared cases are not on this machine")
def test_the_published_bounces_are_read_as_labelled() -> None:
    listed = json.loads((DATA / "dev.json").read_text())
    cases = next(value for value in listed.values() if isinstance(value, list))
    total, wrong = 0, []
    for case in cases:
        seen = {bounce.recipient.lower(): bounce.kind for bounce in parse((DATA / "dev" / case["file"]).read_bytes())}
        for expected in case["expected"]:
            total += 1
            kind, wanted = seen.get(expected["recipient"].lower()), expected["assert"]
            good = kind is not None and (
                wanted == "either" or (wanted == "not_hard" and kind != "hard") or kind == wanted
            )
            if not good:
                wrong.append((case["file"], wanted, kind))
    print(f"bounces: {total - len(wrong)}/{total}")
    assert wrong == []
