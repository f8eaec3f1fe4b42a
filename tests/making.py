"""Rows for tests: make_* functions with good defaults. Give only what the test is about."""

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contacts.importing import jobs
from contacts.models import Consent, Contact, ImportJob
from contacts.models.permission import ConsentKind
from omnify.tenants.actions import create_tenant
from omnify.tenants.approvals import ask, sign
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Approval, Membership, Tenant, User
from omnify.tenants.signatures import NeedsSignature
from sequences.models import Edge, Enrollment, Sender, Sequence, Step, Version

PASSWORD = "correct horse battery staple"
EVERY_DAY = {"days": [0, 1, 2, 3, 4, 5, 6], "start": "08:00", "end": "21:00"}
CONSENT_FOR = {
    "sms": ConsentKind.PEWC_TEXT,
    "voice": ConsentKind.PEWC_ARTIFICIAL_VOICE,
    "email": ConsentKind.EMAIL_OPTIN,
}


@dataclass(frozen=True)
class People:
    alice: Membership
    bob: Membership
    charlie: Membership

    @property
    def acme(self) -> Tenant:
        return self.alice.tenant


def make_tenant(now: datetime, slug: str, owner: str, **fields: Any) -> Membership:
    """A tenant and its owner; returns the owner's membership."""
    user = User.objects.create_user(f"{owner}@{slug}.example", PASSWORD, first_name=owner.title())
    tenant = create_tenant(
        name=slug.title(),
        slug=slug,
        owner=user,
        now=now,
        **{
            "postal_address": "1 Main St, Springfield",
            "support_contact": f"help@{slug}.example",
            "business_hours": EVERY_DAY,
        }
        | fields,
    )
    return Membership.objects.all_tenants().select_related("tenant", "user").get(tenant=tenant, user=user)


def make_member(tenant: Tenant, name: str, role: str) -> Membership:
    user = User.objects.create_user(f"{name}@{tenant.slug}.example", PASSWORD, first_name=name.title())
    with tenant_context(tenant.pk):
        return Membership.objects.create(user=user, role=role)


def make_people(now: datetime) -> People:
    alice = make_tenant(now, "acme", "alice")
    return People(
        alice=alice, bob=make_member(alice.tenant, "bob", "agent"), charlie=make_tenant(now, "stranger", "charlie")
    )


_numbers = iter(range(100, 10**9))


def make_contact(
    tenant: Tenant, now: datetime, *, consents: tuple[str, ...] = ("sms", "voice", "email"), **fields: Any
) -> Contact:
    """A contact in New York with consent on every channel, unless told otherwise."""
    n = next(_numbers)
    defaults = {
        "first_name": f"Pat{n}",
        "email": f"pat{n}@people.example",
        "phone": f"+1212555{n % 10000:04d}",
        "zones": ["America/New_York"],
        "places": ["US-NY"],
        "state": "NY",
        "country": "US",
    }
    with tenant_context(tenant.pk):
        contact = Contact.objects.create(**defaults | fields)
        Consent.objects.bulk_create(
            Consent(
                tenant=tenant,
                contact=contact,
                channel=channel,
                kind=CONSENT_FOR[channel],
                given_at=now,
                source="test",
                address=contact.address_for(channel),
            )
            for channel in consents
        )
    return contact


def make_senders(tenant: Tenant) -> dict[str, Sender]:
    """One sender a channel, speaking to the simulator."""
    made = {}
    with tenant_context(tenant.pk):
        for channel, provider, address, secrets, config in (
            (
                "sms",
                "twilio",
                "+15005550006",
                {"auth_token": "token-" + tenant.slug},
                {"account_sid": f"AC{tenant.pk:032x}"},
            ),
            (
                "voice",
                "vapi",
                "phone-1",
                {"api_key": "key-" + tenant.slug, "webhook_secret": "hook-" + tenant.slug},
                {"assistant_id": "assistant-1"},
            ),
            (
                "email",
                "smtp",
                f"hello@{tenant.slug}.example",
                {"webhook_secret": "user:mail-" + tenant.slug},
                {"from_name": tenant.name},
            ),
        ):
            sender = Sender(
                tenant=tenant,
                name=f"{tenant.name} {channel}",
                channel=channel,
                provider=provider,
                address=address,
                config=config,
                simulated=True,
            )
            sender.set_credentials(secrets)
            sender.save()
            made[channel] = sender
    return made


def signed(row: Approval | None, now: datetime, by: Membership | None = None) -> Approval:
    """The one request that waits (or `row`), signed by `by`, or alone by whoever asked, at the page's own moment."""
    with tenant_context(row.tenant_id if row else by.tenant_id):  # type: ignore[union-attr]
        row = row or Approval.objects.filter(decision="").latest("pk")
        who = by or Membership.objects.get(pk=int(row.asked_by.partition(":")[2]))
        return sign(row, by=who, typed=row.phrase, now=now)


def start_import(job: ImportJob, *, by: Membership, signed_by: Membership, now: datetime) -> bool:
    """Starts a reviewed import as the pages do: where it brings written consent, `signed_by` signs it first."""
    try:
        return jobs.start_import(job, by=by, now=now)
    except NeedsSignature as needed:
        row = ask(needed.wanted, by=by, now=now)
        return sign(row, by=signed_by, typed=row.phrase, now=now).applied_at is not None


def make_sequence(
    tenant: Tenant, now: datetime, *steps: dict[str, Any], name: str = "Welcome", **fields: Any
) -> Sequence:
    """A published, active sequence of these steps, in a line. A step is {"kind": "sms", "body": …}; default: one SMS."""
    with tenant_context(tenant.pk):
        sequence = Sequence.objects.create(name=name, status="active", **{"send_window": EVERY_DAY} | fields)
        version = Version.objects.create(sequence=sequence, number=1, published_at=now)
        rows = [
            Step.objects.create(version=version, position=position, **({"body": "Hello {{ first_name }}"} | step))
            for position, step in enumerate(steps or ({"kind": "sms"},))
        ]
        for source, target in itertools.pairwise(rows):
            Edge.objects.create(version=version, source=source, target=target)
        Sequence.objects.filter(pk=sequence.pk).update(published=version)
        sequence.refresh_from_db()
    return sequence


def make_enrollment(sequence: Sequence, contact: Contact, now: datetime, **fields: Any) -> Enrollment:
    """An active enrolment, due at once, standing on the first step."""
    with tenant_context(sequence.tenant_id):
        first = Step.objects.filter(version_id=sequence.published_id).order_by("position").first()
        return Enrollment.objects.create(
            **{
                "sequence": sequence,
                "version_id": sequence.published_id,
                "contact": contact,
                "step": first,
                "enrolled_at": now,
                "next_run_at": now,
            }
            | fields
        )
