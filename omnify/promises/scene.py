"""Whom the proofs write to: a tenant with senders, people with consent, a published sequence; plain rows, made in bulk."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contacts.models import Consent, Contact
from omnify.tenants.actions import create_tenant
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Membership, Tenant, User
from sequences.enrolling import enroll
from sequences.models import Edge, Message, Sender, Sequence, Step, Version

EVERY_DAY = {"days": [0, 1, 2, 3, 4, 5, 6], "start": "08:00", "end": "21:00"}
CONSENTS = {"sms": "pewc_text", "voice": "pewc_artificial_voice", "email": "email_optin"}
PROVIDERS = {"sms": "twilio", "email": "smtp", "voice": "vapi"}
TEXT = {"kind": "sms", "body": "Hello {{ first_name }}, it is time to talk."}

_numbers = itertools.count(1)
# Processes that make people in one database at the same time count from numbers so far apart.
FAR_APART = 1_000_000


def count_from(number: int) -> None:
    """Names, addresses and numbers of what this process makes from now on are drawn from here on."""
    global _numbers  # noqa: PLW0603 (one counter a process)
    _numbers = itertools.count(number)


@dataclass(frozen=True)
class Scene:
    """One tenant, its owner's membership, and its sender of each channel. `now`: the moment it was made."""

    tenant: Tenant
    owner: Membership
    senders: Mapping[str, Sender]
    now: datetime

    def people(self, count: int, *, consents: Iterable[str] = tuple(CONSENTS), **fields: Any) -> list[Contact]:
        """So many contacts in New York, each with an address and consent for every channel of `consents`."""
        with tenant_context(self.tenant.pk):
            rows = []
            for _ in range(count):
                n = next(_numbers)
                defaults = {
                    "first_name": f"Pat{n}", "phone": f"+1212{2_000_000 + n}", "email": f"pat{n}@people.example",
                    "zones": ["America/New_York"], "places": ["US-NY"], "state": "NY", "country": "US",
                }  # fmt: skip
                rows.append(Contact(tenant=self.tenant, **defaults | fields))
            made = Contact.objects.bulk_create(rows)
            Consent.objects.bulk_create(
                Consent(
                    tenant=self.tenant, contact=contact, channel=channel, kind=CONSENTS[channel], given_at=self.now,
                    source="proof", address=contact.address_for(channel),
                )
                for contact in made
                for channel in consents
            )  # fmt: skip
        return made

    def sequence(self, *steps: Mapping[str, Any], name: str = "Proof", **fields: Any) -> Sequence:
        """A published, active sequence of these steps, in a line; one text when none is given."""
        with tenant_context(self.tenant.pk):
            sequence = Sequence.objects.create(name=name, status="active", **{"send_window": EVERY_DAY} | fields)
            version = Version.objects.create(sequence=sequence, number=1, published_at=self.now)
            rows = [Step.objects.create(version=version, position=n, **step) for n, step in enumerate(steps or (TEXT,))]
            for source, target in itertools.pairwise(rows):
                Edge.objects.create(version=version, source=source, target=target)
            Sequence.objects.filter(pk=sequence.pk).update(published=version)
            sequence.refresh_from_db()
        return sequence

    def enrolled(self, sequence: Sequence, people: Iterable[Contact], now: datetime | None = None) -> int:
        """Enrols these people as a member would; returns how many were."""
        ids = [contact.pk for contact in people]
        return enroll(sequence, ids, by="proof", now=now or self.now).enrolled

    def message(self, contact: Contact, channel: str = "sms", **fields: Any) -> Message:
        """A message of no enrolment that is ready for the wire."""
        n = next(_numbers)
        defaults: dict[str, Any] = {
            "contact": contact, "channel": channel, "to_address": contact.address_for(channel), "body": f"Word {n}",
            "subject": f"Subject {n}" if channel != "sms" else "", "sender": self.senders[channel], "state_at": self.now,
            "created_at": self.now, "not_before": self.now, "expires_at": self.now + timedelta(hours=4),
        }  # fmt: skip
        with tenant_context(self.tenant.pk):
            made: Message = Message.objects.create(**defaults | fields)
        return made


def make(now: datetime, *, word: str = "", **fields: Any) -> Scene:
    """A tenant that may write to everybody between 8 and 21 o'clock, with a simulated sender a channel."""
    n = next(_numbers)
    word = word or f"proof{n}"
    owner = User.objects.create_user(f"{word}@owners.example")
    tenant = create_tenant(
        name=word.title(), slug=word, owner=owner, now=now,
        # Thousands are enrolled here by nobody in particular: who signs for that is proven in tests/tenants.
        **{"postal_address": "1 Main St", "business_hours": EVERY_DAY, "two_signatures": False} | fields,
    )  # fmt: skip
    with tenant_context(tenant.pk):
        membership = Membership.objects.get(user=owner)
    return Scene(tenant, membership, _senders(tenant, n), now)


def _senders(tenant: Tenant, n: int) -> dict[str, Sender]:
    given: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
        "sms": (f"+1500555{n % 10_000:04d}", {"auth_token": f"token-{n}"}, {"account_sid": f"AC{n:032x}"}),
        "email": (f"hello@{tenant.slug}.example", {"webhook_secret": f"hooks:{n}"}, {}),
        "voice": (
            f"phone-{n}",
            {"api_key": f"key-{n}", "webhook_secret": f"hook-{n}"},
            {"assistant_id": "assistant-1"},
        ),
    }
    made = {}
    with tenant_context(tenant.pk):
        for channel, (address, secrets, config) in given.items():
            sender = Sender(
                tenant=tenant, name=f"{tenant.name} {channel}", channel=channel, provider=PROVIDERS[channel],
                address=address, config=config, simulated=True,
            )  # fmt: skip
            sender.set_credentials(secrets)
            sender.save()
            made[channel] = sender
    return made
