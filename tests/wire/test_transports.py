"""What each transport puts on the wire, read back from what the simulated provider accepted."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from sequences.delivery import deliver
from sequences.models import Sender
from sequences.unsubscribe import read, token_for
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)


def accepted(wire: Wire, message: Any) -> dict[str, Any]:
    [record] = wire.simulator.ledger(record="accepted", mark=str(message.public_id))
    return record["resource"]


def test_a_text_carries_our_mark_in_its_callback_and_may_not_arrive_after_the_window(wire: Wire) -> None:
    message = wire.ready()
    deliver(wire.claim(), wire.at())
    found = accepted(wire, message)
    key = wire.senders["sms"].webhook_key
    assert found["callback"] == f"http://127.0.0.1:9/hooks/twilio/{key}/status/{message.public_id}"
    assert found["validity_s"] == 4 * 3600  # its expiry; the window is open for longer
    assert found["body"] == message.body
    late = wire.now.replace(hour=1, minute=30) + (wire.now - wire.now.replace(hour=16)) + timedelta(days=1)
    second = wire.ready(not_before=late, expires_at=late + timedelta(hours=4))
    deliver(wire.claim(now=late), wire.at(late))
    assert accepted(wire, second)["validity_s"] == 29 * 60  # 20:30 in New York: until 20:59


def test_a_call_carries_our_mark_as_its_name_and_says_first_what_it_must(wire: Wire) -> None:
    message = wire.ready("voice", body="Hi Pat, it is about your request.\n\nAsk when they have time.")
    deliver(wire.claim("voice"), wire.at())
    request = accepted(wire, message)["request"]
    overrides = request["assistantOverrides"]
    key = wire.senders["voice"].webhook_key
    assert request["name"] == str(message.public_id)
    assert (request["phoneNumberId"], request["assistantId"]) == ("phone-1", "assistant-1")
    assert overrides["server"]["url"] == f"http://127.0.0.1:9/hooks/vapi/{key}/{message.public_id}"
    assert overrides["server"]["headers"] == {"X-Vapi-Secret": "hook-acme"}
    assert overrides["firstMessage"].startswith("This is an AI assistant calling for Acme.")
    assert overrides["firstMessage"].endswith("Hi Pat, it is about your request.")
    assert "Ask when they have time." in overrides["variableValues"]["instructions"]
    assert set(overrides["serverMessages"]) == {"status-update", "end-of-call-report"}


def test_an_answer_about_a_call_is_not_read_by_thousands_of_types(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK builds pydantic's validators anew for each answer that repeats our overrides: half a second of CPU a call."""
    from vapi.core import pydantic_utilities

    from sequences.transports import transport_for

    transport_for("vapi").warm()  # it is only so thorough once all of its types are loaded
    built: list[Any] = []
    original = pydantic_utilities.pydantic.TypeAdapter
    monkeypatch.setattr(
        pydantic_utilities.pydantic, "TypeAdapter", lambda *args, **more: built.append(args) or original(*args, **more)
    )
    message = wire.ready("voice", body="Hi Pat.\n\nAsk when they have time.")
    assert deliver(wire.claim("voice"), wire.at()) == "accepted"
    assert refreshed(message).provider_id
    assert built == []


@pytest.mark.parametrize("provider", ["smtp", "postmark"])
def test_a_mail_has_our_message_id_one_click_unsubscribe_and_the_footer(wire: Wire, provider: str) -> None:
    sender = Sender.objects.all_tenants().get(pk=wire.senders["email"].pk)
    sender.provider = provider
    sender.set_credentials({"server_token": "postmark-acme"})
    sender.save()
    message = wire.ready("email", subject="Hello\nBcc: everybody@example.com")
    deliver(wire.claim("email"), wire.at())
    [mail] = wire.received(message)
    link = f"http://127.0.0.1:9/u/{token_for(message)}"
    assert mail["message_id"] == f"<{message.public_id}@acme.example>"
    assert mail["list_unsubscribe"].strip() == f"<{link}>"
    assert mail["subject"] == "Hello Bcc: everybody@example.com"
    for part in ("body", "html"):
        assert "1 Main St, Springfield" in mail[part]
        assert link in mail[part]
    headers = {name.lower(): value for name, value in accepted(wire, message)["headers"].items()}
    assert headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    if provider == "smtp":
        assert headers["from"] == "Acme <hello@acme.example>"


def test_a_members_own_mail_has_no_unsubscribe_footer(wire: Wire) -> None:
    message = wire.ready("email", purpose="reply")
    deliver(wire.claim("email"), wire.at())
    [mail] = wire.received(message)
    assert (mail["list_unsubscribe"], "Unsubscribe" in mail["body"]) == ("", False)


def test_markup_in_a_mails_text_stays_text(wire: Wire) -> None:
    message = wire.ready("email", body="<script>alert(1)</script> & more")
    deliver(wire.claim("email"), wire.at())
    [mail] = wire.received(message)
    assert "<script>" not in mail["html"]
    assert "&lt;script&gt;" in mail["html"]


def test_an_address_no_mail_can_carry_is_refused_not_unknown(wire: Wire) -> None:
    message = wire.ready("email", to_address="pat@people.example\r\nBcc: all@example.com")
    assert deliver(wire.claim("email"), wire.at()) == "rejected"
    assert refreshed(message).error_code == "unsendable"


def test_postmarks_refusal_of_an_inactive_mailbox_is_for_good(wire: Wire) -> None:
    sender = Sender.objects.all_tenants().get(pk=wire.senders["email"].pk)
    sender.provider = "postmark"
    sender.set_credentials({"server_token": "postmark-acme"})
    sender.save()
    message = wire.ready("email")
    wire.simulator.faults([{"match": {"to": message.to_address}, "do": {"refuse": 406}}])
    assert deliver(wire.claim("email"), wire.at()) == "rejected"
    assert (refreshed(message).error_code, refreshed(message).failure_type) == ("406", "email_bounced")


def test_a_token_names_its_message_and_nobody_can_make_one_up(wire: Wire) -> None:
    message = wire.ready("email")
    token = token_for(message)
    assert read(token) == (wire.tenant_id, message.public_id)
    for forged in (token[:-1], token + "x", "", "a:b", token.replace(token[0], "A", 1) if token[0] != "A" else "B"):
        assert read(forged) is None


def test_a_mail_that_reached_the_server_in_part_was_not_accepted() -> None:
    """The final dot is the border: watched on the connection itself."""
    from sequences.transports.smtp import _Plain

    class Socket:
        def __init__(self, breaks: bool) -> None:
            self.breaks = breaks

        def sendall(self, data: bytes) -> None:
            if self.breaks:
                raise ConnectionResetError

        def close(self) -> None:
            self.closed = True

    for breaks in (True, False):
        connection = _Plain()
        connection.sock = Socket(breaks)  # type: ignore[assignment]
        connection._in_data = True
        with pytest.raises(OSError) if breaks else nullcontext():
            connection.send(b"Subject: x\r\n\r\nHello\r\n.\r\n")
        assert connection.dot_left is (not breaks)
