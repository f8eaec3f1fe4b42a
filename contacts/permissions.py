"""The verbs that change what we may do to a person. Each is atomic, idempotent and recorded.

`suppress` may be called by anybody and anything; `lift` only for the person's own START, never by import, merge, model or member.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from contacts.addresses import normalised
from contacts.locks import lock_addresses, lock_contacts, lock_contacts_having
from contacts.models import Consent, Contact, Suppression
from contacts.pacing import keep_pace
from omnify.tenants.context import current_tenant_id, require_tenant_id, tenant_context
from omnify.tenants.events import record

Pair = tuple[str, str]

# suppression_add: one row in force for each (tenant, address, channel); those that exist stay as they are.
SUPPRESSION_ADD = """
INSERT INTO contacts_suppression (tenant_id, channel, address, reason, source, quote, created_at, lifted_by)
SELECT %s, channel, %s, %s, %s, %s, %s, '' FROM unnest(%s::text[]) AS channel
ON CONFLICT (tenant_id, address, channel) WHERE lifted_at IS NULL DO NOTHING
RETURNING channel
"""
# What the person's own START does not lift: whoever holds the phone now cannot answer for those.
LASTING = ("complaint", "wrong_number")
# The reason of a row that forbids nothing: it only says when START was said.
STARTED = "started"


def suppress(
    *,
    tenant_id: int,
    address: str,
    channels: Iterable[str],
    reason: str,
    source: str,
    quote: str = "",
    now: datetime,
    actor: str,
) -> list[str]:
    """Forbids these channels to this address for every contact of the tenant that has it. Returns those that were not yet forbidden.

    Takes the locks that claiming a message takes, of those contacts and of the address: a claim that commits later sees it.
    `reason` and `source` are words of ours (opted_out, complaint …; sms, email, voice, provider, import, member); `quote` the
    words it rests on. A complaint or a wrong number takes the place of a mere opt-out, which START would lift.
    """
    address = normalised(address)
    if not address:
        return []
    with tenant_context(tenant_id):
        contacts = lock_contacts_having(address)
        lock_addresses([address])
        known = set()
        if reason in LASTING:
            weaker = Suppression.objects.filter(address=address, channel__in=set(channels), lifted_at__isnull=True)
            weaker = weaker.exclude(reason__in=LASTING)
            known = set(weaker.values_list("channel", flat=True))
            weaker.update(lifted_at=now, lifted_by=reason)
        values: list[Any] = [
            tenant_id,
            address,
            reason[:40],
            source[:40],
            clean_quote(quote),
            now,
            sorted(set(channels)),
        ]
        with connection.cursor() as cursor:
            cursor.execute(SUPPRESSION_ADD, values)
            added = sorted({row[0] for row in cursor.fetchall()} - known)
        if added:
            _tell("contact.opted_out", tenant_id, contacts, now, actor, channels=added, reason=reason, source=source)
    return added


def lift(*, tenant_id: int, address: str, channels: Iterable[str], source: str, now: datetime) -> int:
    """Ends the suppression of this very address because the person themselves wrote START. Returns how many were ended.

    What is LASTING stays.
    """
    from contacts.erasing import open_again

    address, channels = normalised(address), sorted(set(channels))
    with tenant_context(tenant_id):
        contacts = lock_contacts_having(address)
        lock_addresses([address])
        in_force = Suppression.objects.filter(address=address, channel__in=channels, lifted_at__isnull=True)
        ended = in_force.exclude(reason__in=LASTING).update(lifted_at=now, lifted_by="person")
        open_again(address, channels)
        if ended:
            _tell("contact.opted_in", tenant_id, contacts, now, "person", channels=channels, source=source)
    return ended


def note_start(*, address: str, channel: str, said_at: datetime, now: datetime) -> None:
    """Remembers when the person said START at this address, also where nothing was forbidden: a STOP that they said before it,
    and that is found after it, must not undo it. Run inside the tenant's context."""
    Suppression.objects.create(
        address=normalised(address),
        channel=channel,
        reason=STARTED,
        source="person",
        created_at=said_at,
        lifted_at=now,
        lifted_by=STARTED,
    )


def started_after(address: str, at: datetime) -> datetime | None:
    """When the person first said START at this address after `at`; None if they did not, or at that very moment."""
    rows = Suppression.objects.filter(address=normalised(address), reason=STARTED, created_at__gt=at)
    found: datetime | None = rows.order_by("created_at").values_list("created_at", flat=True).first()
    return found


def suppressed(tenant_id: int, pairs: Iterable[Pair]) -> set[Pair]:
    """Which of these (channel, address) pairs are forbidden, spelt as they were asked.

    One query for any number of pairs; outside the tenant's context it enters it first.
    """
    asked = {(channel, address): (channel, normalised(address)) for channel, address in pairs}
    if not asked:
        return set()
    if current_tenant_id() != tenant_id:
        with tenant_context(tenant_id):
            return suppressed(tenant_id, asked)
    rows = Suppression.objects.filter(lifted_at__isnull=True, address__in={address for _, address in asked.values()})
    in_force = set(rows.values_list("channel", "address"))
    return {pair for pair, key in asked.items() if key in in_force}


class TakenBackSince(Exception):
    """The person ended such consents after the moment at which this one is said to have been given."""


def give_consent(
    *,
    contact_id: int,
    address: str,
    channel: str,
    kind: str,
    source: str,
    now: datetime,
    actor: str,
    given_at: datetime | None = None,
    **evidence: Any,
) -> Consent:
    """Writes down that this person agreed, at `given_at` (now). An equal consent in force is returned instead of a second row.

    `evidence`: seller, text_shown, source_url, ip, evidence_hash, expires_at. Run inside the tenant's context. Raises
    TakenBackSince when it is older than a revocation: an old paper must not undo that; TooFast for a list in disguise.
    """
    address, given_at = normalised(address), given_at or now
    with tenant_context(require_tenant_id()):
        lock_contacts([contact_id])
        if Consent.objects.filter(contact_id=contact_id, channel=channel, revoked_at__gt=given_at).exists():
            raise TakenBackSince("They took their consent for this channel back after that. A newer one is needed.")
        known = (
            Consent.objects.filter(
                contact_id=contact_id, address=address, channel=channel, kind=kind, revoked_at__isnull=True
            )
            .exclude(expires_at__lte=now)
            .first()
        )
        if known is not None:
            return known
        keep_pace(kind, now)
        row: Consent = Consent.objects.create(
            contact_id=contact_id,
            address=address,
            channel=channel,
            kind=kind,
            source=source[:120],
            given_at=given_at,
            **evidence,
        )
        record(
            "consent.given",
            tenant_id=row.tenant_id,
            now=now,
            actor=actor,
            subject=row,
            contact=contact_id,
            channel=channel,
            consent_kind=kind,
            source=source[:120],
        )
    return row


def revoke_consent(
    *, contact_id: int, now: datetime, actor: str, channel: str | None = None, kind: str | None = None
) -> int:
    """Ends this person's consents in force (of one channel or kind, or all). Returns how many. Run inside the tenant's context."""
    tenant_id = require_tenant_id()
    with tenant_context(tenant_id):
        rows = Consent.objects.filter(contact_id=contact_id, revoked_at__isnull=True)
        if channel is not None:
            rows = rows.filter(channel=channel)
        if kind is not None:
            rows = rows.filter(kind=kind)
        ended = rows.update(revoked_at=now)
        if ended:
            record(
                "consent.revoked",
                tenant_id=tenant_id,
                now=now,
                actor=actor,
                contact=contact_id,
                channel=channel or "all",
                consent_kind=kind or "all",
            )
    return ended


def _tell(kind: str, tenant_id: int, contacts: list[Contact], now: datetime, actor: str, **data: Any) -> None:
    """One event for each contact that has the address; one without a subject when none has."""
    for contact in contacts or (None,):
        record(kind, tenant_id=tenant_id, now=now, actor=actor, subject=contact, **data)


def clean_quote(text: str) -> str:
    """At most 300 characters; NUL, which PostgreSQL's text cannot hold, becomes a blank."""
    return text.replace("\x00", " ").strip()[:300]
