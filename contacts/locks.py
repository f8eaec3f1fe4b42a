"""The locks that decide races about a person: an opt-out and the claim of a message take the same ones.

Everybody takes them in one order (docs/reliability.md, "Who locks what"): contacts, lowest id first; addresses; enrolments;
messages. Rows are locked NO KEY UPDATE: what merely points at the person (their conversation, say) goes on being written.
"""

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from django.db import OperationalError, connection
from django.db.models import Q

from contacts.addresses import normalised, spellings
from contacts.models import Contact, Suppression
from omnify.tenants.context import require_tenant_id

Done = TypeVar("Done")
# Key spaces of PostgreSQL's advisory locks, two numbers each: addresses, and first words from an unknown address.
ADDRESSES, FIRST_WORDS = 7301, 7302
# Of more addresses than this all of the tenant's are locked at once: PostgreSQL's table of locks is not endless.
MOST_ADDRESSES = 200

# address_locks: in the order of their keys, as everybody takes them. The claim (sequences.claiming.TAKE) writes the same keys.
LOCK_KEYS = """
SELECT pg_advisory_xact_lock(%(space)s, key)
FROM (SELECT DISTINCT hashtext(word) AS key FROM unnest(%(words)s::text[]) AS word ORDER BY 1) AS keys
"""


def having(address: str) -> Q:
    """Contacts with this number or mailbox, as main or alternative address, in any common spelling. Nobody has a blank one."""
    ways = [each for each in spellings(address) if each]
    if "@" in address:
        return Q(email__in=ways) | Q(alternative_email__in=ways)
    return Q(phone__in=ways) | Q(alternative_phone__in=ways)


def lock_contacts_having(address: str) -> list[Contact]:
    """Locks the current tenant's contacts with this address until the transaction ends, lowest id first; deleted ones too.

    Those who share another address with them are locked along, in the same order: an opt-out closes these addresses too, and
    two opt-outs must never wait for each other in a ring. Only those with this very address are returned.
    """
    held: dict[int, Contact] = {}
    while True:
        near = list(Contact.objects.filter(having(address)).only(*_ADDRESSES))
        if all(contact.pk in held for contact in near):
            return [held[contact.pk] for contact in sorted(near, key=lambda each: each.pk)]
        # Again until nobody is new: somebody may have got the address while we waited for a lock.
        held |= lock_together(near)


_ADDRESSES = ("phone", "alternative_phone", "email", "alternative_email")


def addresses_of(contact: Contact) -> list[str]:
    """The contact's own addresses, the main ones first."""
    return [
        each for each in (contact.phone, contact.alternative_phone, contact.email, contact.alternative_email) if each
    ]


def lock_together(contacts: Iterable[Contact]) -> dict[int, Contact]:
    """Locks these contacts and everybody who shares an address with one of them, lowest id first, by id."""
    contacts = list(contacts)
    wanted = Q(pk__in=[contact.pk for contact in contacts])
    for address in {normalised(each) for contact in contacts for each in addresses_of(contact)}:
        wanted |= having(address)
    rows = Contact.objects.filter(wanted).order_by("pk").select_for_update(of=("self",), no_key=True)
    return {contact.pk: contact for contact in rows}


def lock_contacts(ids: Iterable[int]) -> list[Contact]:
    """Locks these contacts of the current tenant, lowest id first, so that two callers never wait for each other in a ring."""
    return list(Contact.objects.filter(pk__in=list(ids)).order_by("pk").select_for_update(of=("self",), no_key=True))


def lock_addresses(addresses: Collection[str]) -> None:
    """Until the transaction ends, no message to these addresses of the current tenant is claimed; waits for claims under way.

    After the contacts' own locks. The rows are not enough: a contact may get the address (an edit, a merge, an import) after
    its holders were locked. None: to no address at all.
    """
    tenant_id = require_tenant_id()
    if len(addresses) > MOST_ADDRESSES:
        _lock(ADDRESSES, [str(tenant_id)])
        return
    ways = {f"{tenant_id}:{way.lower()}" for address in addresses for way in spellings(address) if way}
    _lock(ADDRESSES, sorted(ways))


def lock_suppressions(addresses: Collection[str]) -> list[Suppression]:
    """Everything that was ever forbidden at these normalised addresses of the current tenant, held until the transaction ends."""
    return list(Suppression.objects.filter(address__in=addresses).order_by("pk").select_for_update(of=("self",)))


def lock_first_words(address: str) -> None:
    """Of two first texts from one unknown number, the second waits here and then finds the contact of the first."""
    _lock(FIRST_WORDS, [f"{require_tenant_id()}:{normalised(address)}"])


def until_it_is_done(work: Callable[[], Done], *, tries: int = 3) -> Done:
    """What `work` returns, done again from the start where it lost a deadlock. Call it outside every transaction: a web request
    has nobody who would try again for it, as an event's worker has."""
    for left in reversed(range(tries)):
        try:
            return work()
        except OperationalError:
            if not left or connection.in_atomic_block:
                raise
    raise ValueError("At least one try is needed.")


def _lock(space: int, words: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOCK_KEYS, {"space": space, "words": words})
