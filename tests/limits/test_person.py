"""One person, several sequences: caps over all of them, one live call, a permit that says why it was let through."""

import json
from datetime import timedelta
from typing import Any

import pytest

from omnify.promises.pretending import Provider
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences.claiming import Claim, Stopped, claim_one
from sequences.delivery import deliver
from sequences.models import Message
from sequences.outcome import apply_report
from sequences.states import Report
from tests.making import make_contact
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def caps(wire: Wire, **person: Any) -> None:
    Tenant.objects.filter(pk=wire.tenant_id).update(caps={"person": person})


def claim(wire: Wire, channel: str = "sms", later: timedelta = timedelta(0)) -> Any:
    return claim_one(channel, wire.tenant_id, wire.now + later)


def went(wire: Wire, channel: str, contact: Any, **fields: Any) -> Message:
    message = wire.ready(channel, contact, **fields)
    deliver(claim(wire, channel), wire.at())
    return refreshed(message)


def test_a_persons_day_counts_every_channel_and_what_waits_too_long_expires(wire: Wire) -> None:
    caps(wire, all={"day": 2})
    contact = wire.contact()
    went(wire, "sms", contact)
    went(wire, "email", contact)
    old = wire.ready("sms", contact)
    assert claim(wire) == Stopped(old.pk, "expired", "cap:all_day")
    patient = wire.ready("sms", contact, expires_at=wire.now + 48 * HOUR)
    assert claim(wire) == Stopped(patient.pk, "deferred", "cap:all_day")
    assert refreshed(patient).not_before == wire.now + 24 * HOUR
    assert isinstance(claim(wire, later=24 * HOUR), Claim)


def test_a_persons_cap_of_nought_lets_nothing_leave_but_answers(wire: Wire) -> None:
    caps(wire, sms={"day": 0})
    contact = wire.contact()
    message = wire.ready("sms", contact)
    assert claim(wire) == Stopped(message.pk, "deferred", "cap:sms_day")
    for purpose in ("reply", "help", "confirmation"):
        went(wire, "sms", contact, purpose=purpose)
        assert Message.objects.all_tenants().filter(purpose=purpose, state="accepted").exists()


def test_a_failed_text_counts_and_a_refused_one_does_not(wire: Wire, provider: Provider) -> None:
    caps(wire, sms={"day": 1})
    contact = wire.contact()
    provider.mood = lambda _: "refuse"
    went(wire, "sms", contact)
    provider.mood = lambda _: "accept"
    failed = went(wire, "sms", contact)
    apply_report(
        tenant_id=wire.tenant_id, message_id=failed.pk, provider="twilio", provider_id=failed.provider_id,
        report=Report("undelivered", 40), now=wire.now,
    )  # fmt: skip
    wire.ready("sms", contact)
    assert claim(wire).reason == "cap:sms_day"


def test_the_laws_cap_is_named(wire: Wire) -> None:
    contact = wire.contact(places=["US-FL"])
    for _ in range(3):
        assert went(wire, "sms", contact).state == "accepted"
    wire.ready("sms", contact)
    assert claim(wire).reason == "US-FL-cap"


def test_a_permit_says_which_rules_were_asked_and_until_when(wire: Wire) -> None:
    caps(wire, all={"week": 9})
    message = wire.ready("sms", wire.contact(places=["US-FL"]))
    found = claim(wire)
    permit = refreshed(message).permit
    assert {"cap:all_week", "US-FL-cap"} <= set(permit["rules"])
    assert len(permit["rules"]) > 2
    assert permit["until"] == found.must_arrive_by.isoformat()
    assert (permit["places"], permit["epoch"], permit["consents"]) == (["US-FL"], 1, ["pewc_text"])
    assert len(refreshed(message).account) == 64
    assert "day" not in json.dumps(permit)[1:6]


def test_a_person_is_on_one_call_and_hears_nothing_else_of_ours_meanwhile(wire: Wire) -> None:
    contact = wire.contact()
    call = went(wire, "voice", contact)
    assert call.state == "accepted"
    again, text = wire.ready("voice", contact), wire.ready("sms", contact)
    assert claim(wire, "voice") == Stopped(again.pk, "ready", "call_under_way")
    assert claim(wire) == Stopped(text.pk, "ready", "call_under_way")
    assert went(wire, "sms", contact, purpose="reply", not_before=wire.now - HOUR).state == "accepted"
    apply_report(
        tenant_id=wire.tenant_id, message_id=call.pk, provider="vapi", provider_id=call.provider_id,
        report=Report("delivered", 55), now=wire.now,
    )  # fmt: skip
    assert isinstance(claim(wire, later=timedelta(minutes=1)), Claim)


def test_a_call_without_an_end_keeps_nobody_waiting_for_ever(wire: Wire) -> None:
    contact = wire.contact()
    went(wire, "voice", contact)
    wire.ready("voice", contact, expires_at=wire.now + 9 * HOUR)
    assert claim(wire, "voice", timedelta(minutes=64)).reason == "call_under_way"
    assert isinstance(claim(wire, "voice", timedelta(minutes=66)), Claim)


def test_nobody_is_called_again_after_a_call_of_which_nobody_knows(wire: Wire, provider: Provider) -> None:
    from sequences.reconcile import reconcile

    contact = wire.contact()
    provider.mood, provider.lists = lambda _: "timeout", "down"
    call = went(wire, "voice", contact)
    for minutes in (3, 20):
        reconcile(wire.now + timedelta(minutes=minutes))
    assert refreshed(call).state == "held"
    wire.ready("voice", contact)
    assert claim(wire, "voice", HOUR).reason == "call_unknown"
    wire.ready("sms", contact)
    assert isinstance(claim(wire, later=HOUR), Claim)


def household(wire: Wire) -> tuple[Any, Any]:
    one = wire.contact(places=["US-FL"])
    return one, wire.contact(phone=one.phone, places=["US-FL"])


def test_two_contacts_with_one_number_have_one_number_s_caps_and_a_mailbox_each(wire: Wire) -> None:
    caps(wire, all={"day": 2})
    one, other = household(wire)
    went(wire, "sms", one)
    went(wire, "email", one)
    went(wire, "sms", other)  # the mail went to the first one's own mailbox
    wire.ready("sms", other)
    assert claim(wire).reason == "cap:all_day"


def test_the_law_counts_what_a_number_got_in_whosever_name(wire: Wire) -> None:
    one, other = household(wire)
    for contact in (one, other, one):
        assert went(wire, "sms", contact).state == "accepted"
    for contact in (one, other):
        wire.ready("sms", contact)
        assert claim(wire).reason == "US-FL-cap"


def test_to_one_number_one_message_at_a_time(wire: Wire) -> None:
    one, other = household(wire)
    wire.ready("voice", one)
    flying = claim(wire, "voice")
    waits = wire.ready("sms", other)
    assert claim(wire) == Stopped(waits.pk, "ready", "one_at_a_time")
    deliver(flying, wire.at())
    assert claim(wire, later=timedelta(minutes=1)) == Stopped(waits.pk, "ready", "call_under_way")


def test_another_workspace_s_messages_to_a_number_are_none_of_ours(wire: Wire) -> None:
    contact = wire.contact()
    with tenant_context(wire.people.charlie.tenant_id):
        stranger = make_contact(wire.people.charlie.tenant, wire.now, phone=contact.phone)
        Message.objects.create(
            contact=stranger, channel="sms", to_address=contact.phone, body="Hello", state="claimed", state_at=wire.now,
            created_at=wire.now, not_before=wire.now, expires_at=wire.now + HOUR,
        )  # fmt: skip
    assert went(wire, "sms", contact).state == "accepted"


@pytest.mark.parametrize("decided", ["nobody", "skip"])
def test_nor_after_its_time_was_over_and_nobody_had_found_out(wire: Wire, provider: Provider, decided: str) -> None:
    from sequences.held import skip
    from sequences.reconcile import reconcile

    contact = wire.contact()
    provider.mood, provider.lists = lambda _: "timeout", "down"
    call = went(wire, "voice", contact, expires_at=wire.now + 2 * HOUR)
    for minutes in (3, 20):
        reconcile(wire.now + timedelta(minutes=minutes))
    if decided == "skip":
        with tenant_context(wire.tenant_id):
            assert skip(call, by=wire.people.bob, now=wire.now + HOUR)
    reconcile(wire.now + 2 * HOUR)
    assert refreshed(call).state == ("cancelled" if decided == "skip" else "expired")
    second = wire.ready("voice", contact, expires_at=wire.now + 48 * HOUR)
    assert claim(wire, "voice", 2 * HOUR) == Stopped(second.pk, "deferred", "call_unknown")
    assert refreshed(second).not_before == wire.now + 24 * HOUR
    assert isinstance(claim(wire, "voice", 24 * HOUR), Claim)


def test_a_call_that_a_reply_took_back_before_it_was_placed_stands_in_no_call_s_way(wire: Wire) -> None:
    contact = wire.contact()
    wire.ready("voice", contact, state="cancelled", state_reason="replied")
    wire.ready("voice", contact, state="expired", state_reason="expired")
    wire.ready("voice", contact)
    assert isinstance(claim(wire, "voice"), Claim)
