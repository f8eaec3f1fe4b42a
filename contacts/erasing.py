"""What is left of a person who was deleted: for each address they forbade, a keyed hash, so that a list that brings it back
finds it closed, and nobody who reads the table finds the address.

Everything that asks "may we write there?" reads suppressions by address and is not slowed down: instead, whoever gives a contact
an address first calls `recall`, which writes the suppression again where its hash is known. The two exclude each other by a lock
of the tenant that givers share: nobody can get an address between the look at who has it and the end of its suppression.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from contacts.addresses import normalised
from contacts.locks import addresses_of, lock_suppressions
from contacts.models import Contact, Forgotten, Suppression
from contacts.permissions import LASTING, SUPPRESSION_ADD
from omnify.tenants.context import require_tenant_id, tenant_context

FORGETTING = 7303  # key space of the advisory lock, beside those of contacts.locks
BATCH = 200
MAILBOXES, NUMBERS = ("email", "alternative_email"), ("phone", "alternative_phone")


def digest(tenant_id: int, address: str) -> str:
    """HMAC-SHA256 of a normalised address, of its own for every tenant, under SUPPRESSION_KEY, which must never change."""
    words = f"{tenant_id}\x00{normalised(address)}".encode()
    return hmac.new(settings.SUPPRESSION_KEY.encode(), words, hashlib.sha256).hexdigest()


def forget(contact: Contact) -> int:
    """Notes what this contact, about to be erased, forbade: the hashes now; `sweep` takes the clear rows away. Run inside the
    deleting transaction and the tenant's context; returns how many."""
    rows = Suppression.objects.filter(
        address__in={normalised(each) for each in addresses_of(contact)}, lifted_at__isnull=True
    )
    return _note(rows)


def _note(rows: Iterable[Suppression]) -> int:
    """Writes the hashes of these suppressions, all of the current tenant and in force; returns how many."""
    tenant_id = require_tenant_id()
    noted = [
        Forgotten(
            tenant_id=tenant_id, digest=digest(tenant_id, row.address), channel=row.channel, reason=row.reason,
            source=row.source, created_at=row.created_at, address=row.address,
        )
        for row in rows
    ]  # fmt: skip
    Forgotten.objects.bulk_create(
        noted, update_conflicts=True, unique_fields=["tenant", "digest", "channel"], update_fields=["address", "reason"]
    )
    return len(noted)


def sweep(*, limit: int = 20) -> int:
    """Takes the clear suppressions of erased people away, tenant by tenant; returns how many addresses are only hashes now.

    Left for the next time where somebody is just getting an address. An address that a living contact has stays clear.
    """
    waiting = Forgotten.objects.all_tenants().exclude(address="").filter(tenant__legal_hold=False).order_by("tenant_id")
    return sum(_sweep(tenant_id) for tenant_id in waiting.values_list("tenant_id", flat=True).distinct()[:limit])


def _sweep(tenant_id: int) -> int:
    with tenant_context(tenant_id), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [FORGETTING, _key(tenant_id)])
        if not cursor.fetchone()[0]:
            return 0
        rows = Forgotten.objects.exclude(address="").order_by("pk")
        addresses = sorted(set(rows.values_list("address", flat=True)[:BATCH]))
        having = Q(*((f"{name}__in", addresses) for name in (*MAILBOXES, *NUMBERS)), _connector=Q.OR)
        living = {normalised(each) for row in Contact.objects.alive().filter(having) for each in addresses_of(row)}
        gone = [address for address in addresses if address not in living]
        # Held until they are gone: the person's own START waits, and then finds the hash. What was forbidden since the deletion
        # is noted before its row goes; what is forbidden from here on stays clear.
        clear = lock_suppressions(gone)
        _note(row for row in clear if row.lifted_at is None)
        Suppression.objects.filter(pk__in=[row.pk for row in clear]).delete()
        Forgotten.objects.filter(address__in=addresses).update(address="")
        return len(gone)


def recall(addresses: Iterable[str]) -> int:
    """Closes again which of these addresses an erased person had forbidden; call it in the transaction that gives them to somebody,
    inside the tenant's context. Returns how many suppressions that made."""
    tenant_id = require_tenant_id()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [FORGETTING, _key(tenant_id)])
        if not Forgotten.objects.exists():
            return 0
        by_digest = {digest(tenant_id, each): normalised(each) for each in set(addresses) if each}
        made = 0
        for row in Forgotten.objects.filter(digest__in=by_digest):
            cursor.execute(
                SUPPRESSION_ADD,
                [tenant_id, by_digest[row.digest], row.reason, row.source, "", row.created_at, [row.channel]],
            )
            made += cursor.rowcount
        return made


# import_addresses: what the staged rows of one batch bring (contacts.importing.staging).
IMPORTED = """
SELECT DISTINCT address FROM import_row CROSS JOIN LATERAL unnest(ARRAY[email, alternative_email, phone, alternative_phone]) AS address
WHERE address <> ''
"""


def recall_imported() -> int:
    """As `recall`, for the batch that is being imported."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [FORGETTING, _key(require_tenant_id())])
        if not Forgotten.objects.exists():
            return 0
        cursor.execute(IMPORTED)
        return recall([row[0] for row in cursor.fetchall()])


def forgotten(addresses: Iterable[str], channel: str) -> set[str]:
    """Which of these addresses an erased person had forbidden for this channel, as they were asked. Inside the tenant's context."""
    tenant_id = require_tenant_id()
    if not Forgotten.objects.exists():
        return set()
    asked = {digest(tenant_id, each): each for each in addresses}
    found = Forgotten.objects.filter(digest__in=asked, channel=channel)
    return {asked[each] for each in found.values_list("digest", flat=True)}


def open_again(address: str, channels: Collection[str]) -> None:
    """The person themselves wrote START: their hash goes too, but for what is LASTING. Inside the tenant's context."""
    rows = Forgotten.objects.filter(digest=digest(require_tenant_id(), address), channel__in=channels)
    rows.exclude(reason__in=LASTING).delete()


def _key(tenant_id: int) -> int:
    """A tenant's number within the two halves of an advisory lock; two tenants with one key only wait for each other."""
    return tenant_id % 2**31
