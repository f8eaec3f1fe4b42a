"""Who talked on the phone has answered, and what they said is obeyed."""

import json
from datetime import datetime, timedelta

import pytest

from contacts.models import Contact, Interaction, Suppression
from contacts.permissions import suppressed
from omnify.tenants.models import Notification
from sequences.models import Message, ProviderEvent
from tests.sequences.inbound.conftest import House
from tests.sequences.inbound.told import apply_all, make_message, only, report, rows, told

pytestmark = pytest.mark.django_db


def test_a_person_who_talked_on_the_phone_has_answered(house: House, now: datetime) -> None:
    message = make_message(house.pat, house.voice, now, enrollment=house.enrollment)
    report(house.voice, now, message, "customer-ended-call", "Yes, that sounds interesting.", "Call me Friday.")
    apply_all(now)
    touch = only(Interaction)
    assert (touch.outcome, touch.call_disposition, touch.call_duration_seconds) == ("answered", "answered", 31)
    assert "User: Call me Friday." in touch.content_body
    assert touch.content_summary == "They talked."
    house.enrollment.refresh_from_db()
    house.pat.refresh_from_db()
    message.refresh_from_db()
    assert house.enrollment.status_reason == "replied"
    assert (house.pat.last_call_summary, house.pat.inbound_count) == ("They talked.", 1)
    assert message.state == "delivered"


def test_what_the_machine_said_on_the_phone_is_not_taken_for_the_persons_stop(house: House, now: datetime) -> None:
    message = make_message(house.pat, house.voice, now)
    report(house.voice, now, message, "assistant-ended-call", "Hello?")
    apply_all(now)
    assert rows(Suppression) == []


def test_do_not_call_said_on_the_phone_closes_the_number(house: House, now: datetime) -> None:
    message = make_message(house.pat, house.voice, now)
    report(house.voice, now, message, "customer-ended-call", "Don't call me again.")
    apply_all(now)
    assert ("voice", "+12125550123") in suppressed(house.tenant.pk, [("voice", "+12125550123")])
    house.enrollment.refresh_from_db()
    assert house.enrollment.status_reason == "opted_out"
    assert rows(Message, purpose="confirmation") == []


@pytest.mark.parametrize(
    ("reason", "disposition", "state", "failure"),
    [
        ("voicemail", "voicemail", "delivered", ""),
        ("customer-did-not-answer", "no-answer", "undelivered", "call_no_answer"),
        ("customer-busy", "busy", "undelivered", "call_busy"),
        ("pipeline-error-openai-llm-failed", "failed", "undelivered", "call_failed"),
    ],
)
def test_a_call_nobody_spoke_on_is_no_reply(
    house: House, now: datetime, reason: str, disposition: str, state: str, failure: str
) -> None:
    message = make_message(house.pat, house.voice, now)
    report(house.voice, now, message, reason)
    apply_all(now)
    message.refresh_from_db()
    house.enrollment.refresh_from_db()
    assert (message.state, message.failure_type) == (state, failure)
    assert only(Interaction).call_disposition == disposition
    assert house.enrollment.status == "active"


def they_called(house: House, now: datetime, number: str, *said: str, call_id: str = "in-1") -> None:
    """The report of a call that somebody made to us."""
    turns = [{"role": "bot", "message": "Hello, this is an AI assistant. How can I help you?"}]
    turns += [{"role": "user", "message": line} for line in said]
    about = {
        "type": "end-of-call-report",
        "call": {"id": call_id, "type": "inboundPhoneCall", "customer": {"number": number}},
        "endedReason": "customer-ended-call",
        "messages": turns,
        "transcript": "\n".join(f"{turn['role']}: {turn['message']}" for turn in turns),
        "analysis": {"summary": "They asked for something."},
        "durationSeconds": 20,
    }
    told(house.voice, now, "call", json.dumps({"message": about}))


def test_a_call_to_us_is_in_the_conversation_once_and_pauses_like_any_answer(house: House, now: datetime) -> None:
    for _ in range(2):  # reported twice
        they_called(house, now, "+12125550123", "Hi, could you call me on Friday?")
    apply_all(now)
    touch = only(Interaction, direction="inbound")
    assert (touch.contact_id, touch.channel, touch.content_summary) == (
        house.pat.pk,
        "voice",
        "They asked for something.",
    )
    house.enrollment.refresh_from_db()
    assert house.enrollment.status_reason == "replied"
    assert [event.state for event in rows(ProviderEvent)] == ["done", "done"]


def test_a_stop_in_a_call_to_us_closes_the_number(house: House, now: datetime) -> None:
    they_called(house, now, "+12125550123", "Please stop calling me.")
    apply_all(now)
    assert ("voice", "+12125550123") in suppressed(house.tenant.pk, [("voice", "+12125550123")])


def test_a_stranger_who_calls_and_speaks_becomes_a_contact_and_one_who_is_silent_does_not(
    house: House, now: datetime
) -> None:
    they_called(house, now, "+12125550777", call_id="silent")
    they_called(house, now, "+12125550888", "Please stop calling me.", call_id="speaks")
    apply_all(now)
    assert rows(Contact, phone="+12125550777") == []
    assert only(Contact, phone="+12125550888").inbound_count == 1
    assert ("voice", "+12125550888") in suppressed(house.tenant.pk, [("voice", "+12125550888")])


def test_words_from_a_withheld_number_wait_in_sight_for_a_person(house: House, now: datetime) -> None:
    call = {"id": "c-withheld", "type": "inboundPhoneCall", "customer": {}}
    ended = {"type": "status-update", "status": "ended", "endedReason": "customer-ended-call", "call": call}
    report = {
        "type": "end-of-call-report",
        "endedReason": "customer-ended-call",
        "call": call,
        "messages": [{"role": "user", "message": "Please take me off your list"}],
    }
    events = [told(house.voice, now, "call", json.dumps({"message": each})) for each in (ended, report)]
    apply_all(now)
    apply_all(now + timedelta(hours=25))
    for event in events:
        event.refresh_from_db()
    assert [event.state for event in events] == ["done", "parked"]
    assert "Please take me off your list" in events[1].problem
    told_of = Notification.objects.all_tenants().filter(title="Somebody called from a withheld number")
    assert told_of.count() == 1


def test_a_silent_call_from_a_withheld_number_is_nothing(house: House, now: datetime) -> None:
    call = {"id": "c-silent", "type": "inboundPhoneCall"}
    report = {"type": "end-of-call-report", "endedReason": "customer-ended-call", "call": call, "messages": []}
    event = told(house.voice, now, "call", json.dumps({"message": report}))
    apply_all(now)
    event.refresh_from_db()
    assert event.state == "done"
