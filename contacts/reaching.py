"""Whether each channel may be used to a person, and why not: what the list and the contact page show. Two queries for any number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contacts.importing.consents import KINDS
from contacts.models import Consent, Contact, Suppression
from contacts.models.permission import Channel, ConsentKind


@dataclass(frozen=True, slots=True)
class Reach:
    """One channel of one person. `state`: open (agreed), not_declined (nobody agreed, but email needs no consent, only no
    opt-out: docs/compliance.md), no_consent, suppressed, invalid or no_address."""

    channel: str
    address: str
    state: str
    consent: Consent | None
    suppression: Suppression | None

    @property
    def label(self) -> str:
        return _WORDS[self.state]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """What a person can agree to on this channel, the weakest first: value and words."""
        return [(value, label) for value, label in ConsentKind.choices if value in KINDS[self.channel]]


_WORDS = {
    "open": "Agreed",
    "no_consent": "No consent",
    "not_declined": "Not declined",
    "suppressed": "Suppressed",
    "invalid": "Address doubtful",
    "no_address": "No address",
}


def reach(contacts: Sequence[Contact], *, now: datetime) -> dict[int, list[Reach]]:
    """Contact id -> its channels, in the order sms, email, voice."""
    ids = [contact.pk for contact in contacts]
    agreed: dict[tuple[int, str, str], Consent] = {}
    given = Consent.objects.filter(contact_id__in=ids, revoked_at__isnull=True).exclude(kind="none")
    for consent in given.exclude(expires_at__lte=now).order_by("id"):
        agreed[consent.contact_id, consent.channel, consent.address] = consent
    addresses = {address for contact in contacts for address in (contact.email, contact.phone) if address}
    in_force = Suppression.objects.filter(address__in=addresses, lifted_at__isnull=True)
    forbidden = {(row.address, row.channel): row for row in in_force}
    return {
        contact.pk: [_reach(contact, channel, agreed, forbidden) for channel in Channel.values] for contact in contacts
    }


def _reach(
    contact: Contact,
    channel: str,
    agreed: dict[tuple[int, str, str], Consent],
    forbidden: dict[tuple[str, str], Suppression],
) -> Reach:
    address = contact.address_for(channel)
    consent, suppression = agreed.get((contact.pk, channel, address)), forbidden.get((address, channel))
    valid = contact.email_valid if channel == Channel.EMAIL else contact.phone_valid
    if not address:
        state = "no_address"
    elif suppression:
        state = "suppressed"
    elif valid is False:
        state = "invalid"
    else:
        state = "open" if consent else "not_declined" if channel == Channel.EMAIL else "no_consent"
    return Reach(channel, address, state, consent, suppression)
