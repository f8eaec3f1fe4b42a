"""The verbs that change contacts. Each is atomic, conditional, and records one event. Pages, API and admin call these."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Lower

from contacts.erasing import forget, recall
from contacts.locks import addresses_of, lock_contacts
from contacts.models import Company, Contact
from contacts.places import place_of
from omnify.lib import live
from omnify.tenants.context import require_tenant_id
from omnify.tenants.events import record
from omnify.tenants.models import Tenant

# What create and update take; everything else of a contact is the conversation's to say.
EDITABLE = (
    "first_name", "last_name", "title", "email", "phone", "alternative_email", "alternative_phone", "timezone", "address_line",
    "city", "state", "postal_code", "country", "language", "tags", "custom_fields", "source", "lead_score", "owner_id",
)  # fmt: skip
_PLACES = ("timezone", "country", "state", "city", "postal_code", "phone")
_ADDRESSES = ("phone", "alternative_phone", "email", "alternative_email")
# What a deletion removes: everything that says who it was. Suppressions stay, by a hash of the address: they bind for ever.
SCRUBBED: dict[str, Any] = {
    **dict.fromkeys(
        ("first_name", "last_name", "title", "email", "phone", "alternative_email", "alternative_phone", "timezone", "address_line",
         "city", "postal_code", "source", "conversation_summary", "last_interaction_summary", "last_call_summary", "last_sms_reply"),
        "",
    ),
    "custom_fields": {}, "tags": [], "company_id": None, "owner_id": None,
}  # fmt: skip
MOST_TAGS = 50


class EmailTaken(Exception):
    """Another living contact of the tenant has this e-mail address: `contact`."""

    def __init__(self, contact: Contact) -> None:
        super().__init__(f"{contact} has this email address already.")
        self.contact = contact


class OnHold(Exception):
    """Nobody can be deleted: the workspace is under a legal hold (omnify.tenants.retention)."""

    def __init__(self) -> None:
        super().__init__("This workspace is under a legal hold: nobody can be deleted until an owner ends it.")


def create_contact(values: dict[str, Any], *, actor: str, now: datetime) -> Contact:
    """A new contact from EDITABLE values and `company` (a name), addresses normalised by the caller. Raises EmailTaken."""
    plain = {"source": "manual"} | {name: values[name] for name in EDITABLE if name in values}
    try:
        with transaction.atomic():
            _free(plain.get("email", ""))
            contact: Contact = Contact.objects.create(
                **plain, company=_company(values.get("company", "")), **_whereabouts(plain)
            )
            recall(addresses_of(contact))
            record("contact.created", tenant_id=contact.tenant_id, now=now, actor=actor, subject=contact)
            live.hint(contact.tenant_id, "contacts")
    except IntegrityError:
        _free(plain.get("email", ""))  # somebody else was faster by a moment: now they are to be seen
        raise
    return contact


def update_contact(contact: Contact, values: dict[str, Any], *, actor: str, now: datetime) -> bool:
    """Writes the values that differ (EDITABLE and `company`). False when nothing differs or the contact was deleted. Raises EmailTaken."""
    try:
        with transaction.atomic():
            if not _written(contact, values, actor=actor, now=now):
                return False
    except IntegrityError:
        _free(values.get("email", ""), but=contact.pk)
        raise
    contact.refresh_from_db()
    return True


def _written(contact: Contact, values: dict[str, Any], *, actor: str, now: datetime) -> bool:
    row = Contact.objects.alive().filter(pk=contact.pk).select_related("company").first()
    if row is None:
        return False
    wanted = {name: values[name] for name in EDITABLE if name in values}
    changes = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if "company" in values and values["company"] != (row.company.name if row.company else ""):
        company = _company(values["company"])
        changes["company_id"] = company.pk if company else None
    if not changes:
        return False
    if changes.get("email"):
        _free(changes["email"], but=row.pk)
    changes |= _consequences(row, changes)
    Contact.objects.alive().filter(pk=row.pk).update(**changes, updated_at=now)
    recall(changes[name] for name in _ADDRESSES if name in changes)
    record("contact.updated", tenant_id=row.tenant_id, now=now, actor=actor, subject=row, fields=sorted(changes))
    _hint(row)
    return True


def delete_contact(contact: Contact, *, actor: str, now: datetime) -> bool:
    """Removes a person: who they were is erased, what they forbade stays, soon as hashes alone (contacts.erasing). False when they
    were deleted before.

    The conversation stays with the nameless row, as the record of what was sent, and its words for a month (contacts.clearing);
    subscribers of contact.deleted take them out of sequences, and a message on its way is stopped by the guard at the wire.
    Raises OnHold.
    """
    with transaction.atomic():
        if Tenant.objects.filter(pk=contact.tenant_id, legal_hold=True).exists():
            raise OnHold
        for row in lock_contacts([contact.pk]):
            forget(row)
        if not Contact.objects.alive().filter(pk=contact.pk).update(**SCRUBBED, deleted_at=now, updated_at=now):
            return False
        # With them goes what merges had left on the rows of their former selves.
        Contact.objects.filter(merged_into=contact).update(custom_fields={})
        record("contact.deleted", tenant_id=contact.tenant_id, now=now, actor=actor, subject=contact)
        _hint(contact)
    return True


def tag_contacts(contacts: Iterable[Contact], tag: str, *, actor: str, now: datetime) -> int:
    """Adds a tag where it is missing. Returns to how many."""
    return _retag(contacts, tag, "contact.tagged", True, actor=actor, now=now)


def untag_contacts(contacts: Iterable[Contact], tag: str, *, actor: str, now: datetime) -> int:
    """Takes a tag off those who have it. Returns off how many."""
    return _retag(contacts, tag, "contact.untagged", False, actor=actor, now=now)


def _retag(contacts: Iterable[Contact], tag: str, kind: str, on: bool, *, actor: str, now: datetime) -> int:
    tag = " ".join(tag.split())[:60]
    changed = 0
    with transaction.atomic():
        for row in lock_contacts(contact.pk for contact in contacts):
            if not tag or row.deleted_at or (tag in row.tags) == on or (on and len(row.tags) >= MOST_TAGS):
                continue
            tags = [*row.tags, tag] if on else [each for each in row.tags if each != tag]
            Contact.objects.filter(pk=row.pk).update(tags=tags, updated_at=now)
            record(kind, tenant_id=row.tenant_id, now=now, actor=actor, subject=row, tag=tag)
            changed += 1
        if changed:
            live.hint(require_tenant_id(), "contacts")
    return changed


def _consequences(row: Contact, changes: dict[str, Any]) -> dict[str, Any]:
    """What else is no longer known when an address or a place changes."""
    more: dict[str, Any] = {}
    if "phone" in changes:
        more |= {"phone_valid": None, "phone_type": "unknown"}
    if "email" in changes:
        more["email_valid"] = None
    if any(name in changes for name in _PLACES):
        more |= _whereabouts({name: changes.get(name, getattr(row, name)) for name in _PLACES})
    return more


def _whereabouts(values: dict[str, Any]) -> dict[str, list[str]]:
    """The candidate zones and jurisdictions that a contact's own words give."""
    place = place_of(
        *(values.get(name, "") for name in ("timezone", "country", "state", "city", "postal_code", "phone"))
    )
    return {"zones": list(place.zones), "places": list(place.places)}


def _company(name: str) -> Company | None:
    """The company of this name, whatever its capitals; made where there is none."""
    name = " ".join(name.split())[:200]
    if not name:
        return None
    if known := _known_company(name):
        return known
    try:
        with transaction.atomic():
            made: Company = Company.objects.create(name=name)
    except IntegrityError:  # somebody else made it at this very moment
        return _known_company(name)
    return made


def _known_company(name: str) -> Company | None:
    """Folded by the database, as its constraint and an import fold: `iexact` compares capitals, and ß has none."""
    known: Company | None = Company.objects.alias(folded=Lower("name")).filter(folded=Lower(Value(name))).first()
    return known


def _free(email: str, but: int | None = None) -> None:
    if email and (other := Contact.objects.alive().filter(email=email).exclude(pk=but).first()):
        raise EmailTaken(other)


def _hint(contact: Contact) -> None:
    live.hint(contact.tenant_id, "contacts")
    live.hint(contact.tenant_id, f"contact:{contact.public_id}")
