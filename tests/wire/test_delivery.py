"""From ready to the person's handset, and what becomes of a message when anything on the way goes wrong."""

from datetime import timedelta
from typing import Any

import pytest

from contacts.models import Contact, Interaction, Suppression
from contacts.permissions import suppress
from omnify.tenants.models import Notification, Tenant
from sequences import claiming
from sequences.claiming import Claim, Stopped, claim_next, claim_one, tenants_with_work
from sequences.delivery import deliver, dispatch, mark_all, mark_sending, send
from sequences.models import Message, Sender
from sequences.outcome import record_outcome
from sequences.transports.base import Receipt, Uncertain
from tests.making import make_enrollment, make_sequence
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("channel", "kind"), [("sms", "sms"), ("email", "email"), ("voice", "call")])
def test_a_ready_message_reaches_the_person_once_and_is_in_the_conversation(
    wire: Wire, channel: str, kind: str
) -> None:
    message = wire.ready(channel)
    state = deliver(wire.claim(channel), wire.at())
    received = wire.received(message)
    assert [(each["kind"], each["to"]) for each in received] == [(kind, message.to_address)]
    after = refreshed(message)
    assert (after.state, after.attempt) == (state, 1)
    assert state in ("accepted", "sent")
    assert after.provider_id
    touch = Interaction.objects.all_tenants().get(message_id=message.pk)
    assert (touch.direction, touch.channel, touch.content_body) == ("outbound", channel, message.body)
    assert Contact.objects.all_tenants().get(pk=message.contact_id).last_outbound_at == wire.now
    assert claim_next([channel], wire.now) is None


def test_a_claim_is_for_one_only(wire: Wire) -> None:
    wire.ready()
    claim = wire.claim()
    assert claim_next(["sms"], wire.now) is None
    assert mark_sending(claim, wire.now)
    assert not mark_sending(claim, wire.now)


def test_nothing_is_sent_inside_a_transaction(wire: Wire) -> None:
    from django.db import transaction

    from sequences.addressing import outbound_for

    message = wire.ready()
    claim = wire.claim()
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        send(claim, outbound_for(claim, wire.now))
    assert wire.received(message) == []


@pytest.mark.parametrize(("channel", "statements"), [("sms", 4), ("email", 3)])
def test_taking_a_message_costs_few_statements(
    wire: Wire, channel: str, statements: int, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        wire.ready(channel)
    with django_assert_num_queries(statements + 2):  # BEGIN and COMMIT around them
        assert isinstance(claim_one(channel, wire.tenant_id, wire.now), Claim)


@pytest.mark.parametrize(
    ("channel", "fault"),
    [
        ("sms", "accept_then_reset"),
        ("sms", "accept_then_500"),
        ("sms", "accept_then_truncate"),
        ("sms", "status_500"),
        ("sms", "status_503"),
        ("sms", "reset"),
        ("voice", "accept_then_reset"),
        ("voice", "accept_then_500"),
        ("voice", "accept_then_truncate"),
        ("voice", "status_500"),
        ("email", "accept_then_500"),
    ],
)
def test_an_answer_that_proves_nothing_leaves_it_unknown_and_it_is_not_sent_again(
    wire: Wire, channel: str, fault: str
) -> None:
    message = wire.ready(channel)
    wire.simulator.faults([{"match": {"to": message.to_address}, "do": fault}])
    assert deliver(wire.claim(channel), wire.at()) == "unknown"
    wire.simulator.clear()
    assert dispatch([channel], now=wire.at(wire.now + timedelta(minutes=30)), budget_seconds=30) == 0
    assert refreshed(message).state == "unknown"
    assert len(wire.received(message)) == (1 if fault.startswith("accept") else 0)


@pytest.mark.parametrize("channel", ["sms", "voice", "email"])
def test_a_provider_that_takes_it_and_falls_silent_is_not_asked_twice(
    wire: Wire, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("twilio", "vapi"):
        monkeypatch.setattr(f"sequences.transports.{name}.READ_TIMEOUT", 0.4)
        monkeypatch.setattr(f"sequences.transports.{name}._local", __import__("threading").local())
    monkeypatch.setattr("sequences.transports.smtp.REPLY_TIMEOUT", 0.4)
    message = wire.ready(channel)
    wire.simulator.faults([{"match": {"to": message.to_address}, "do": {"accept_then_timeout": 3}}])
    expected = "sent" if channel == "email" else "unknown"  # after the final dot the mail server has it
    assert deliver(wire.claim(channel), wire.at()) == expected
    assert len(wire.received(message)) == 1
    if channel == "email":
        assert refreshed(message).state_reason == "no_final_answer"


@pytest.mark.parametrize(
    ("channel", "fault"),
    [("sms", "rate_limit_429"), ("voice", "rate_limit_429"), ("email", "rate_limit_429"), ("email", "reset")],
)
def test_provably_not_accepted_is_put_off_and_goes_out_later(wire: Wire, channel: str, fault: str) -> None:
    message = wire.ready(channel)
    wire.simulator.faults([{"match": {"to": message.to_address}, "do": fault, "times": 1}])
    assert deliver(wire.claim(channel), wire.at()) == "deferred"
    put_off = refreshed(message)
    assert (put_off.attempt, put_off.claim_token) == (0, None)
    assert claim_next([channel], wire.now) is None
    later = wire.now + timedelta(hours=1)
    deliver(wire.claim(channel, later), wire.at(later))
    assert len(wire.received(message)) == 1


def test_a_provider_nobody_can_reach_puts_it_off(wire: Wire, settings: Any) -> None:
    from omnify.simulator.running import free_ports

    settings.SIMULATOR_URL = f"http://127.0.0.1:{free_ports(1)[0]}"
    message = wire.ready()
    assert deliver(wire.claim(), wire.at()) == "deferred"
    assert refreshed(message).state_reason == "busy"


@pytest.mark.parametrize(
    ("channel", "temperament", "failure_type", "field", "value"),
    [
        ("sms", "landline", "landline", "phone_type", "landline"),
        ("email", "bounce", "email_bounced", "email_valid", False),
    ],
)
def test_a_parsed_refusal_ends_it_and_marks_the_address(
    wire: Wire, channel: str, temperament: str, failure_type: str, field: str, value: Any
) -> None:
    message = wire.ready(channel)
    wire.simulator.set_person(message.to_address, temperament=temperament)
    assert deliver(wire.claim(channel), wire.at()) == "rejected"
    after = refreshed(message)
    assert (after.failure_type, after.permanent) == (failure_type, True)
    assert after.error_code
    assert getattr(Contact.objects.all_tenants().get(pk=message.contact_id), field) == value
    assert wire.received(message) == []


def test_a_person_the_provider_has_on_its_stop_list_is_suppressed_here_too(wire: Wire) -> None:
    message = wire.ready()
    wire.simulator.faults([{"match": {"to": message.to_address}, "do": {"refuse": 21610}}])
    assert deliver(wire.claim(), wire.at()) == "rejected"
    rows = Suppression.objects.all_tenants().filter(address=message.to_address, lifted_at__isnull=True)
    assert "sms" in set(rows.values_list("channel", flat=True))


def test_wrong_credentials_pause_the_sender_and_tell_the_tenant_once(wire: Wire) -> None:
    messages = [wire.ready() for _ in range(3)]
    sender = Sender.objects.all_tenants().get(pk=wire.senders["sms"].pk)
    sender.set_credentials({"auth_token": "wrong"})
    sender.save()
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30, threads=3) >= 1
    states = {refreshed(message).state for message in messages}
    assert states == {"deferred"}
    assert Notification.objects.all_tenants().filter(tenant_id=wire.tenant_id).count() == 1
    later = wire.now + timedelta(minutes=16)
    sender.set_credentials({"auth_token": "token-acme"})
    sender.save(update_fields=["sealed_credentials"])
    assert dispatch(["sms"], now=wire.at(later), budget_seconds=30) == 3
    assert all(len(wire.received(message)) == 1 for message in messages)


def test_credentials_sealed_for_somebody_else_send_nothing(wire: Wire) -> None:
    message = wire.ready()
    Sender.objects.all_tenants().filter(pk=wire.senders["sms"].pk).update(sealed_credentials="v1.00000000." + "A" * 60)
    assert deliver(wire.claim(), wire.at()) == "deferred"
    assert refreshed(message).state_reason == "sender_paused"


def test_without_a_simulator_a_simulated_sender_says_so(wire: Wire, settings: Any) -> None:
    settings.SIMULATOR_URL = ""
    message = wire.ready()
    assert deliver(wire.claim(), wire.at()) == "rejected"
    assert "SIMULATOR_URL" in refreshed(message).error_text


def test_one_person_gets_one_message_at_a_time_on_any_channel(wire: Wire) -> None:
    contact = wire.contact()
    wire.ready("sms", contact)
    mail = wire.ready("email", contact)
    claim = wire.claim("sms")
    assert claim_next(["email"], wire.now) is None
    waiting = refreshed(mail)
    assert (waiting.state, waiting.state_reason) == ("ready", "one_at_a_time")
    deliver(claim, wire.at())
    assert claim_next(["email"], waiting.not_before) is not None


def test_a_person_who_said_stop_after_it_was_decided_gets_nothing(wire: Wire) -> None:
    message = wire.ready()
    suppress(
        tenant_id=wire.tenant_id,
        address=message.to_address,
        channels=["sms"],
        reason="opted_out",
        source="sms",
        now=wire.now,
        actor="person",
    )
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30) == 0
    assert (refreshed(message).state, wire.received(message)) == ("suppressed", [])


def test_the_one_confirmation_of_stop_still_goes_out(wire: Wire) -> None:
    message = wire.ready(purpose="confirmation", body="You will get no more texts from Acme.")
    suppress(
        tenant_id=wire.tenant_id,
        address=message.to_address,
        channels=["sms"],
        reason="opted_out",
        source="sms",
        now=wire.now,
        actor="person",
    )
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30) == 1
    assert len(wire.received(message)) == 1


def test_a_paused_enrolment_takes_its_message_back_and_a_completed_one_does_not(wire: Wire) -> None:
    from sequences.models import Enrollment

    sequence = make_sequence(wire.people.acme, wire.now)
    first, second = wire.contact(), wire.contact()
    replied = wire.ready("sms", first, enrollment=make_enrollment(sequence, first, wire.now))
    finished = wire.ready("sms", second, enrollment=make_enrollment(sequence, second, wire.now))
    everybody = Enrollment.objects.all_tenants()
    everybody.filter(pk=replied.enrollment_id).update(status="paused", status_reason="replied")
    everybody.filter(pk=finished.enrollment_id).update(status="completed")
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30) == 1
    assert (refreshed(replied).state, refreshed(replied).state_reason) == ("cancelled", "replied")
    assert len(wire.received(finished)) == 1


def test_the_kill_switches_are_read_when_claiming(wire: Wire, settings: Any) -> None:
    message = wire.ready()
    Tenant.objects.filter(pk=wire.tenant_id).update(sending_enabled=False)
    assert tenants_with_work("sms", wire.now) == []
    assert claim_one("sms", wire.tenant_id, wire.now) == Stopped(message.pk, "deferred", "sending_off")
    Tenant.objects.filter(pk=wire.tenant_id).update(sending_enabled=True)
    settings.SENDING = False
    later = wire.now + timedelta(minutes=2)
    assert tenants_with_work("sms", later) == []
    assert isinstance(claim_one("sms", wire.tenant_id, later), Stopped)
    settings.SENDING = True
    assert dispatch(["sms"], now=wire.at(later + timedelta(minutes=2)), budget_seconds=30) == 1


def test_a_guard_that_raises_means_not_sent_and_the_others_go_on(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned, *others = [wire.ready() for _ in range(4)]
    real = claiming.judge

    def judge(facts: Any, now: Any) -> Any:
        if facts.expires_at == poisoned.expires_at + timedelta(seconds=1):
            raise ZeroDivisionError("poison")
        return real(facts, now)

    Message.objects.all_tenants().filter(pk=poisoned.pk).update(
        expires_at=poisoned.expires_at + timedelta(seconds=1), not_before=wire.now - timedelta(hours=1)
    )
    monkeypatch.setattr(claiming, "judge", judge)
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30) == 3
    first = refreshed(poisoned)
    assert (first.state, first.crashes) == ("deferred", 1)
    assert dispatch(["sms"], now=wire.at(wire.now + timedelta(minutes=2)), budget_seconds=30) == 0
    second = refreshed(poisoned)
    assert (second.state, second.state_reason) == ("held", "guard_failed: ZeroDivisionError")
    assert wire.received(poisoned) == []
    assert all(len(wire.received(message)) == 1 for message in others)
    assert Notification.objects.all_tenants().filter(tenant_id=wire.tenant_id).count() == 1


def test_a_window_nobody_can_read_means_not_sent(wire: Wire) -> None:
    message = wire.ready(send_window={"start": "soon", "end": "later"})
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30) == 0
    assert refreshed(message).state_reason == "guard_failed: ValueError"
    assert wire.received(message) == []


def test_a_late_receipt_of_a_frozen_worker_stops_the_second_attempt(wire: Wire) -> None:
    message = wire.ready()
    claim = wire.claim()
    assert mark_sending(claim, wire.now)
    Message.objects.all_tenants().filter(pk=message.pk).update(state="ready", claim_token=None)
    assert record_outcome(claim, Receipt("SM-late", "queued"), wire.now) == "accepted"
    assert claim_next(["sms"], wire.now) is None
    assert refreshed(message).provider_id == "SM-late"


def test_an_error_that_comes_too_late_changes_nothing(wire: Wire) -> None:
    message = wire.ready()
    claim = wire.claim()
    mark_sending(claim, wire.now)
    record_outcome(claim, Receipt("SM-1", "queued"), wire.now)
    assert record_outcome(claim, Uncertain("late"), wire.now) == ""
    assert refreshed(message).state == "accepted"


def test_a_callback_that_overtakes_our_own_answer_is_kept_and_the_touch_written_once(wire: Wire) -> None:
    from sequences import states
    from sequences.outcome import apply_report

    message = wire.ready()
    claim = wire.claim()
    mark_sending(claim, wire.now)
    delivered = states.report("twilio", "delivered")
    assert delivered is not None
    common = {"tenant_id": wire.tenant_id, "message_id": message.pk, "provider": "twilio", "provider_id": "SM-2"}
    assert apply_report(**common, report=delivered, now=wire.now)
    assert not apply_report(**common, report=delivered, now=wire.now)
    record_outcome(claim, Receipt("SM-2", "queued"), wire.now)
    after = refreshed(message)
    assert (after.state, after.provider_id) == ("delivered", "SM-2")
    assert Interaction.objects.all_tenants().filter(message_id=message.pk).count() == 1


def test_a_worker_that_is_told_to_end_while_sending_leaves_it_to_the_reconciler(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: Any) -> None:
        raise SystemExit("the task's time is up")

    message = wire.ready()
    monkeypatch.setattr("sequences.delivery.send", end)
    claim = wire.claim()
    with pytest.raises(SystemExit):
        deliver(claim, wire.at())
    assert refreshed(message).state == "sending"


def test_a_worker_that_wakes_after_the_hours_are_over_does_not_send(wire: Wire) -> None:
    """Claimed at half past eight in New York, and frozen until after nine: nobody has taken the claim back meanwhile."""
    evening = wire.now.replace(hour=1, minute=30) + (wire.now - wire.now.replace(hour=16)) + timedelta(days=1)
    text, letter, answer = (
        wire.ready(not_before=evening, expires_at=evening + timedelta(hours=4), purpose=purpose, channel=channel)
        for channel, purpose in (("sms", "marketing"), ("email", "marketing"), ("sms", "reply"))
    )
    claims = {
        found.id: found
        for found in (wire.claim("sms", evening), wire.claim("email", evening), wire.claim("sms", evening))
    }
    night = evening + timedelta(minutes=31)
    marked = mark_all([claims[message.pk] for message in (text, letter, answer)], night)
    assert marked == {answer.pk}
    assert not mark_sending(claims[text.pk], night)
    assert (refreshed(text).state, refreshed(text).attempt) == ("ready", 0)
    again = claim_one("sms", wire.tenant_id, night)
    assert isinstance(again, Stopped)
    assert (again.state, again.reason.partition(":")[0]) == ("expired", "quiet_hours")


def test_a_stop_that_comes_between_the_claim_and_the_socket_is_the_last_word(wire: Wire) -> None:
    texts = [wire.ready(purpose=purpose) for purpose in ("marketing", "reply", "confirmation")]
    claims = {found.id: found for found in (wire.claim() for _ in texts)}
    for text in texts:
        suppress(
            tenant_id=wire.tenant_id, address=text.to_address, channels=["sms"], reason="opted_out", source="sms",
            now=wire.now, actor="person",
        )  # fmt: skip
    marketing, reply, confirmation = (claims[text.pk] for text in texts)
    assert not mark_sending(marketing, wire.now)
    assert mark_all([reply, confirmation], wire.now) == {confirmation.id}
    assert claim_one("sms", wire.tenant_id, wire.now) == Stopped(marketing.id, "suppressed", "suppressed")
