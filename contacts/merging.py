"""Two contacts become one person: one conversation, one set of permissions, and of two facts that differ the stricter.

What a person forbade stays with its address and now holds for all addresses of the one contact. Nothing is ever opened by a
merge. The other contact is deleted; its row points at the kept one and holds the values that found no place in it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from contacts.actions import SCRUBBED
from contacts.addresses import channels_of, normalised
from contacts.locks import addresses_of, lock_together
from contacts.models import Consent, Contact, Interaction, Suppression
from contacts.permissions import suppress
from contacts.uniting import unite
from omnify.lib import live
from omnify.tenants.context import tenant_context
from omnify.tenants.events import record

# What the floors above do with a merged contact's rows, in the same transaction:
# (keep's id, gone's id, by, now, newly closed channels) -> what they did, for the event. May raise MergeBlocked.
Follower = Callable[..., dict[str, Any]]
# A wrong number says nothing about the person's other addresses.
ABOUT_THE_ADDRESS = ("wrong_number",)

# merge_revocations: what one of the two had taken back, the older word of the other does not give again.
REVOKED = """
UPDATE contacts_consent AS given SET revoked_at = %(now)s
WHERE given.tenant_id = %(tenant)s AND given.contact_id = ANY(%(both)s) AND given.revoked_at IS NULL AND EXISTS (
    SELECT 1 FROM contacts_consent AS taken
    WHERE taken.tenant_id = given.tenant_id AND taken.contact_id = ANY(%(both)s) AND taken.contact_id <> given.contact_id
      AND taken.channel = given.channel AND taken.revoked_at >= given.given_at)
"""


class MergeBlocked(Exception):
    """These two cannot become one now; the message says why, and whether to try again."""


def merge(keep: Contact, gone: Contact, *, by: str, now: datetime) -> bool:
    """Makes one contact of two of the same tenant: `keep` stays. False when one of them was deleted or merged meanwhile.

    `by` is the actor ("member:3"). Raises MergeBlocked while a message to one of them is on its way; nothing has changed then.
    """
    if keep.pk == gone.pk or keep.tenant_id != gone.tenant_id:
        raise ValueError("Two different contacts of one tenant are needed.")
    with tenant_context(keep.tenant_id), transaction.atomic():
        locked = lock_together([keep, gone])
        mine, theirs = locked.get(keep.pk), locked.get(gone.pk)
        if mine is None or theirs is None or mine.deleted_at or theirs.deleted_at:
            return False
        united = unite(columns_of(mine), columns_of(theirs))
        _leave_first_mailboxes(united.values["email"], mine, theirs)
        everywhere = [*addresses_of(mine), *addresses_of(theirs)]
        closed = _close_everywhere(mine.tenant_id, everywhere, by=by, now=now)
        facts = _follow(mine, theirs, by=by, now=now, closed=closed)
        _move(mine, theirs, now=now)
        # First gone, then kept: an e-mail address belongs to one living contact.
        left = SCRUBBED | {"custom_fields": united.replaced, "merged_into": mine, "deleted_at": now, "updated_at": now}
        Contact.objects.filter(pk=theirs.pk).update(**left)
        Contact.objects.filter(pk=mine.pk).update(**united.values, updated_at=now)
        record(
            "contact.merged",
            tenant_id=mine.tenant_id,
            now=now,
            actor=by,
            subject=mine,
            gone=theirs.pk,
            replaced=sorted(united.replaced),
            closed=sorted(closed),
            **facts,
        )
        for each in (mine, theirs):
            live.hint(each.tenant_id, f"contact:{each.public_id}")
        live.hint(mine.tenant_id, "contacts")
    keep.refresh_from_db()
    return True


def columns_of(contact: Contact) -> dict[str, Any]:
    """The row as plain values, by column: what contacts.uniting works on."""
    return {field.attname: getattr(contact, field.attname) for field in Contact._meta.concrete_fields}


def _leave_first_mailboxes(email: str, mine: Contact, theirs: Contact) -> None:
    """A second mailbox may become the first by a merge, unless it is already the first of somebody else: raises MergeBlocked."""
    others = Contact.objects.alive().exclude(pk__in=[mine.pk, theirs.pk])
    if email and (other := others.filter(email=email).first()):
        raise MergeBlocked(f"{other} has {email} as their first mailbox. Merge with them first, or take it off here.")


def _close_everywhere(tenant_id: int, addresses: list[str], *, by: str, now: datetime) -> set[str]:
    """What is forbidden at one of these addresses becomes forbidden at all that carry the channel; the channels newly closed."""
    known = Suppression.objects.filter(address__in={normalised(each) for each in addresses}, lifted_at__isnull=True)
    newly: set[str] = set()
    for row in known.exclude(reason__in=ABOUT_THE_ADDRESS).order_by("pk"):
        for address in addresses:
            if row.channel in channels_of(address) and suppress(
                tenant_id=tenant_id,
                address=address,
                channels=(row.channel,),
                reason=row.reason,
                source="merge",
                quote=row.quote,
                now=now,
                actor=by,
            ):
                newly.add(row.channel)
    return newly


def _follow(mine: Contact, theirs: Contact, *, by: str, now: datetime, closed: set[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for path in settings.CONTACT_MERGED:
        follower: Follower = import_string(path)
        facts |= follower(mine.pk, theirs.pk, by=by, now=now, closed=closed)
    return facts


def _move(mine: Contact, theirs: Contact, *, now: datetime) -> None:
    """The conversation and the consents, each with its own address and evidence."""
    parameters: dict[str, Any] = {"now": now, "tenant": mine.tenant_id, "both": [mine.pk, theirs.pk]}
    with connection.cursor() as cursor:
        cursor.execute(REVOKED, parameters)
    Interaction.objects.filter(contact=theirs).update(contact=mine)
    Consent.objects.filter(contact=theirs).update(contact=mine)
    Contact.objects.filter(merged_into=theirs).update(merged_into=mine)
