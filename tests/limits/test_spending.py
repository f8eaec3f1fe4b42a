"""Allowances are spent in the claim, never checked: what one claim took, no other can take."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from omnify.promises.pretending import Provider
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences import spending
from sequences.claiming import Claim, Paced, Stopped, claim_one
from sequences.delivery import deliver, dispatch, mark_sending
from sequences.models import Message, Pace, Sender, Spending, VoiceSlot
from sequences.outcome import record_outcome
from sequences.reconcile import Timing, reconcile
from sequences.states import Report
from sequences.transports.base import Receipt
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


def allow(wire: Wire, channel: str = "sms", **fields: Any) -> None:
    Sender.objects.all_tenants().filter(pk=wire.senders[channel].pk).update(**fields)


def caps(wire: Wire, **stored: Any) -> None:
    Tenant.objects.filter(pk=wire.tenant_id).update(caps=stored)


def used(wire: Wire, scope: str = "sender") -> int:
    return sum(Spending.objects.all_tenants().filter(scope=scope).values_list("used", flat=True))


def claim(wire: Wire, channel: str = "sms", later: timedelta = timedelta(0), skip: tuple[int, ...] = ()) -> Any:
    return claim_one(channel, wire.tenant_id, wire.now + later, skip)


def test_without_an_allowance_nothing_is_written_about_one(wire: Wire) -> None:
    message = wire.ready()
    assert isinstance(claim(wire), Claim)
    assert refreshed(message).estimate is None
    assert not Spending.objects.all_tenants().exists()
    assert not Pace.objects.all_tenants().exists()


def test_a_sender_of_two_a_second_sends_two_a_second_and_the_queue_keeps_its_order(wire: Wire) -> None:
    allow(wire, per_second=2)
    messages = [wire.ready(not_before=wire.now - n * MINUTE) for n in (9, 8, 7)]
    assert [claim(wire).id for _ in range(2)] == [message.pk for message in messages[:2]]
    found = claim(wire)
    assert isinstance(found, Paced)
    assert (found.reason, found.sender_id) == ("cap:sender_second", wire.senders["sms"].pk)
    assert found.until - (wire.now + SECOND / 2) < SECOND / 100
    waiting = refreshed(messages[2])
    assert (waiting.state, waiting.state_reason) == ("ready", "cap:sender_second")
    assert waiting.not_before == messages[2].not_before
    assert claim(wire, later=found.until - wire.now).id == messages[2].pk


def test_one_senders_pace_keeps_no_other_sender_waiting(wire: Wire) -> None:
    allow(wire, per_second=0.001)
    other = Sender.objects.all_tenants().get(pk=wire.senders["sms"].pk)
    other.pk, other.is_default, other.per_second = None, False, None
    other.public_id, other.webhook_key = None, "another"
    from omnify.lib.ids import public_id

    other.public_id = public_id()
    other.save(force_insert=True)
    for _ in range(5):
        wire.ready()
    late = [wire.ready(sender=other, not_before=wire.now) for _ in range(3)]
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30, threads=2) == 4
    assert {refreshed(each).state for each in late} == {"accepted"}


def test_a_clock_that_ran_ahead_does_not_stop_the_sender_for_as_long(wire: Wire) -> None:
    allow(wire, per_second=1)
    wire.ready()
    wire.ready(expires_at=wire.now + 2 * DAY)
    assert isinstance(claim(wire, later=HOUR_AHEAD), Claim)
    assert isinstance(claim(wire), Claim)


HOUR_AHEAD = timedelta(hours=1)


def test_a_day_of_two_messages_ends_after_two_and_begins_at_the_tenants_midnight(wire: Wire) -> None:
    allow(wire, per_day=2)
    messages = [wire.ready(expires_at=wire.now + 2 * DAY) for _ in range(3)]
    assert all(isinstance(claim(wire), Claim) for _ in range(2))
    found = claim(wire)
    assert found == Stopped(messages[2].pk, "deferred", "cap:sender_day")
    midnight = wire.now.replace(hour=5, minute=0) + DAY  # in New York
    assert refreshed(messages[2]).not_before == midnight
    assert used(wire) == 2
    # At eight the next morning the window is open again and the day is new.
    assert isinstance(claim(wire, later=timedelta(hours=21)), Claim)


def test_what_would_be_old_by_tomorrow_expires_in_sight(wire: Wire) -> None:
    allow(wire, per_day=0)
    message = wire.ready()
    assert claim(wire) == Stopped(message.pk, "expired", "cap:sender_day")


def test_an_allowance_set_at_noon_counts_the_morning(wire: Wire) -> None:
    for _ in range(3):
        wire.ready()
        deliver(claim(wire), wire.at())
    allow(wire, per_day=4)
    wire.ready()
    assert isinstance(claim(wire), Claim)
    wire.ready()
    assert isinstance(claim(wire), Stopped)
    assert used(wire) == 4


@pytest.mark.parametrize(("money", "sent"), [("0.0226", 2), ("0.0225", 1), ("0", 0), (None, 3)])
def test_money_is_spent_up_to_the_cap_and_no_further(wire: Wire, money: str | None, sent: int) -> None:
    caps(wire, money_per_day=money)
    for _ in range(3):
        wire.ready()
    found = [claim(wire) for _ in range(3)]
    assert sum(isinstance(each, Claim) for each in found) == sent
    assert {each.reason for each in found if isinstance(each, Stopped)} <= {"cap:tenant_money"}


def test_the_providers_price_takes_the_estimates_place(wire: Wire) -> None:
    caps(wire, money_per_day="1")
    message = wire.ready()
    taken = claim(wire)
    assert refreshed(message).estimate == Decimal("0.01130")
    mark_sending(taken, wire.now)
    record_outcome(taken, Receipt("SM-1", "queued", cost=Decimal("0.0300")), wire.now)
    row = Spending.objects.all_tenants().get(scope="tenant")
    assert (row.amount, row.used) == (Decimal("0.03"), 1)
    assert refreshed(message).estimate == Decimal("0.03")


def test_what_did_not_leave_is_given_back_once(wire: Wire, provider: Provider) -> None:
    allow(wire, per_day=5)
    for mood, state in (("busy", "deferred"), ("refuse", "rejected")):
        provider.mood = lambda _, mood=mood: mood  # type: ignore[misc]
        message = wire.ready()
        assert deliver(claim(wire), wire.at()) == state
        assert used(wire) == 0
        assert refreshed(message).estimate is None
        spending.refund(message.pk, wire.tenant_id)
        assert used(wire) == 0


def test_a_proven_absence_gives_back_and_the_second_attempt_pays_again(wire: Wire, provider: Provider) -> None:
    allow(wire, per_day=5)
    provider.mood, provider.lists = lambda _: "timeout", "all"
    message = wire.ready()
    assert deliver(claim(wire), wire.at()) == "unknown"
    assert used(wire) == 1
    looks = Timing(between_looks=timedelta(0))
    for minutes in (3, 5):
        reconcile(wire.now + minutes * MINUTE, timing=looks)
    assert refreshed(message).state == "ready"
    assert used(wire) == 0
    provider.mood = lambda _: "accept"
    assert isinstance(claim(wire, later=6 * MINUTE), Claim)
    assert used(wire) == 1


def test_a_refund_that_comes_after_the_next_claim_takes_nothing_from_it(wire: Wire) -> None:
    allow(wire, "voice", per_day=5, max_concurrent=1)
    message = wire.ready("voice")
    assert isinstance(claim(wire, "voice"), Claim)
    spending.refund(message.pk, wire.tenant_id)
    assert used(wire) == 1
    assert VoiceSlot.objects.all_tenants().count() == 1


def test_what_was_uncertain_stays_spent(wire: Wire, provider: Provider) -> None:
    allow(wire, per_day=5)
    provider.mood, provider.lists = lambda _: "timeout", "down"
    wire.ready()
    deliver(claim(wire), wire.at())
    for minutes in (3, 20):
        reconcile(wire.now + minutes * MINUTE)
    assert Message.objects.all_tenants().get().state == "held"
    assert used(wire) == 1


def test_nothing_taken_stays_taken_when_the_last_allowance_has_nothing_left(wire: Wire) -> None:
    allow(wire, per_second=1, per_day=5)
    caps(wire, money_per_day="0.001")
    wire.ready()
    assert isinstance(claim(wire), Stopped)
    assert used(wire) == 0
    assert not Pace.objects.all_tenants().exists()


def test_two_lines_carry_two_calls_until_one_ends(wire: Wire, provider: Provider) -> None:
    from sequences.outcome import apply_report

    allow(wire, "voice", max_concurrent=2)
    messages = [wire.ready("voice") for _ in range(3)]
    for _ in range(2):
        deliver(claim(wire, "voice"), wire.at())
    found = claim(wire, "voice")
    assert isinstance(found, Paced)
    assert found.reason == "cap:sender_calls"
    for _ in range(2):  # the report comes twice
        apply_report(
            tenant_id=wire.tenant_id, message_id=messages[0].pk, provider="vapi",
            provider_id=refreshed(messages[0]).provider_id, report=Report("delivered", 55), now=wire.now,
        )  # fmt: skip
    assert VoiceSlot.objects.all_tenants().count() == 1
    assert isinstance(claim(wire, "voice"), Claim)
    assert VoiceSlot.objects.all_tenants().count() == 2


def test_a_call_whose_end_nobody_tells_frees_its_line_in_the_end(wire: Wire) -> None:
    allow(wire, "voice", max_concurrent=1)
    deliver_one = wire.ready("voice")
    deliver(claim(wire, "voice"), wire.at())
    assert refreshed(deliver_one).state == "accepted"
    wire.ready("voice", expires_at=wire.now + DAY)
    assert isinstance(claim(wire, "voice", 64 * MINUTE), Paced)
    assert isinstance(claim(wire, "voice", 65 * MINUTE), Claim)
    assert spending.reap_lines(wire.now + 65 * MINUTE) == 1
    assert VoiceSlot.objects.all_tenants().count() == 1


@pytest.mark.parametrize("mood", ["refuse", "busy"])
def test_a_call_that_was_not_placed_holds_no_line(wire: Wire, provider: Provider, mood: str) -> None:
    allow(wire, "voice", max_concurrent=1)
    provider.mood = lambda _: mood
    wire.ready("voice")
    deliver(claim(wire, "voice"), wire.at())
    assert not VoiceSlot.objects.all_tenants().exists()


def test_no_lines_and_no_pace_let_nothing_leave(wire: Wire) -> None:
    allow(wire, "voice", max_concurrent=0)
    allow(wire, "sms", per_second=0)
    wire.ready("voice")
    wire.ready("sms")
    assert isinstance(claim(wire, "voice"), Paced)
    assert isinstance(claim(wire, "sms"), Paced)


def test_an_allowance_that_was_lifted_for_a_while_counts_what_left_meanwhile(wire: Wire) -> None:
    def send(count: int) -> None:
        for _ in range(count):
            wire.ready()
            deliver(claim(wire), wire.at())

    def change(per_day: int | None, money: Decimal | None) -> None:
        from sequences.allowances import change_limits

        given = {"person": {}, "money_per_day": money, "senders": {wire.senders["sms"].pk: {"per_day": per_day}}}
        with tenant_context(wire.tenant_id):
            tenant = Tenant.objects.get(pk=wire.tenant_id)
            change_limits(tenant, **given, by=wire.people.alice, now=wire.now)  # type: ignore[arg-type]

    change(5, Decimal("1"))
    send(1)
    allow(wire, per_day=None)
    caps(wire)
    send(3)
    change(5, Decimal("1"))
    wire.ready()
    assert isinstance(claim(wire), Claim)
    assert used(wire) == 5
    assert Spending.objects.all_tenants().get(scope="tenant").amount == 5 * Decimal("0.0113")
    wire.ready()
    assert claim(wire).reason == "cap:sender_day"


def test_money_set_at_noon_counts_the_morning_at_the_sender_s_own_price(wire: Wire) -> None:
    allow(wire, config={"account_sid": "AC0", "price": "0.02"})
    for body in ("Hello", "x" * 161):
        wire.ready(body=body)
        deliver(claim(wire), wire.at())
    caps(wire, money_per_day="0.10")
    wire.ready(body="Hello again")
    assert isinstance(claim(wire), Claim)
    assert Spending.objects.all_tenants().get(scope="tenant").amount == Decimal("0.08")


def test_what_may_have_left_already_and_is_sent_again_by_a_person_is_paid_for_again(
    wire: Wire, provider: Provider
) -> None:
    from sequences.held import send_again

    allow(wire, per_day=2)
    provider.mood, provider.lists = lambda _: "accept_then_timeout", "down"
    message = wire.ready(expires_at=wire.now + 8 * HOUR_AHEAD)
    deliver(claim(wire), wire.at())
    for minutes in (3, 20):
        reconcile(wire.now + minutes * MINUTE)
    assert (refreshed(message).state, used(wire)) == ("held", 1)
    with tenant_context(wire.tenant_id):
        assert send_again(refreshed(message), by=wire.people.bob, now=wire.now)
    assert isinstance(claim(wire), Claim)
    assert used(wire) == 2
