"""What a person says stops the automation in the very transaction that stores it, on every channel."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts.models import Contact, Interaction, Suppression
from contacts.permissions import suppressed
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Notification
from sequences import inbound, optouts
from sequences.models import Enrollment, Message, ProviderEvent, Sender
from tests.making import make_contact, make_enrollment, make_sequence
from tests.sequences.inbound import told
from tests.sequences.inbound.conftest import House
from tests.sequences.inbound.told import apply_all, mail, make_message, only, rows, text, tracked

pytestmark = pytest.mark.django_db

QUERIES_OF_A_REPLY = 30


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


def test_an_answer_to_their_own_answer_finds_the_person_too(house: House, now: datetime) -> None:
    """Their program names its own mail first, by a UUID of its own."""
    message = make_message(house.pat, house.email, now)
    own = "<6f1c5c5e-3f0e-4a43-9a62-0d5f0c9f6b11@people.example>"
    refers = {"In-Reply-To": own, "References": f"<{message.public_id}@acme.example> {own}"}
    mail(house.email, now, "pat@elsewhere.example", "and please stop emailing me", headers=refers)
    apply_all(now)
    assert only(Interaction, direction="inbound").contact_id == house.pat.pk
    assert suppressed(house.tenant.pk, [("email", house.pat.email)])


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


def test_a_mailbox_of_ours_is_known_in_letters_and_in_ascii(house: House, now: datetime) -> None:
    with tenant_context(house.email.tenant_id):
        Sender.objects.filter(pk=house.email.pk).update(address="hello@Bücher.example")
    event = mail(house.email, now, "hello@xn--bcher-kva.example", "We were here.")
    apply_all(now)
    event.refresh_from_db()
    assert (event.state, event.problem) == ("done", "It came from a mailbox of our own.")
    assert rows(Interaction) == []


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


def test_the_tenant_context_is_closed_again_after_the_events(house: House, now: datetime) -> None:
    from omnify.tenants.context import current_tenant_id

    text(house.sms, now, "+12125550123", "hi")
    apply_all(now)
    assert current_tenant_id() is None
    with tenant_context(house.tenant.pk):
        assert ProviderEvent.objects.count() == 1


def test_a_mail_without_plain_text_is_read_from_its_html(house: House, now: datetime) -> None:
    mail(house.email, now, "pat@people.example", "", HtmlBody="<p>Please <b>unsubscribe</b> me</p>")
    apply_all(now)
    assert only(Interaction, direction="inbound").content_body == "Please unsubscribe me"
    assert suppressed(house.tenant.pk, [("email", "pat@people.example")])


def test_a_worker_stops_when_its_time_is_over(house: House, now: datetime) -> None:
    text(house.sms, now, "+12125550123", "hi")
    assert inbound.apply_waiting(now, budget_seconds=0) == 0
    assert inbound.apply_waiting(now, limit=0) == 0
    assert inbound.apply_waiting(now) == 1


@pytest.mark.parametrize("text_body", ["please unsubscribe me", "hello?"])
def test_words_without_a_sender_stop_nobody_else(house: House, now: datetime, text_body: str) -> None:
    make_contact(house.tenant, now, phone="")
    mail(house.email, now, "", text_body)
    text(house.sms, now, "", text_body)
    tracked(
        house.email,
        now,
        make_message(house.pat, house.email, now),
        "SubscriptionChange",
        Recipient="",
        SuppressSending=True,
    )
    apply_all(now)
    house.enrollment.refresh_from_db()
    assert house.enrollment.status == "active"
    assert [row.address for row in rows(Suppression) if row.address] == []


def test_a_stop_does_not_wait_behind_a_campaigns_reports(house: House, now: datetime) -> None:
    message = make_message(house.pat, house.sms, now)
    for word in ("sent", "delivered"):
        told.status(house.sms, now, message, word)
    text(house.sms, now, "+12125550123", "STOP")
    assert inbound.apply_waiting(now, limit=1) == 1
    assert suppressed(house.tenant.pk, [("sms", "+12125550123")])
    assert inbound.apply_waiting(now) == 2
    assert {event.state for event in rows(ProviderEvent)} == {"done"}
