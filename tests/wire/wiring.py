"""A tenant on the wire, for tests: messages that are ready, and what the people received of them."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts.models import Contact
from omnify.simulator.client import SimulatorClient
from omnify.tenants.context import tenant_context
from sequences.claiming import claim_next
from sequences.delivery import deliver
from sequences.models import Message, Sender
from tests.making import People, make_contact

_phones = itertools.count(2_000_000)


@dataclass
class Wire:
    """One tenant with senders that the simulator knows, and messages that are ready."""

    people: People
    senders: dict[str, Sender]
    simulator: SimulatorClient
    now: datetime
    token: str = "postmark-acme"

    @property
    def tenant_id(self) -> int:
        return self.people.acme.pk

    def contact(self, **fields: Any) -> Contact:
        n = next(_phones)
        return make_contact(
            self.people.acme, self.now, **{"phone": f"+1212{n:07d}", "email": f"pat{n}@people.example"} | fields
        )

    def ready(self, channel: str = "sms", contact: Contact | None = None, **fields: Any) -> Message:
        contact = contact or self.contact()
        with tenant_context(self.tenant_id):
            message: Message = Message.objects.create(
                **{
                    "contact": contact,
                    "channel": channel,
                    "to_address": contact.address_for(channel),
                    "subject": "About your request" if channel == "email" else "",
                    "body": f"Hello number {next(_phones)}",
                    "sender": self.senders[channel],
                    "state_at": self.now,
                    "created_at": self.now,
                    "not_before": self.now,
                    "expires_at": self.now + timedelta(hours=4),
                }
                | fields
            )
        return message

    def received(self, message: Message) -> list[dict[str, Any]]:
        """What the person got of this message: the judge is the simulator's ledger, never our own tables."""
        return self.simulator.ledger(mark=str(message.public_id))

    def claim(self, channel: str = "sms", now: datetime | None = None) -> Any:
        found = claim_next([channel], now or self.now)
        assert found is not None
        return found

    def at(self, now: datetime | None = None) -> Callable[[], datetime]:
        return lambda: now or self.now


def refreshed(message: Message) -> Message:
    return Message.objects.all_tenants().get(pk=message.pk)


_accounts = itertools.count(1)


def with_own_accounts(wire: Wire) -> Wire:
    """Accounts and numbers of this test's own: the simulator remembers what other tests have sent, and their people said."""
    n = next(_accounts)
    sms, voice = wire.senders["sms"], wire.senders["voice"]
    sms.address, sms.config = f"+1500555{n:04d}", {"account_sid": f"AC{n:031x}f"}
    voice.address = f"phone-{n}-alone"
    voice.set_credentials({"api_key": f"key-alone-{n}"})
    wire.token = f"postmark-alone-{n}"
    with tenant_context(wire.tenant_id):
        sms.save()
        voice.save()
    wire.simulator.configure(
        {
            "twilio": [{**sms.config, **sms.credentials, "numbers": [{"number": sms.address}]}],
            "vapi": [{**voice.credentials, "phone_number_ids": [voice.address]}],
            "postmark": [{"server_token": wire.token}],
        }
    )
    return wire


def at_all_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """No hour of the day stops a message, nor when it would arrive: for tests on the real clock."""
    from sequences import guards

    monkeypatch.setattr(guards, "GUARDS", tuple(guard for guard in guards.GUARDS if guard.__name__ != "hours"))
    monkeypatch.setattr("sequences.claiming.latest_arrival", lambda facts, now: facts.expires_at)


def unknown(wire: Wire, channel: str, fault: str, **fields: Any) -> Message:
    """A message whose send went wrong in this way."""
    message = wire.ready(channel, **fields)
    wire.simulator.faults([{"match": {"to": message.to_address, "op": "create"}, "do": fault}])
    assert deliver(wire.claim(channel), wire.at()) == "unknown"
    wire.simulator.clear()
    return message


def use_postmark(wire: Wire, **config: str) -> None:
    """The wire's mail sender, at Postmark instead."""
    sender = Sender.objects.all_tenants().get(pk=wire.senders["email"].pk)
    sender.provider, sender.config = "postmark", {**sender.config, **config}
    sender.set_credentials({"server_token": "postmark-acme"})
    sender.save()
