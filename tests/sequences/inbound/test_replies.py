"""What a person says stops the automation in the very transaction that stores it, on every channel."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts.models import Contact, Interaction, Suppression
from contacts.permissions import suppress, suppressed
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Notification
from sequences import inbound, listening, optouts
from sequences.models import Enrollment, Message, ProviderEvent
from tests.making import People, make_contact, make_enrollment, make_senders, make_sequence
from tests.sequences.inbound.conftest import House
from tests.sequences.inbound.told import apply_all, mail, make_message, report, text

pytestmark = pytest.mark.django_db

QUERIES_OF_A_REPLY = 27


def rows(model: Any, **filters: Any) -> list[Any]:
    return list(model.objects.all_tenants().filter(**filters).order_by("pk"))


def only(model: Any, **filters: Any) -> Any:
    (row,) = rows(model, **filters)
    return row


def waiting(house: House, now: datetime, **fields: Any) -> Message:
    given = {"state": "ready", "status_rank": 0, "provider": "", "provider_id": "", "enrollment": house.enrollment}
    return make_message(house.pat, house.sms, now, **given | fields)


def test_a_reply_is_stored_pauses_cancels_and_tells(house: House, now: datetime) -> None:
    next_one = waiting(house, now)
    later = now + timedelta(minutes=3)
    event = text(house.sms, later, "+12125550123", "Sounds good, how much?")
    assert apply_all(later) == 1
    house.enrollment.refresh_from_db()
    next_one.refresh_from_db()
    event.refresh_from_db()
    said = only(Interaction, direction="inbound")
    assert (said.contact_id, said.content_body, said.outcome, said.at) == (
        house.pat.pk,
        "Sounds good, how much?",
        "replied",
        later,
    )
    assert (house.enrollment.status, house.enrollment.status_reason) == ("paused", "replied")
    assert (house.enrollment.replied_at, house.enrollment.next_run_at) == (later, None)
    assert (next_one.state, next_one.state_reason) == ("cancelled", "replied")
    assert only(Notification).type == "reply"
    assert only(Event, kind="contact.replied").subject_id == house.pat.pk
    assert (event.state, event.problem, event.tries) == ("done", "", 0)
    assert rows(Suppression) == []


def test_every_open_enrolment_of_the_person_pauses_and_the_finished_ones_stay(house: House, now: datetime) -> None:
    states = {}
    for name, status in (("B", "active"), ("C", "paused"), ("D", "failed"), ("E", "completed"), ("F", "exited")):
        sequence = make_sequence(house.tenant, now, name=name)
        states[status] = make_enrollment(sequence, house.pat, now, status=status, status_reason="before")
    text(house.sms, now, "+12125550123", "who is this?")
    apply_all(now)
    found = {each.pk: (each.status, each.status_reason) for each in rows(Enrollment)}
    assert found[states["active"].pk] == found[states["paused"].pk] == ("paused", "replied")
    assert found[states["failed"].pk] == ("failed", "before")
    assert found[states["completed"].pk] == ("completed", "before")
    assert found[states["exited"].pk] == ("exited", "before")


@pytest.mark.parametrize("broken", ["cancel_waiting", "pause_for_reply"])
def test_a_worker_killed_half_way_leaves_nothing_half_done(
    house: House, now: datetime, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = text(house.sms, now, "+12125550123", "yes please")

    class Killed(BaseException):
        pass

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    monkeypatch.setattr(optouts, broken, die)
    with pytest.raises(Killed):
        apply_all(now)
    house.enrollment.refresh_from_db()
    assert rows(Interaction, direction="inbound") == []
    assert house.enrollment.status == "active"
    monkeypatch.undo()
    assert apply_all(now + timedelta(seconds=6)) == 1
    event.refresh_from_db()
    house.enrollment.refresh_from_db()
    assert (event.state, house.enrollment.status) == ("done", "paused")
    assert len(rows(Interaction, direction="inbound")) == 1


def test_a_text_from_a_stranger_makes_a_contact_so_that_no_word_is_lost(house: House, now: datetime) -> None:
    text(house.sms, now, "+13105550199", "is this still on offer?")
    apply_all(now)
    stranger = only(Contact, phone="+13105550199")
    assert (stranger.source, stranger.zones) == ("inbound sms", ["America/Los_Angeles"])
    assert only(Interaction, contact=stranger).content_body == "is this still on offer?"


def test_a_stop_reaches_three_contacts_in_two_spellings_and_is_confirmed_once(house: House, now: datetime) -> None:
    others = [
        make_contact(house.tenant, now, phone="(212) 555-0123"),
        make_contact(house.tenant, now, alternative_phone="+12125550123"),
    ]
    enrolled = [make_enrollment(house.sequence, each, now) for each in others]
    text(house.sms, now, "+12125550123", "Please stop texting me!")
    text(house.sms, now, "+12125550123", "STOP")
    assert apply_all(now) == 2
    assert suppressed(house.tenant.pk, [("sms", "+12125550123"), ("voice", "+12125550123")]) == {
        ("sms", "+12125550123"),
        ("voice", "+12125550123"),
    }
    for each in (house.enrollment, *enrolled):
        each.refresh_from_db()
        assert (each.status, each.status_reason, each.next_run_at) == ("paused", "opted_out", now)
    answer = only(Message, purpose="confirmation")
    assert (answer.channel, answer.state, answer.to_address, answer.enrollment_id) == (
        "sms",
        "ready",
        "+12125550123",
        None,
    )
    assert answer.expires_at == now + timedelta(minutes=5)
    assert answer.body.startswith("Acme: You are unsubscribed")
    assert "https" not in answer.body


def test_the_engine_ends_the_sequence_with_a_receipt_that_quotes_the_stop(house: House, now: datetime) -> None:
    from sequences.engine import tick
    from sequences.models import Execution

    text(house.sms, now, "+12125550123", "take me off your list")
    apply_all(now)
    tick(now)
    house.enrollment.refresh_from_db()
    assert (house.enrollment.status, house.enrollment.status_reason) == ("exited", "opted_out")
    assert "take me off your list" in str(only(Execution).facts)


@pytest.mark.parametrize(("word", "purpose"), [("STOP", "confirmation"), ("HELP", "help")])
def test_where_the_provider_answered_the_keyword_we_stay_silent(
    house: House, now: datetime, word: str, purpose: str
) -> None:
    text(house.sms, now, "+12125550123", word, OptOutType=word)
    apply_all(now)
    assert rows(Message, purpose=purpose) == []
    assert bool(suppressed(house.tenant.pk, [("sms", "+12125550123")])) is (word == "STOP")


def test_what_the_provider_took_for_a_stop_is_one_whatever_our_own_reading_says(house: House, now: datetime) -> None:
    text(house.sms, now, "+12125550123", "fahrkarte", OptOutType="STOP")
    apply_all(now)
    assert suppressed(house.tenant.pk, [("voice", "+12125550123")])
    assert only(Notification).type == "opt_out"


def test_help_is_answered_once_with_name_and_way_to_a_human(house: House, now: datetime) -> None:
    text(house.sms, now, "+12125550123", "HELP")
    text(house.sms, now, "+12125550123", "help")
    apply_all(now)
    answer = only(Message, purpose="help")
    assert answer.body.startswith("Acme: For help contact help@acme.example.")
    text(house.sms, now + timedelta(hours=1), "+12125550123", "help")
    apply_all(now + timedelta(hours=1))
    assert len(rows(Message, purpose="help")) == 2


def test_start_gives_the_number_back_and_only_the_number(house: House, now: datetime) -> None:
    text(house.sms, now, "+12125550123", "STOPALL")
    apply_all(now)
    house.enrollment.refresh_from_db()
    assert suppressed(house.tenant.pk, [("email", "pat@people.example")])
    text(house.sms, now + timedelta(days=1), "+12125550123", "START")
    apply_all(now + timedelta(days=1))
    assert suppressed(
        house.tenant.pk, [("sms", "+12125550123"), ("voice", "+12125550123"), ("email", "pat@people.example")]
    ) == {("email", "pat@people.example")}
    house.enrollment.refresh_from_db()
    assert house.enrollment.status_reason == "opted_out"
    assert [answer.body.partition(".")[0] for answer in rows(Message, purpose="confirmation")] == [
        "Acme: You are unsubscribed and will get no more texts or calls from us",
        "Acme: You are subscribed again",
    ]


def test_a_complaint_closes_everything_and_asks_for_a_person(house: House, now: datetime) -> None:
    text(house.sms, now, "+12125550123", "Contact me again and you will hear from my lawyer. TCPA violation!")
    apply_all(now)
    pairs = [("sms", "+12125550123"), ("voice", "+12125550123"), ("email", "pat@people.example")]
    assert suppressed(house.tenant.pk, pairs) == set(pairs)
    house.enrollment.refresh_from_db()
    assert house.enrollment.needs_human_intervention
    told = only(Notification)
    assert (told.type, told.priority) == ("needs_human", "urgent")


def test_a_wrong_number_closes_the_number_but_not_the_persons_mail(house: House, now: datetime) -> None:
    text(house.sms, now, "+12125550123", "You have the wrong number")
    apply_all(now)
    pairs = [("sms", "+12125550123"), ("voice", "+12125550123"), ("email", "pat@people.example")]
    assert suppressed(house.tenant.pk, pairs) == set(pairs[:2])
    house.enrollment.refresh_from_db()
    assert (house.enrollment.status, house.enrollment.needs_human_intervention) == ("paused", True)


def test_a_wish_for_a_human_holds_everything_and_closes_nothing(house: House, now: datetime) -> None:
    text(house.sms, now, "+12125550123", "can I talk to a real person please")
    apply_all(now)
    house.enrollment.refresh_from_db()
    assert house.enrollment.needs_human_intervention
    assert rows(Suppression) == []
    assert only(Notification).type == "needs_human"


def test_a_mail_reply_keeps_what_was_written_and_drops_the_quoted_thread(house: House, now: datetime) -> None:
    message = make_message(house.pat, house.email, now)
    body = (
        "Yes, Tuesday works.\n\nOn Wed, Nov 18, 2026 at 11:00, Acme <hello@acme.example> wrote:\n> Unsubscribe: stop\n"
    )
    headers = {"In-Reply-To": f"<{message.public_id}@acme.example>", "Return-Path": "<pat@people.example>"}
    mail(house.email, now, "pat@people.example", body, headers=headers)
    apply_all(now)
    said = only(Interaction, direction="inbound")
    assert (said.content_body, said.content_subject) == ("Yes, Tuesday works.", "Re: Hello")
    house.enrollment.refresh_from_db()
    assert house.enrollment.status_reason == "replied"
    assert rows(Suppression) == []


def test_an_answer_from_another_mailbox_finds_the_person_it_was_written_to(house: House, now: datetime) -> None:
    message = make_message(house.pat, house.email, now)
    headers = {"References": f"<{message.public_id}@acme.example>"}
    mail(house.email, now, "pat.private@elsewhere.example", "unsubscribe", headers=headers)
    apply_all(now)
    assert only(Interaction, direction="inbound").contact_id == house.pat.pk
    pairs = [("email", "pat@people.example"), ("email", "pat.private@elsewhere.example")]
    assert suppressed(house.tenant.pk, pairs) == set(pairs)


def test_an_out_of_office_is_kept_but_is_no_reply(house: House, now: datetime) -> None:
    headers = {"Auto-Submitted": "auto-replied"}
    mail(house.email, now, "pat@people.example", "I am away until Monday.", headers=headers)
    apply_all(now)
    assert only(Interaction, direction="inbound").outcome == "auto_reply"
    house.enrollment.refresh_from_db()
    assert house.enrollment.status == "active"
    assert rows(Notification) == []


def test_a_stop_inside_an_automatic_answer_is_obeyed(house: House, now: datetime) -> None:
    headers = {"Auto-Submitted": "auto-replied"}
    mail(house.email, now, "pat@people.example", "Please stop emailing me.", headers=headers)
    apply_all(now)
    assert suppressed(house.tenant.pk, [("email", "pat@people.example")])
    house.enrollment.refresh_from_db()
    assert house.enrollment.status_reason == "opted_out"


def test_a_text_between_two_of_our_own_numbers_is_not_a_person(house: House, now: datetime) -> None:
    event = text(house.sms, now, house.sms.address, "hello hello")
    apply_all(now)
    event.refresh_from_db()
    assert (event.state, event.problem) == ("done", "It came from a number of our own.")
    assert rows(Interaction) == []


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


def test_a_deleted_contact_who_writes_is_heard_anew_and_a_stop_still_holds(house: House, now: datetime) -> None:
    Contact.objects.all_tenants().filter(pk=house.pat.pk).update(deleted_at=now)
    text(house.sms, now, "+12125550123", "stop")
    apply_all(now)
    assert suppressed(house.tenant.pk, [("sms", "+12125550123")])
    assert only(Interaction, direction="inbound").contact_id != house.pat.pk


def test_one_tenants_person_is_not_anothers(people: People, house: House, now: datetime) -> None:
    theirs = make_senders(people.charlie.tenant)
    namesake = make_contact(people.charlie.tenant, now, phone="+12125550123")
    text(theirs["sms"], now, "+12125550123", "STOP")
    apply_all(now)
    assert only(Interaction, direction="inbound").contact_id == namesake.pk
    assert suppressed(house.tenant.pk, [("sms", "+12125550123")]) == set()
    house.enrollment.refresh_from_db()
    assert house.enrollment.status == "active"


@pytest.mark.parametrize("body", ["yes\x00no", "\ud83d" + "ok", "", "🏠" * 800, "a\u202eb"])
def test_no_bytes_in_a_text_can_lose_it(house: House, now: datetime, body: str) -> None:
    event = text(house.sms, now, "+12125550123", body.encode("utf-8", "replace").decode(), NumMedia="1")
    apply_all(now)
    event.refresh_from_db()
    assert event.state == "done"
    assert only(Interaction, direction="inbound").content_body


def test_of_a_shared_number_the_conversation_goes_on_with_whom_we_wrote_to_last(house: House, now: datetime) -> None:
    partner = make_contact(house.tenant, now, phone="+12125550123")
    with_partner = make_enrollment(house.sequence, partner, now)
    make_message(house.pat, house.sms, now)
    make_message(partner, house.sms, now)
    text(house.sms, now, "+12125550123", "who is this?")
    apply_all(now)
    assert only(Interaction, direction="inbound").contact_id == partner.pk
    for each in (house.enrollment, with_partner):
        each.refresh_from_db()
        assert each.status_reason == "replied"


def test_a_person_already_opted_out_stays_so_when_they_write_again(house: House, now: datetime) -> None:
    text(house.sms, now, "+12125550123", "stop")
    text(house.sms, now, "+12125550123", "actually, how much is it?")
    apply_all(now)
    house.enrollment.refresh_from_db()
    assert (house.enrollment.status_reason, house.enrollment.next_run_at) == ("opted_out", now)


def test_a_suppression_from_before_is_not_confirmed_again(house: House, now: datetime) -> None:
    suppress(
        tenant_id=house.tenant.pk,
        address="+12125550123",
        channels=("sms", "voice"),
        reason="opted_out",
        source="import",
        now=now,
        actor="import",
    )
    text(house.sms, now, "+12125550123", "stop")
    apply_all(now)
    assert rows(Message, purpose="confirmation") == []


@pytest.mark.parametrize("count", [1, 5])
def test_a_reply_costs_the_same_queries_however_many_enrolments_and_messages_it_stops(
    house: House, now: datetime, count: int
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for n in range(count):
        sequence = make_sequence(house.tenant, now, name=f"S{n}")
        enrollment = make_enrollment(sequence, house.pat, now)
        waiting(house, now, enrollment=enrollment, visit=n + 1)
    event = text(house.sms, now, "+12125550123", "ok then")
    with CaptureQueriesContext(
        connection,
    ) as seen:
        inbound.apply(event.pk, now, tenant_id=house.tenant.pk)
    assert len(seen) == QUERIES_OF_A_REPLY


def test_with_no_words_nothing_is_demanded() -> None:
    assert listening.NEEDS_A_PERSON.keys() == {"hold", "complaint", "wrong_number", "human"}


def test_the_tenant_context_is_closed_again_after_the_events(house: House, now: datetime) -> None:
    from omnify.tenants.context import current_tenant_id

    text(house.sms, now, "+12125550123", "hi")
    apply_all(now)
    assert current_tenant_id() is None
    with tenant_context(house.tenant.pk):
        assert ProviderEvent.objects.count() == 1
