"""After a STOP, what a provider still holds back is taken back; what has left is left to its own status."""

from datetime import UTC, datetime

import pytest

from sequences.delivery import deliver
from sequences.models import Message
from sequences.recalling import recall
from tests.wire.wiring import Wire, refreshed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("always_open")]


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def accepted(wire: Wire, channel: str, *, dwell: float) -> Message:
    message = wire.ready(channel)
    match = {"to": message.to_address, "op": "create"}
    if dwell:
        wire.simulator.faults([{"match": match, "do": {"dwell_s": dwell}}])
    deliver(wire.claim(channel), wire.at())
    wire.simulator.clear()
    return refreshed(message)


@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_what_the_provider_still_holds_is_taken_back_and_never_arrives(wire: Wire, channel: str) -> None:
    message = accepted(wire, channel, dwell=1.5)
    assert message.state == "accepted"
    assert recall(wire.tenant_id, message.contact_id, ("sms", "voice"), wire.now) == 1
    assert (refreshed(message).state, refreshed(message).state_reason) == ("cancelled", "opted_out")
    assert wire.simulator.settled(10)
    assert wire.received(message) == []
    assert recall(wire.tenant_id, message.contact_id, ("sms", "voice"), wire.now) == 0


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_what_has_left_is_not_called_taken_back(wire: Wire, channel: str) -> None:
    message = accepted(wire, channel, dwell=0)
    assert wire.simulator.settled(10)
    before = refreshed(message).state
    assert recall(wire.tenant_id, message.contact_id, ("sms", "voice", "email"), wire.now) == 0
    assert refreshed(message).state == before
    assert len(wire.received(message)) == 1


def test_another_channel_and_the_confirmation_itself_are_left_alone(wire: Wire) -> None:
    text = accepted(wire, "sms", dwell=2)
    Message.objects.all_tenants().filter(pk=text.pk).update(purpose="confirmation")
    assert recall(wire.tenant_id, text.contact_id, ("sms",), wire.now) == 0
    Message.objects.all_tenants().filter(pk=text.pk).update(purpose="marketing")
    assert recall(wire.tenant_id, text.contact_id, ("email",), wire.now) == 0
    assert recall(wire.tenant_id, text.contact_id, ("sms",), wire.now) == 1


def test_an_account_that_was_edited_since_is_not_asked_and_a_provider_that_does_not_answer_changes_nothing(
    wire: Wire,
) -> None:
    text = accepted(wire, "sms", dwell=2)
    Message.objects.all_tenants().filter(pk=text.pk).update(account="0" * 64)
    assert recall(wire.tenant_id, text.contact_id, ("sms",), wire.now) == 0
    Message.objects.all_tenants().filter(pk=text.pk).update(account=text.account)
    wire.simulator.faults([{"match": {"op": "cancel"}, "do": "status_500"}])
    assert recall(wire.tenant_id, text.contact_id, ("sms",), wire.now) == 0
    assert refreshed(text).state == "accepted"
