"""The row lock that decides races about a person: an opt-out and the claim of a message both take it first.

NO KEY UPDATE: rows that merely point at the person (their conversation, say) go on being written meanwhile.
"""

from collections.abc import Iterable

from django.db.models import Q

from contacts.addresses import spellings
from contacts.models import Contact


def having(address: str) -> Q:
    """Contacts with this number or mailbox, as main or alternative address, in any common spelling. Nobody has a blank one."""
    ways = [each for each in spellings(address) if each]
    if "@" in address:
        return Q(email__in=ways) | Q(alternative_email__in=ways)
    return Q(phone__in=ways) | Q(alternative_phone__in=ways)


def lock_contacts_having(address: str) -> list[Contact]:
    """Locks the current tenant's contacts with this address until the transaction ends, lowest id first; deleted ones too."""
    return list(Contact.objects.filter(having(address)).order_by("pk").select_for_update(of=("self",), no_key=True))


def lock_contacts(ids: Iterable[int]) -> list[Contact]:
    """Locks these contacts of the current tenant, lowest id first, so that two callers never wait for each other in a ring."""
    return list(Contact.objects.filter(pk__in=list(ids)).order_by("pk").select_for_update(of=("self",), no_key=True))
