"""Reports that only write sentences: whom each names, and what it says of each of them."""

import pytest

from sequences.bounces import parse
from sequences.webhooks.mime import received

SENT = "To: us@omnify.example\n"
CASES = {
    "one line each": (
        "From: mailer-daemon@mx.example\n" + SENT + "Subject: Delivery status notification: error\n\n"
        "Could not deliver to these:\n\nann@x.example: 550 5.2.2 mailbox full\nbob@x.example: 550 5.1.1 no such user\n",
        {"ann@x.example": "soft", "bob@x.example": "hard"},
    ),
    "an address and what follows": (
        "From: mailer-daemon@mx.example\n" + SENT + "Subject: failure notice\n\nI could not deliver it.\n\n"
        "<ann@x.example>:\nThis user doesn't have an account here.\n\n<bob@x.example>:\nThis account is disabled.\n",
        {"ann@x.example": "hard", "bob@x.example": "soft"},
    ),
    "a header names who failed": (
        "From: mailer-daemon@mx.example\n" + SENT + "X-Failed-Recipients: ann@x.example,\n bob@x.example\n"
        "Subject: Mail delivery failed\n\n  ann@x.example\n    after RCPT TO:<ann@x.example>: 550 user unknown\n"
        "  bob@x.example\n    mailbox is full: retry timeout exceeded\n",
        {"ann@x.example": "hard", "bob@x.example": "soft"},
    ),
    "at the end of a line": (
        "From: postmaster@mx.example\n" + SENT + "Subject: Undeliverable Mail\n\nUnknown user: ann@x.example\n",
        {"ann@x.example": "hard"},
    ),
    "not the field of the mail that came back": (
        "From: postmaster@mx.example\n" + SENT + "Subject: Undeliverable: roof\n\nYour message\n\n  To: list@y.example\n"
        "  Subject: roof\n\ndid not reach:\n\nann@x.example on Monday\n  The recipient name is not recognized\n",
        {"ann@x.example": "hard"},
    ),
    "the transcript of an old server": (
        "From: mailer-daemon@mx.example\n" + SENT + "Subject: Returned mail: Deferred\n\n>>> RCPT To:<ann@x.example>\n"
        "<<< 550 <ann@x.example>, User unknown\n421 mx.example: Deferred: connection timed out\n",
        {"ann@x.example": "hard"},
    ),
    "only the returned mail says who": (
        "From: mailer-daemon@mx.example\n" + SENT + "Subject: Returned mail: cannot send for 4 days\n\n"
        "421 mx.example: Deferred\n\n   ----- Unsent message follows -----\nFrom: us@omnify.example\nTo: ann@x.example\n",
        {"ann@x.example": "soft"},
    ),
    "fields written as text": (
        "From: amazonses.example\nTo: ann@x.example\nSubject: Undelivered Mail\n\nTechnical report:\n\n  Action: failed\n"
        "  Final-Recipient: rfc822; ann@x.example\n  Diagnostic-Code: smtp; 550 5.1.1 mailbox\n   not found\n  Status: 5.1.1\n",
        {"ann@x.example": "hard"},
    ),
    "the boundary got lost": (
        "From: post_master@x.example\n" + SENT + "Subject: Re:roof\nContent-Type: multipart/alternative\n\n--b\n\n"
        "Error: Invalid user address\n550 - no such user here\n\nMAIL FROM: us@omnify.example\nRCPT TO: ann@x.example\n",
        {"ann@x.example": "hard"},
    ),
    "an unattended address": (
        "From: no-reply@x.example\n" + SENT + "Subject: =?utf-8?b?44Oh44O844Or?=\n\n"
        "  Could not be delivered to: <ann@x.example>\n  As their mailbox is full.\n",
        {"ann@x.example": "soft"},
    ),
    "HTML alone": (
        "From: mailer-daemon@mx.example\n" + SENT + "Subject: Undeliverable\nContent-Type: text/html\n\n"
        "<style>p{color:red}</style><p>Delivery has failed to:</p><p>ann@x.example</p><p>The mailbox was not found.</p>",
        {"ann@x.example": "hard"},
    ),
    "somebody who wrote to themselves": (
        "From: mailer-daemon@mx.example\nTo: ann@x.example\nSubject: Mail delivery failed\n\nann@x.example:\n550 rejected as spam\n",
        {"ann@x.example": "soft"},
    ),
    "a version is no status": (
        "From: postmaster@mx.example\n" + SENT + "Subject: FAILED MAIL regarding version 2.3.0\n\n<ann@x.example> did not receive it\n",
        {"ann@x.example": "soft"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("mail", "expected"), CASES.values(), ids=CASES)
def test_sentences_are_read_for_each_recipient(mail: str, expected: dict[str, str]) -> None:
    assert {bounce.recipient: bounce.kind for bounce in parse(mail.encode())} == expected


FEEDBACK = (
    'From: fbl@isp.example\nSubject: FW: roof\nContent-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
    "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: {kind}\n{rest}\n"
    "--b\nContent-Type: message/rfc822\n\nFrom: us@omnify.example\nTo: Ann <ann@x.example>\n\nhi\n--b--\n"
)


@pytest.mark.parametrize(
    ("mail", "recipient", "kind"),
    [
        (FEEDBACK.format(kind="abuse", rest=""), "ann@x.example", "abuse"),
        (FEEDBACK.format(kind="opt-out", rest="Removal-Recipient: bob@x.example\n"), "bob@x.example", "opt-out"),
        (
            FEEDBACK.format(kind="auth-failure", rest="Original-Rcpt-To: bob@x.example\n"),
            "bob@x.example",
            "auth-failure",
        ),
        (
            "From: staff@mail.example\nSubject: complaint about message from 192.0.2.1\nContent-Type: multipart/mixed; boundary=b\n\n"
            "--b\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: ann@x.example\nFrom: us@omnify.example\n\nhi\n--b--\n",
            "ann@x.example",
            "abuse",
        ),
        (
            "From: ann@x.example\nSubject: unsubscribe\nAuto-Submitted: auto-replied\nX-Apple-Unsubscribe: true\n\nApple Mail sent this.",
            "ann@x.example",
            "opt-out",
        ),
    ],
)
def test_a_feedback_report_says_whose_and_of_what_type(mail: str, recipient: str, kind: str) -> None:
    assert [(each.recipient, each.diagnostic, each.kind) for each in parse(mail.encode())] == [
        (recipient, kind, "complaint")
    ]


def test_a_report_for_machines_is_passed_on_with_the_text_of_a_mail() -> None:
    mail = received(FEEDBACK.format(kind="abuse", rest="Original-Rcpt-To: ann@x.example\n").encode(), provider_id="1")
    assert "Feedback-Type: abuse" in mail.text
    assert "Original-Rcpt-To: ann@x.example" in mail.text
