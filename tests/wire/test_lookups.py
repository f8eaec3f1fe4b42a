"""What a look-up proves: only the place where a message left, and the time, can say that it never did."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from omnify.tenants.context import tenant_context
from sequences.addressing import account_of
from sequences.delivery import deliver
from sequences.models import Sender
from sequences.reconcile import reconcile
from sequences.transports.listing import reader_for
from tests.wire.wiring import Wire, refreshed, unknown, use_postmark

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("always_open")]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    """The simulator dates what it accepts by the real clock."""
    return datetime.now(UTC)


def test_a_mail_of_another_stream_is_looked_for_there(wire: Wire) -> None:
    """Postmark's lists show the stream "outbound" alone unless they are asked for another, and what is for many has its own."""
    use_postmark(wire, message_stream="broadcasts")
    message = unknown(wire, "email", "accept_then_reset")
    for minute in (3, 8):
        reconcile(wire.now + minute * MINUTE)
    assert refreshed(message).state_reason == "found_at_provider"
    sender = Sender.objects.all_tenants().get(pk=wire.senders["email"].pk)
    reader, now = reader_for("postmark"), datetime.now(UTC)
    assert reader is not None
    account = account_of(sender)
    assert str(message.public_id) in [each.mark for each in reader.sent(account, now - HOUR, now + MINUTE)]
    bounced = wire.ready("email", to_address="gone@bounce.example")
    deliver(wire.claim("email"), wire.at())
    assert wire.simulator.settled(10)
    found = [json.loads(each.body) for each in reader.events(account, "status", now - HOUR, now + 10 * MINUTE)]
    assert str(bounced.public_id) in [each.get("Metadata", {}).get("m") for each in found]


def test_a_mail_whose_stream_was_changed_since_is_not_looked_for_in_the_new_one(wire: Wire) -> None:
    use_postmark(wire, message_stream="broadcasts")
    message = unknown(wire, "email", "accept_then_reset")
    use_postmark(wire, message_stream="outbound")
    for minute in (3, 8, 16):
        reconcile(wire.now + minute * MINUTE)
    assert (refreshed(message).state, refreshed(message).state_reason) == ("held", "no_proof")


def test_a_text_that_left_from_the_number_of_before_is_not_sent_a_second_time(wire: Wire) -> None:
    message = unknown(wire, "sms", "accept_then_reset")
    sender = wire.senders["sms"]
    sender.address = "+15005550009"
    with tenant_context(wire.tenant_id):
        sender.save()
    for minute in (3, 4, 5, 16):
        reconcile(wire.now + minute * MINUTE)
    assert (refreshed(message).state, refreshed(message).state_reason) == ("held", "no_proof")
    assert len(wire.received(message)) == 1


def test_a_call_that_was_placed_from_the_number_of_before_is_found(wire: Wire) -> None:
    message = unknown(wire, "voice", "accept_then_reset")
    sender = wire.senders["voice"]
    sender.address = "phone-2"
    with tenant_context(wire.tenant_id):
        sender.save()
    for minute in (3, 4):
        reconcile(wire.now + minute * MINUTE)
    assert refreshed(message).state_reason == "found_at_provider"


@pytest.mark.parametrize("ahead", [-8 * MINUTE, timedelta(seconds=-6), timedelta(seconds=6), 8 * MINUTE])
@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_a_clock_of_ours_that_is_wrong_makes_nothing_absent(wire: Wire, channel: str, ahead: timedelta) -> None:
    wire.now += ahead
    message = unknown(wire, channel, "accept_then_reset")
    for minute in (3, 4, 16):
        reconcile(wire.now + minute * MINUTE)
    assert refreshed(message).state_reason in ("found_at_provider", "no_proof")
    assert len(wire.received(message)) == 1
