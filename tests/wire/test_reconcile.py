"""Unknown messages are settled by asking the provider, by the proof rules of docs/reliability.md, and never by sending."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from contacts.models import Interaction
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Notification
from sequences import pulse
from sequences import reconcile as reconciling
from sequences.claiming import claim_next
from sequences.delivery import deliver, dispatch, mark_sending
from sequences.models import Message
from sequences.reconcile import Timing, reconcile
from sequences.transports.base import CannotSay
from tests.wire.wiring import Wire, refreshed, unknown, use_postmark

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("always_open")]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    """The simulator dates what it accepts by the real clock: these tests live in the present, with windows always open."""
    return datetime.now(UTC)


def test_nobody_is_asked_before_the_grace_is_over(wire: Wire) -> None:
    message = unknown(wire, "sms", "accept_then_reset")
    assert reconcile(wire.now + timedelta(seconds=119)) == 0
    assert refreshed(message).lookups == 0


@pytest.mark.parametrize(("channel", "provider"), [("sms", "twilio"), ("voice", "vapi"), ("email", "postmark")])
@pytest.mark.parametrize("fault", ["accept_then_reset", "accept_then_500"])
def test_what_was_accepted_is_found_by_its_mark(wire: Wire, channel: str, provider: str, fault: str) -> None:
    if provider == "postmark":
        use_postmark(wire)
    message = unknown(wire, channel, fault)
    assert reconcile(wire.now + 3 * MINUTE) == 1
    after = refreshed(message)
    assert after.state in ("accepted", "sent", "delivered")
    assert (after.state_reason, after.provider) == ("found_at_provider", provider)
    assert after.provider_id
    assert Interaction.objects.all_tenants().filter(message_id=message.pk).count() == 1
    assert len(wire.received(message)) == 1


@pytest.mark.parametrize(("channel", "provider", "apart"), [("sms", "twilio", 1), ("email", "postmark", 5)])
def test_absent_twice_and_far_enough_apart_is_proof_and_allows_one_more_attempt(
    wire: Wire, channel: str, provider: str, apart: int
) -> None:
    if provider == "postmark":
        use_postmark(wire)
    message = unknown(wire, channel, "status_500")
    assert reconcile(wire.now + 3 * MINUTE) == 0
    assert (refreshed(message).state, refreshed(message).lookups) == ("unknown", 1)
    assert reconcile(wire.now + (3 + apart) * MINUTE - timedelta(seconds=1)) == 0
    assert refreshed(message).lookups == 1
    assert reconcile(wire.now + (3 + apart) * MINUTE) == 1
    assert (refreshed(message).state, refreshed(message).state_reason) == ("ready", "not_sent")
    assert wire.received(message) == []  # the reconciler itself sent nothing
    later = wire.now + 9 * MINUTE
    assert dispatch([channel], now=wire.at(later), budget_seconds=30) == 1
    assert (len(wire.received(message)), refreshed(message).attempt) == (1, 2)


def test_a_second_attempt_that_also_gets_lost_waits_for_a_person(wire: Wire) -> None:
    message = unknown(wire, "sms", "status_500")
    for minute in (3, 4):
        reconcile(wire.now + minute * MINUTE)
    wire.simulator.faults([{"match": {"op": "create"}, "do": "status_500"}])
    moment = wire.now + 5 * MINUTE
    assert deliver(wire.claim("sms", moment), wire.at(moment)) == "unknown"
    for minute in (8, 9):
        reconcile(wire.now + minute * MINUTE)
    assert (refreshed(message).state, refreshed(message).state_reason) == ("held", "resent_once")
    assert Notification.objects.all_tenants().filter(tenant_id=wire.tenant_id).count() == 1


def test_a_call_that_was_not_placed_is_never_placed_again(wire: Wire) -> None:
    message = unknown(wire, "voice", "status_500")
    for minute in (3, 4):
        reconcile(wire.now + minute * MINUTE)
    assert (refreshed(message).state, refreshed(message).state_reason) == ("held", "not_placed")
    assert claim_next(["voice"], wire.now + 5 * MINUTE) is None


def test_an_account_that_was_edited_since_is_not_asked_because_its_silence_would_be_taken_for_proof(wire: Wire) -> None:
    message = unknown(wire, "sms", "accept_then_reset")
    sender = wire.senders["sms"]
    sender.config = {"account_sid": "AC" + "0" * 32}
    with tenant_context(wire.tenant_id):
        sender.save()
    for minute in (3, 4):
        reconcile(wire.now + minute * MINUTE)
    assert (refreshed(message).state, refreshed(message).state_reason) == ("held", "no_proof")
    assert len(wire.received(message)) == 1


def test_a_sender_whose_secret_was_taken_away_cannot_be_asked_and_that_proves_nothing(wire: Wire) -> None:
    message = unknown(wire, "sms", "accept_then_reset")
    sender = wire.senders["sms"]
    sender.set_credentials({})
    with tenant_context(wire.tenant_id):
        sender.save()
    for minute in (3, 4):
        reconcile(wire.now + minute * MINUTE)
        assert (refreshed(message).state, refreshed(message).lookups) == ("unknown", 0)


def test_proven_absent_but_old_news_expires(wire: Wire) -> None:
    message = unknown(wire, "sms", "status_500", expires_at=datetime.now(UTC) + 2 * MINUTE)
    for minute in (3, 4):
        reconcile(wire.now + minute * MINUTE)
    assert refreshed(message).state == "expired"


def test_after_something_else_reached_the_person_it_is_not_sent_late(wire: Wire) -> None:
    message = unknown(wire, "sms", "status_500")
    contact = wire.contact()
    Message.objects.all_tenants().filter(pk=wire.ready("email", contact).pk).update(
        contact_id=message.contact_id, state="sent", status_rank=30, state_at=wire.now + MINUTE
    )
    for minute in (3, 4):
        reconcile(wire.now + minute * MINUTE)
    assert (refreshed(message).state, refreshed(message).state_reason) == ("held", "touched_since")


def test_a_listing_that_lags_is_waited_for(wire: Wire) -> None:
    """The first look comes too early for this provider: absent once is not proof, and the second look finds it."""
    message = wire.ready()
    match = {"match": {"to": message.to_address, "op": "create"}}
    wire.simulator.faults([{**match, "do": {"listing_lag_s": 2, "accept_then_reset": True}}])
    deliver(wire.claim(), wire.at())
    quick = Timing(grace=timedelta(0), between_looks=timedelta(seconds=2.5))
    reconcile(datetime.now(UTC), timing=quick)
    assert (refreshed(message).state, refreshed(message).lookups) == ("unknown", 1)
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while refreshed(message).state == "unknown" and datetime.now(UTC) < deadline:
        reconcile(datetime.now(UTC), timing=quick)
    assert refreshed(message).state_reason == "found_at_provider"
    assert len(wire.received(message)) == 1


def test_a_provider_that_does_not_answer_proves_nothing_and_after_a_quarter_of_an_hour_a_person_sees_it(
    wire: Wire,
) -> None:
    message = unknown(wire, "sms", "accept_then_reset")
    wire.simulator.faults([{"match": {"op": "list"}, "do": "status_500"}])
    for minute in (3, 4, 8, 14):
        reconcile(wire.now + minute * MINUTE)
        assert (refreshed(message).state, refreshed(message).lookups) == ("unknown", 0)
    reconcile(wire.now + 16 * MINUTE)
    assert (refreshed(message).state, refreshed(message).state_reason) == ("held", "no_proof")
    assert Notification.objects.all_tenants().filter(tenant_id=wire.tenant_id).count() == 1


def test_a_killed_mail_send_is_held_because_a_mail_server_cannot_be_asked(wire: Wire) -> None:
    message = wire.ready("email")
    mark_sending(wire.claim("email"), wire.now)
    reconcile(wire.now + 3 * MINUTE)
    assert (refreshed(message).state, refreshed(message).state_reason) == ("held", "no_proof")


def test_the_long_pause_between_mail_searches_never_puts_giving_up_off(wire: Wire) -> None:
    """The worker that asked was killed eleven minutes in: a person sees the mail after fifteen, not after sixteen."""
    message = wire.ready("email")
    mark_sending(wire.claim("email"), wire.now)
    sent_at = refreshed(message).sending_started_at
    rows = Message.objects.all_tenants().filter(pk=message.pk)
    rows.update(state="unknown", state_reason="worker_lost", looked_up_at=sent_at + 11 * MINUTE)
    assert reconcile(sent_at + 14 * MINUTE) == 0
    assert reconcile(sent_at + 15 * MINUTE) == 1
    assert (refreshed(message).state, refreshed(message).state_reason) == ("held", "no_proof")


def test_a_send_whose_worker_died_becomes_unknown_and_is_found(wire: Wire) -> None:
    message = wire.ready()
    claim = wire.claim()
    mark_sending(claim, wire.now)
    from sequences.addressing import outbound_for
    from sequences.delivery import send

    send(claim, outbound_for(claim, wire.now))  # … and then kill -9: nobody writes the receipt down
    assert reconcile(wire.now + timedelta(seconds=100)) == 0
    assert reconcile(wire.now + 3 * MINUTE) == 2
    assert refreshed(message).state_reason == "found_at_provider"


def test_an_abandoned_claim_goes_again_once_and_then_waits_for_a_person(wire: Wire) -> None:
    message = wire.ready()
    moment = wire.now
    for expected in ("ready", "held"):
        wire.claim(now=moment)
        assert reconcile(moment + timedelta(seconds=59)) == 0
        moment += timedelta(seconds=61)
        assert reconcile(moment) == 1
        assert refreshed(message).state == expected
    assert refreshed(message).state_reason == "abandoned_twice"


def test_another_message_with_the_same_words_is_never_taken_for_this_one(wire: Wire) -> None:
    """One text arrived with its receipt, an equal one to the same number got lost: the listing shows a text, but not this one."""
    shared = wire.contact()
    first = wire.ready("sms", shared, body="The same words")
    deliver(wire.claim(), wire.at())
    second = wire.ready("sms", wire.contact(phone=shared.phone), body="The same words")
    wire.simulator.faults([{"match": {"op": "create"}, "do": "status_500"}])
    assert deliver(wire.claim(), wire.at()) == "unknown"
    wire.simulator.clear()
    for minute in (3, 4):
        reconcile(wire.now + minute * MINUTE)
    assert refreshed(second).state == "ready"
    assert refreshed(second).provider_id == ""
    assert refreshed(first).provider_id


def test_two_uncertain_twins_are_not_guessed_apart(wire: Wire) -> None:
    shared = wire.contact()
    rows = [wire.ready("sms", contact, body="Twins") for contact in (shared, wire.contact(phone=shared.phone))]
    wire.simulator.faults([{"match": {"op": "create", "nth": 1}, "do": "accept_then_reset"}])
    wire.simulator.faults([{"match": {"op": "create", "nth": 2}, "do": "status_500"}])
    every = Message.objects.all_tenants()
    for row in rows:
        deliver(wire.claim(), wire.at())
        every.filter(pk=row.pk, state="unknown").update(state="sent")  # else the other would wait for it
    every.filter(pk__in=[row.pk for row in rows]).update(
        state="unknown"
    )  # as before one number had one claim at a time
    wire.simulator.clear()
    for minute in (3, 4, 16):
        reconcile(wire.now + minute * MINUTE)
    assert {refreshed(row).state for row in rows} == {"held"}


def test_two_reconcilers_at_once_count_one_look(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    message = unknown(wire, "sms", "status_500")
    moment = wire.now + 3 * MINUTE
    claim = reconciling.reload(message.pk, wire.tenant_id, moment)
    assert claim is not None
    reconcile(moment)
    assert reconcile(moment) == 0
    assert (refreshed(message).lookups, refreshed(message).state) == (1, "unknown")


def test_an_error_in_asking_is_no_proof_and_does_not_stop_the_others(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = unknown(wire, "sms", "status_500")
    fine = unknown(wire, "sms", "accept_then_reset")
    real = reconciling._look_up

    def look_up(claim: Any, now: datetime) -> Any:
        if claim.id == broken.pk:
            raise ZeroDivisionError
        return real(claim, now)

    monkeypatch.setattr(reconciling, "_look_up", look_up)
    reconcile(wire.now + 3 * MINUTE)
    assert refreshed(fine).state_reason == "found_at_provider"
    assert (refreshed(broken).state, refreshed(broken).lookups) == ("unknown", 0)
    reconcile(wire.now + 16 * MINUTE)
    assert refreshed(broken).state == "held"


def test_what_nobody_decided_about_in_time_is_skipped(wire: Wire) -> None:
    message = wire.ready("email")
    mark_sending(wire.claim("email"), wire.now)
    reconcile(wire.now + 3 * MINUTE)
    reconcile(wire.now + timedelta(hours=5))
    assert refreshed(message).state == "expired"


def test_the_reconciler_has_no_way_to_send(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    from sequences.transports import transport_for

    assert not hasattr(reconciling, "send")
    message = unknown(wire, "sms", "accept_then_500")
    monkeypatch.setattr(
        "sequences.transports.twilio.TRANSPORT",
        type(transport_for("twilio"))(send=None, find=lambda *_: CannotSay("?"), may_resend=True),  # type: ignore[arg-type]
    )
    reconcile(wire.now + 3 * MINUTE)
    assert refreshed(message).state == "unknown"


def test_a_look_up_that_kills_its_worker_comes_last_the_next_time(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    deadly = unknown(wire, "sms", "status_500")
    fine = unknown(wire, "sms", "accept_then_reset")
    real = reconciling._look_up

    def look_up(claim: Any, now: datetime) -> Any:
        if claim.id == deadly.pk:
            raise SystemExit
        return real(claim, now)

    monkeypatch.setattr(reconciling, "_look_up", look_up)
    with pytest.raises(SystemExit):
        reconcile(wire.now + 3 * MINUTE)
    reconcile(wire.now + 3 * MINUTE + timedelta(seconds=30))
    assert refreshed(fine).state_reason == "found_at_provider"
    assert (refreshed(deadly).state, refreshed(deadly).lookups) == ("unknown", 0)


def test_slow_providers_do_not_keep_the_cluster_from_its_other_work(wire: Wire) -> None:
    slow = [unknown(wire, "sms", "accept_then_reset") for _ in range(3)]
    assert reconcile(wire.now + 3 * MINUTE, budget_seconds=0) == 1
    assert [refreshed(each).state_reason for each in slow].count("found_at_provider") == 1


def test_what_is_held_expires_also_when_nothing_else_is_unsettled(wire: Wire) -> None:
    wire.ready("sms", state="held", expires_at=wire.now - MINUTE)
    with connection.cursor() as cursor:
        cursor.execute(pulse.QUESTION)
        due = pulse.Due(*cursor.fetchone())
    assert [wake.kind for wake in pulse.wakes(due, wire.now, {})] == ["reconcile"]


@pytest.mark.parametrize(("channel", "provider", "apart"), [("sms", "twilio", 60), ("email", "postmark", 300)])
def test_a_list_that_comes_back_just_before_giving_up_is_not_read_twice_at_once(
    wire: Wire, channel: str, provider: str, apart: int
) -> None:
    """What a provider shows a moment after an outage may lag more than ever: two looks prove nothing unless they are far apart."""
    if provider == "postmark":
        use_postmark(wire)
    message = unknown(wire, channel, "status_500")
    sent_at = refreshed(message).sending_started_at
    back = sent_at + timedelta(minutes=14, seconds=45)
    assert reconcile(back) == 0
    assert refreshed(message).lookups == 1
    assert reconcile(sent_at + 15 * MINUTE) == 0
    assert (refreshed(message).state, refreshed(message).lookups) == ("unknown", 1)
    assert reconcile(sent_at + 15 * MINUTE + timedelta(seconds=apart)) == 1
    assert (refreshed(message).state, refreshed(message).state_reason) == ("ready", "not_sent")
