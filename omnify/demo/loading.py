"""Puts the whole demo into the database. A second time it adds what is missing and changes nothing else."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from contacts.models import Company, Contact
from contacts.models.permission import ConsentKind
from contacts.permissions import give_consent, suppress
from contacts.places import place_of
from omnify.demo.journey import demo_sequence
from omnify.demo.people import PEOPLE, Person
from omnify.demo.workspace import demo_owner, demo_senders, demo_tenant, kept_login
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Membership, Tenant, User
from sequences.models import Sequence

KINDS = {
    "sms": ConsentKind.PEWC_TEXT,
    "voice": ConsentKind.PEWC_ARTIFICIAL_VOICE,
    "email": ConsentKind.EMAIL_OPTIN,
}
AGREED = "Northwind Solar may text, call (also with an artificial voice) and write to me about solar roofs."


@dataclass(frozen=True)
class Demo:
    tenant: Tenant
    sequence: Sequence
    email: str
    password: str


def load_demo(state_dir: Path, *, now: datetime) -> Demo:
    """Makes the tenant `demo` with its people, senders and sequence; enrols nobody. Run as the system role."""
    login = kept_login(state_dir)
    with transaction.atomic():  # all of it or nothing: the next `manage.py up` looks only for the tenant
        owner = demo_owner(login)
        tenant = demo_tenant(owner, now=now)
        return _fill(tenant, owner, login, now=now)


def _fill(tenant: Tenant, owner: User, login: dict[str, str], *, now: datetime) -> Demo:
    with tenant_context(tenant.pk):
        member = Membership.objects.get(user=owner)
        demo_senders(tenant)
        for person in PEOPLE:
            demo_contact(person, member, now=now)
        sequence = demo_sequence(by=member, now=now)
    return Demo(tenant, sequence, login["email"], login["password"])


def demo_contact(person: Person, owner: Membership, *, now: datetime) -> Contact:
    """One of the demo's people with what they allowed and forbade. Run in the tenant's context."""
    found = Contact.objects.alive().filter(email=person.email).first()
    if found is not None:
        return found
    company = Company.objects.filter(name__iexact=person.company).first() if person.company else None
    if company is None and person.company:
        company = Company.objects.create(name=person.company)
    contact: Contact = Contact.objects.create(
        first_name=person.first_name,
        last_name=person.last_name,
        title=person.title,
        company=company,
        owner=owner,
        email=person.email,
        phone=person.phone,
        email_valid=True,
        phone_valid=True,
        phone_type=person.phone_type,
        timezone=person.zone,
        zones=[person.zone],
        places=list(place_of(country=person.country, state=person.state, e164=person.phone).places),
        city=person.city,
        state=person.state,
        country=person.country,
        tags=["demo"],
        source="demo",
    )
    for channel in person.consents:
        give_consent(
            contact_id=contact.pk,
            address=contact.address_for(channel),
            channel=channel,
            kind=KINDS[channel],
            source="demo form",
            text_shown=AGREED,
            seller="Northwind Solar",
            now=now,
            actor=f"member:{owner.pk}",
        )
    if person.suppressed:
        for address, channels in ((contact.phone, ("sms", "voice")), (contact.email, ("email",))):
            suppress(
                tenant_id=contact.tenant_id,
                address=address,
                channels=channels,
                reason="opted_out",
                source="member",
                quote="Please leave me alone.",
                now=now,
                actor=f"member:{owner.pk}",
            )
    return contact
