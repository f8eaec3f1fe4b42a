"""Providers' bodies in our words: pure tables, and bodies that are not what they say they are."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequences.signals import (
    Bounced,
    CallEnded,
    CallProgress,
    Clicked,
    Complained,
    MailReceived,
    Opened,
    OptedInAtProvider,
    OptedOutAtProvider,
    StatusChanged,
    TextReceived,
)
from sequences.webhooks import mail, twilio, vapi
from sequences.webhooks.base import KEY_LENGTH, Request, event_key, mark_in

MARK = "0199c0de-0000-7000-8000-00000000000a"


def request(body: bytes, kind: str = "inbound", mark: str = "") -> Request:
    return Request("https://x.example/hooks", kind, mark, {}, body)


@pytest.mark.parametrize(
    ("kind", "form", "signals"),
    [
        ("status", {"MessageStatus": "sent"}, [StatusChanged(MARK, "SM1", "sent")]),
        (
            "status",
            {"MessageStatus": "failed", "ErrorCode": "21610", "To": "+1212"},
            [StatusChanged(MARK, "SM1", "failed", "21610"), OptedOutAtProvider("+1212", "sms", "21610")],
        ),
        (
            "inbound",
            {"From": "+1212", "To": "+1500", "Body": "hi", "NumMedia": "2"},
            [TextReceived("SM1", "+1212", "+1500", "hi", media=2)],
        ),
        (
            "inbound",
            {"From": "+1212", "Body": "Stop", "OptOutType": "STOP"},
            [TextReceived("SM1", "+1212", "", "Stop", "STOP"), OptedOutAtProvider("+1212", "sms", "STOP")],
        ),
        (
            "inbound",
            {"From": "+1212", "Body": "start", "OptOutType": "START", "NumMedia": "many"},
            [TextReceived("SM1", "+1212", "", "start", "START"), OptedInAtProvider("+1212", "sms")],
        ),
    ],
)
def test_twilio(kind: str, form: dict[str, str], signals: list[Any]) -> None:
    assert twilio.parse(kind, urlencode({"MessageSid": "SM1"} | form), MARK) == signals


@pytest.mark.parametrize(
    ("message", "signals"),
    [
        ({"type": "status-update", "status": "ringing"}, [CallProgress(MARK, "c-1", "ringing")]),
        (
            {"type": "status-update", "status": "ended", "endedReason": "customer-busy"},
            [CallEnded(MARK, "c-1", "customer-busy", complete=False)],
        ),
        ({"type": "conversation-update"}, []),
        ({"type": "end-of-call-report"}, [CallEnded(MARK, "c-1", "", complete=True)]),
        (
            {
                "type": "end-of-call-report",
                "endedReason": "customer-ended-call",
                "endedAt": "2026-11-18T16:00:30.000Z",
                "durationSeconds": 30.6,
                "transcript": "AI: Stop any time.\nUser: Sure.\nUser:  \n",
                "summary": "Agreed.",
            },
            [
                CallEnded(
                    MARK,
                    "c-1",
                    "customer-ended-call",
                    complete=True,
                    transcript="AI: Stop any time.\nUser: Sure.\nUser:  \n",
                    said=("Sure.",),
                    summary="Agreed.",
                    seconds=31,
                    ended_at=datetime(2026, 11, 18, 16, 0, 30, tzinfo=UTC),
                )
            ],
        ),
        (
            {
                "type": "end-of-call-report",
                "artifact": {"messages": [{"role": "bot", "message": "stop?"}, {"role": "user", "message": "yes"}, 7]},
                "durationSeconds": "soon",
                "endedAt": "yesterday",
            },
            [CallEnded(MARK, "c-1", "", complete=True, said=("yes",))],
        ),
    ],
)
def test_vapi(message: dict[str, Any], signals: list[Any]) -> None:
    assert vapi.parse("call", json.dumps({"message": {"call": {"id": "c-1"}} | message}), MARK) == signals


@pytest.mark.parametrize(
    ("event", "signals"),
    [
        ({"RecordType": "Delivery", "Recipient": "a@b.example"}, [StatusChanged(MARK, "m-1", "delivered")]),
        ({"RecordType": "Open", "ReceivedAt": "no date"}, [Opened(MARK, "m-1", None)]),
        ({"RecordType": "Click"}, [Clicked(MARK, "m-1", None)]),
        ({"RecordType": "SpamComplaint", "Email": "a@b.example"}, [Complained(MARK, "m-1", "a@b.example")]),
        (
            {"RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "Email": "a@b.example", "Details": "550"},
            [Bounced(MARK, "m-1", "a@b.example", "HardBounce", True, "1", "550")],
        ),
        (
            {"RecordType": "Bounce", "Type": "SoftBounce", "Email": "a@b.example", "Inactive": False},
            [Bounced(MARK, "m-1", "a@b.example", "SoftBounce", False)],
        ),
        (
            {"RecordType": "Bounce", "Type": "Transient", "Email": "a@b.example", "Inactive": True},
            [Bounced(MARK, "m-1", "a@b.example", "Transient", True)],
        ),
        (
            {"RecordType": "Bounce", "Type": "Blocked", "Email": "a@b.example", "Inactive": True},
            [Bounced(MARK, "m-1", "a@b.example", "Blocked", False)],
        ),
        ({"RecordType": "Bounce", "Type": "AutoResponder"}, []),
        (
            {"RecordType": "Bounce", "Type": "Unsubscribe", "Email": "a@b.example"},
            [OptedOutAtProvider("a@b.example", "email", "Unsubscribe")],
        ),
        (
            {
                "RecordType": "SubscriptionChange",
                "SuppressSending": False,
                "Recipient": "a@b.example",
                "Origin": "Recipient",
            },
            [OptedInAtProvider("a@b.example", "email")],
        ),
        (
            {
                "RecordType": "SubscriptionChange",
                "SuppressSending": False,
                "Recipient": "a@b.example",
                "Origin": "Customer",
            },
            [],
        ),
        ({"RecordType": "SomethingOfNextYear"}, []),
    ],
)
def test_postmark(event: dict[str, Any], signals: list[Any]) -> None:
    assert mail.parse("mail", json.dumps({"MessageID": "m-1"} | event), MARK) == signals


def test_a_mail_of_a_person() -> None:
    event = {
        "MessageID": "in-1",
        "FromFull": {"Email": "Pat@People.example", "Name": "Pat"},
        "OriginalRecipient": "hello@acme.example",
        "TextBody": "Yes",
        "Headers": [{"Name": "In-Reply-To", "Value": "<x@y>"}, "odd", {"Name": 3}],
    }
    (found,) = mail.parse("inbound", json.dumps(event), "")
    assert isinstance(found, MailReceived)
    assert (found.sender, found.to, found.text) == ("pat@people.example", "hello@acme.example", "Yes")
    assert found.header("in-reply-to") == "<x@y>"
    assert found.header("missing") == ""


@pytest.mark.parametrize(
    ("module", "kind", "body"),
    [
        (twilio, "status", "a=b"),
        (twilio, "inbound", ""),
        (vapi, "call", "[]"),
        (mail, "mail", "{}"),
        (mail, "inbound", "x"),
    ],
)
def test_a_body_that_names_nothing_is_refused_by_the_parser(module: Any, kind: str, body: str) -> None:
    with pytest.raises(ValueError, match="names no"):
        module.parse(kind, body, "")


@given(st.binary(max_size=200))
def test_no_body_can_stop_it_from_being_stored(body: bytes) -> None:
    for module in (twilio, vapi, mail):
        identity = module.identify(request(body))
        assert 0 < len(identity.event_key) <= KEY_LENGTH


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
)


@given(
    st.dictionaries(st.sampled_from(["message", "call", "type", "RecordType", "MessageID", "Headers", "ID"]), nested),
    st.dictionaries(st.sampled_from(["id", "type", "call", "status", "messages", "artifact", "endedAt"]), nested),
)
def test_no_json_can_break_a_parser_otherwise_than_by_a_value_error(
    outer: dict[str, Any], inner: dict[str, Any]
) -> None:
    for body in (json.dumps(outer), json.dumps({"message": inner | {"call": {"id": "c"}}}), json.dumps(outer | inner)):
        for module, kind in ((vapi, "call"), (mail, "mail"), (mail, "inbound")):
            module.identify(request(body.encode(), kind))
            try:
                found = module.parse(kind, body, "")
            except ValueError:
                continue
            assert isinstance(found, list)


@pytest.mark.parametrize(
    ("given_mark", "found"),
    [(MARK, MARK), (MARK.upper(), MARK), (f"<{MARK}@acme.example>", MARK), ("not-a-mark", ""), (None, ""), (7, "")],
)
def test_our_mark_is_a_uuid_wherever_it_stands(given_mark: object, found: str) -> None:
    assert mark_in(given_mark) == found


def test_two_long_keys_that_begin_alike_stay_two() -> None:
    first, second = event_key("x" * 500, "a"), event_key("x" * 500, "b")
    assert len(first) == len(second) == KEY_LENGTH
    assert first != second


def test_two_opens_are_two_events_and_a_repeated_delivery_is_one() -> None:
    def key(**more: str) -> str:
        event = {"RecordType": "Open", "MessageID": "m-1", "Recipient": "a@b.example"} | more
        return mail.identify(request(json.dumps(event).encode(), "mail")).event_key

    assert key(ReceivedAt="2026-11-18T16:00:00Z") != key(ReceivedAt="2026-11-18T16:05:00Z")
    assert key(ReceivedAt="2026-11-18T16:00:00Z") == key(ReceivedAt="2026-11-18T16:00:00Z")
