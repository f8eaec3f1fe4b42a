"""A process whose first message needs a provider's SDK, which takes seconds to load."""

import threading
from dataclasses import replace

import pytest

from sequences import delivery, shift
from sequences.delivery import dispatch
from sequences.models import Message
from tests.wire.wiring import Wire

pytestmark = pytest.mark.django_db(transaction=True)


def test_while_a_providers_sdk_loads_no_message_is_claimed(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies while loading leaves no claim behind, and none grows old meanwhile."""
    messages = [wire.ready() for _ in range(5)]
    transport, loaded, claimed = delivery.transport_for("twilio"), threading.Event(), []

    def load() -> None:
        if not loaded.wait(0.5):  # long enough for the other threads to claim, if they were there
            claimed.append(Message.objects.all_tenants().filter(state="claimed").count())
            loaded.set()

    monkeypatch.setattr(shift, "LOADED", set())
    monkeypatch.setattr(shift, "transport_for", lambda provider: replace(transport, warm=load))
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30) == 5
    assert claimed == [0]
    assert all(len(wire.received(message)) == 1 for message in messages)
