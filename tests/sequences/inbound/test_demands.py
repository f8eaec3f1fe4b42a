"""STOP, START, HELP, complaints, wrong numbers and the wish for a human: what they close, hold and answer."""

from datetime import datetime, timedelta

import pytest

from contacts.models import Contact, Interaction, Suppression
from contacts.permissions import suppress, suppressed
from omnify.tenants.models import Notification
from sequences import inbound
from sequences.models import Message
from tests.making import People, make_contact, make_enrollment, make_senders
from tests.sequences.inbound.conftest import House
from tests.sequences.inbound.told import apply_all, make_message, only, rows, text

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("please stop texting me", "opted_out"),
        ("STOP", "opted_out"),
        ("stop by on Monday?", "replied"),
        ("ok", "replied"),
    ],
)
def test_a_waiting_text_tells_whether_a_stop_or_a_reply_cancelled_it(
    house: House, now: datetime, said: str, why: str
) -> None:
    waiting = make_message(
        house.pat,
        house.sms,
        now,
        state="ready",
        status_rank=0,
        provider="",
        provider_id="",
        enrollment=house.enrollment,
    )
    text(house.sms, now, "+12125550123", said)
    apply_all(now)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.state_reason) == ("cancelled", why)


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


def test_a_start_that_is_read_after_a_later_stop_lifts_nothing(house: House, now: datetime) -> None:
    """Two workers take two texts of one person at once, or the first one's event had to wait for the database."""
    text(house.sms, now - timedelta(days=1), "+12125550123", "STOP")
    apply_all(now - timedelta(days=1))
    start = text(house.sms, now, "+12125550123", "START")
    early = text(house.sms, now, "+12125550123", "START", OptOutType="START")
    stop = text(house.sms, now + timedelta(seconds=1), "+12125550123", "STOP")
    for event in (stop, start, early):
        inbound.apply(event.pk, now + timedelta(seconds=5))
    assert suppressed(house.tenant.pk, [("sms", "+12125550123")])


def test_a_start_lifts_a_stop_that_came_before_it_and_was_read_late(house: House, now: datetime) -> None:
    stop = text(house.sms, now, "+12125550123", "STOP")
    start = text(house.sms, now + timedelta(seconds=1), "+12125550123", "START")
    for event in (stop, start):
        inbound.apply(event.pk, now + timedelta(seconds=5))
    assert suppressed(house.tenant.pk, [("sms", "+12125550123")]) == set()
