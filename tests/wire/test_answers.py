"""What a provider's answer proves: its own words refuse a message, a stranger's on the way say nothing about it."""

import json
import smtplib
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from sequences.transports import smtp, twilio
from sequences.transports.base import Busy, Outbound, Receipt, Refused, Uncertain


def outbound(channel: str = "sms", to: str = "+12125550100", **fields: Any) -> Outbound:
    given: dict[str, Any] = {
        "mark": "0192f6d4-0000-7000-8000-000000000001", "channel": channel, "to": to, "sender": "+15005550006",
        "config": {"account_sid": "AC0", "host": "mail.example.com"}, "credentials": {"auth_token": "t"}, "text": "Hello",
        "callback_base": "https://here.example/hooks", "valid_for": 3600,
    }  # fmt: skip
    return Outbound(**given | fields)


class Wired:
    """In the place of Twilio's HTTP client: one answer to everything."""

    timeout = None

    def __init__(self, status: int, body: str) -> None:
        self.answer = SimpleNamespace(status_code=status, text=body, headers={})

    def request(self, *args: Any, **options: Any) -> Any:
        return self.answer


def texted(monkeypatch: pytest.MonkeyPatch, status: int, body: str) -> Receipt | Exception:
    monkeypatch.setattr(twilio, "_http", lambda base_url: Wired(status, body))
    try:
        return twilio.send(outbound())
    except (Refused, Busy, Uncertain) as error:
        return error


@pytest.mark.parametrize("status", [400, 403, 407, 408, 413, 429, 499])
@pytest.mark.parametrize("body", ["<html>Request blocked</html>", "", "{}", '{"message": "no"}', "[]", '"no"'])
def test_a_4xx_without_twilios_own_code_proves_nothing(monkeypatch: pytest.MonkeyPatch, status: int, body: str) -> None:
    """The SDK puts the HTTP status where Twilio's code is missing: a proxy's page must not be read as Twilio's word."""
    assert isinstance(texted(monkeypatch, status, body), Uncertain)


def test_twilios_own_code_refuses_in_either_form_of_its_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    old = {"code": 21610, "message": "Unsubscribed recipient", "status": 400, "more_info": "https://…"}
    new = {"type": "https://…/21610", "title": "Unsubscribed recipient", "status": 400, "code": 21610}
    for body in (old, new, {**new, "detail": "They said STOP."}):
        found = texted(monkeypatch, 400, json.dumps(body))
        assert isinstance(found, Refused)
        assert (found.code, found.failure_type, found.permanent) == ("21610", "opted_out", True)
    busy = {"type": "https://…/20429", "title": "Too many requests", "status": 429, "code": 20429}
    assert isinstance(texted(monkeypatch, 429, json.dumps(busy)), Busy)
    broken = {"type": "https://…/20500", "title": "Internal", "status": 500, "code": 20500}
    assert isinstance(texted(monkeypatch, 500, json.dumps(broken)), Uncertain)


class Server:
    """In the place of a mail server: it says one thing, at one moment."""

    def __init__(self, error: Exception, dot_left: bool = False) -> None:
        self.error, self.connection = error, SimpleNamespace(dot_left=dot_left)

    def open(self) -> None:
        """It answers."""

    def close(self) -> None:
        """It hangs up."""

    def send_messages(self, mails: Any) -> None:
        raise self.error


def mailed(monkeypatch: pytest.MonkeyPatch, error: Exception, *, dot_left: bool = False) -> Exception:
    monkeypatch.setattr(smtp, "_backend", lambda outbound: Server(error, dot_left))
    with pytest.raises((Refused, Busy, Uncertain)) as caught:
        smtp.send(outbound("email", "pat@people.example", sender="hello@acme.example"))
    return caught.value


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (553, b"sorry, that address may not send here"),
        (550, b"Sender verify failed"),
        (550, b"5.1.0 <hello@acme.example> sender rejected"),
        (550, b"5.1.1 <hello@acme.example>: user unknown"),
        (501, b"bad address syntax"),
    ],
)
def test_a_sender_that_a_server_refuses_says_nothing_about_whom_it_wrote_to(
    monkeypatch: pytest.MonkeyPatch, code: int, text: bytes
) -> None:
    found = mailed(monkeypatch, smtplib.SMTPSenderRefused(code, text, "hello@acme.example"))
    assert isinstance(found, Refused)
    assert (found.failure_type, found.permanent) == ("email_failed", False)
    assert found.pause_sender is (code != 501)  # what waits does so until somebody has looked at the sender


def test_a_server_without_room_is_busy_and_a_mailbox_without_room_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    full = b"4.3.1 Insufficient system storage"
    assert isinstance(mailed(monkeypatch, smtplib.SMTPSenderRefused(452, full, "hello@acme.example")), Busy)
    quota = smtplib.SMTPRecipientsRefused({"pat@people.example": (452, b"4.2.2 Mailbox full")})
    found = mailed(monkeypatch, quota)
    assert isinstance(found, Refused)
    assert (found.failure_type, found.permanent) == ("email_bounced", False)


@pytest.mark.parametrize("text", [b"High probability of spam", b"Message rejected", b"Administrative prohibition"])
def test_a_mail_that_is_refused_for_what_it_says_leaves_the_mailbox_as_it_is(
    monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    found = mailed(monkeypatch, smtplib.SMTPDataError(550, text), dot_left=True)
    assert isinstance(found, Refused)
    assert (found.failure_type, found.permanent) == ("email_failed", False)


def test_a_mailbox_that_is_gone_may_also_be_told_after_the_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (b"5.1.1 no such mailbox", b"No such user here"):
        found = mailed(monkeypatch, smtplib.SMTPDataError(550, text), dot_left=True)
        assert isinstance(found, Refused)
        assert (found.failure_type, found.permanent) == ("email_bounced", True)


@pytest.mark.parametrize(
    "text",
    [
        b"4.1.1 <pat@people.example>: unverified address: Address verification in progress",
        b"4.2.0 Greylisted, come back in five minutes",
        b"4.2.1 This mailbox gets mail too quickly, resend later",
        b"4.3.1 Mail system full",
        b"try again",
    ],
)
def test_what_a_server_only_puts_off_is_tried_again(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    for code in (450, 451, 452):
        assert isinstance(
            mailed(monkeypatch, smtplib.SMTPRecipientsRefused({"pat@people.example": (code, text)})), Busy
        )


@pytest.mark.parametrize("text", [b"relaying denied", b"Blocked by our blacklist", b"rejected by policy"])
def test_a_recipient_refused_for_where_the_mail_comes_from_is_not_gone(
    monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    found = mailed(monkeypatch, smtplib.SMTPRecipientsRefused({"pat@people.example": (550, text)}))
    assert isinstance(found, Refused)
    assert not found.permanent


@pytest.mark.parametrize(("errno", "found"), [(socket.EAI_AGAIN, Busy), (socket.EAI_NONAME, Refused)])
def test_a_name_server_that_does_not_answer_is_no_fault_of_the_sender(
    monkeypatch: pytest.MonkeyPatch, errno: int, found: type[Exception]
) -> None:
    def lookup(*given: Any, **options: Any) -> Any:
        raise socket.gaierror(errno, "…")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(found):
        smtp.send(outbound("email", "pat@people.example", sender="hello@acme.example"))
