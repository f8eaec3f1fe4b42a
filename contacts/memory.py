"""The one conversation with a person: every touch is written once, and what it amounts to is kept on the contact's row.

Run inside the tenant's context. A decision reads the contact's memory columns; it never aggregates the conversation.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Greatest, Least

from contacts.clearing import CONVERSATION, ERASED
from contacts.models import Contact, Interaction
from contacts.models.conversation import Direction
from omnify.lib import live
from omnify.lib.clock import now
from omnify.tenants.clearing import reopen
from omnify.tenants.context import require_tenant_id, tenant_context
from omnify.tenants.retention import FEWEST_WORDS

_CHANNEL_WORDS = {
    ("sms", "inbound"): "Texted us",
    ("sms", "outbound"): "We texted",
    ("email", "inbound"): "Wrote us a mail",
    ("email", "outbound"): "We mailed",
    ("voice", "inbound"): "Spoke with us",
    ("voice", "outbound"): "We called",
}


def record_interaction(
    *,
    tenant_id: int,
    contact_id: int,
    channel: str,
    direction: str,
    at: datetime,
    body: str = "",
    subject: str = "",
    outcome: str = "",
    enrollment_id: int | None = None,
    step_id: int | None = None,
    message_id: int | None = None,
    provider_id: str = "",
    **more: Any,
) -> Interaction:
    """Writes one touch and, in the same transaction, the contact's memory.

    An inbound touch whose provider_id is known comes back unchanged and counts no second time. `more`: any other column of
    Interaction (call_duration_seconds, call_disposition, content_summary, sentiment …).
    """
    with tenant_context(tenant_id):
        if direction == Direction.INBOUND and provider_id:
            known = find_inbound(provider_id)
            if known is not None:
                return known
        try:
            with transaction.atomic():
                row: Interaction = Interaction.objects.create(
                    contact_id=contact_id,
                    channel=channel,
                    direction=direction,
                    at=at,
                    content_body=storable(body),
                    content_subject=storable(subject)[:998],
                    outcome=outcome[:24],
                    enrollment_id=enrollment_id,
                    step_id=step_id,
                    message_id=message_id,
                    provider_id=provider_id[:120],
                    **more,
                )
        except IntegrityError:
            # Another worker stored the same inbound event between our look and our insert: theirs counts.
            known = find_inbound(provider_id) if direction == Direction.INBOUND and provider_id else None
            if known is None:
                raise
            return known
        _look_again(row)
        remember(row)
    return row


def find_inbound(provider_id: str) -> Interaction | None:
    """The current tenant's inbound touch with this provider's id."""
    found: Interaction | None = Interaction.objects.filter(
        provider_id=provider_id[:120], direction=Direction.INBOUND
    ).first()
    return found


def update_interaction(interaction_id: int, **changes: Any) -> bool:
    """Completes one touch of the current tenant (a call's end, an open, a click). False when it is gone.

    A call's transcript or summary also becomes the contact's last_call_summary.
    """
    for name in ("content_body", "content_summary", "content_subject"):
        if name in changes:
            changes[name] = storable(changes[name])
    with transaction.atomic():
        if not Interaction.objects.filter(pk=interaction_id).update(**changes):
            return False
        row = Interaction.objects.only("contact_id", "channel", "tenant_id", "at").get(pk=interaction_id)
        if changes.keys() & {"content_body", "content_summary", "content_subject"}:
            _look_again(row)
        if row.channel == "voice" and (changes.get("content_summary") or changes.get("content_body")):
            summary = shortened(changes.get("content_summary") or changes["content_body"], 1000)
            Contact.objects.filter(pk=row.contact_id).update(
                last_call_summary=summary, last_interaction_summary=shortened(f"We called: {summary}", 300)
            )
        hint(row.tenant_id, row.contact_id)
    return True


def _look_again(row: Interaction) -> None:
    """Words of long ago (a report that was parked, and tried again) may be written where retention has already been."""
    if row.at > now() - timedelta(days=FEWEST_WORDS - 1):
        return
    reopen(CONVERSATION, row.at)
    deleted_at = Contact.objects.filter(pk=row.contact_id).values_list("deleted_at", flat=True).first()
    if deleted_at is not None:
        reopen(ERASED, deleted_at)


def remember(row: Interaction) -> None:
    """One UPDATE of the contact's memory: counters grow, times only move outwards, words only follow the latest touch."""
    inbound = row.direction == Direction.INBOUND
    ours = "last_inbound_at" if inbound else "last_outbound_at"
    latest = Q(last_inbound_at__isnull=True) | Q(last_inbound_at__lte=row.at)
    latest &= Q(last_outbound_at__isnull=True) | Q(last_outbound_at__lte=row.at)
    changes: dict[str, Any] = {
        "interaction_count": F("interaction_count") + 1,
        "first_contacted_at": Least(Coalesce(F("first_contacted_at"), Value(row.at)), Value(row.at)),
        ours: Greatest(Coalesce(F(ours), Value(row.at)), Value(row.at)),
        "last_interaction_summary": Case(
            When(latest, then=Value(summary_of(row))), default=F("last_interaction_summary")
        ),
    }
    if inbound:
        changes["inbound_count"] = F("inbound_count") + 1
        if row.channel == "sms":
            newest = Q(last_inbound_at__isnull=True) | Q(last_inbound_at__lte=row.at)
            changes["last_sms_reply"] = Case(
                When(newest, then=Value(shortened(row.content_body, 1000))), default=F("last_sms_reply")
            )
    if row.channel == "voice" and (row.content_summary or row.content_body):
        changes["last_call_summary"] = shortened(row.content_summary or row.content_body, 1000)
    Contact.objects.filter(pk=row.contact_id).update(**changes)
    hint(row.tenant_id, row.contact_id)


def summary_of(row: Interaction) -> str:
    """One line for people and templates: who did what, and how it began."""
    said = row.content_summary or row.content_subject or row.content_body
    return in_a_line(row.channel, row.direction, said, row.outcome)


def in_a_line(channel: str, direction: str, said: str, outcome: str = "sent") -> str:
    """The same from plain values."""
    words = _CHANNEL_WORDS[(channel, direction)]
    if outcome and outcome not in ("sent", "replied", "delivered", "accepted"):
        words = f"{words} ({outcome})"
    return shortened(f"{words}: {said}" if said else words, 300)


def shortened(text: str, limit: int) -> str:
    """One line of at most `limit` characters, with an ellipsis where something was cut."""
    line = " ".join(storable(text)[: limit * 4].split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def storable(text: str) -> str:
    """Text PostgreSQL can hold: NUL becomes a blank, a lone surrogate the replacement character."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8") if text else ""


def hint(tenant_id: int, contact_id: int) -> None:
    """Tells open pages of this person that the conversation moved on."""
    public_id = Contact.objects.filter(pk=contact_id).values_list("public_id", flat=True).first()
    if public_id is not None:
        live.hint(tenant_id, f"contact:{public_id}")


def histories(contact_ids: list[int]) -> dict[int, dict[str, list[Any]]]:
    """{contact id: {objections_history, key_topics_history}} of those who ever raised any. One query for any number."""
    require_tenant_id()
    rows = (
        Interaction.objects.filter(contact_id__in=contact_ids)
        .exclude(objections_raised=[], key_topics=[])
        .order_by("at", "id")
        .values_list("contact_id", "objections_raised", "key_topics")
    )
    found: dict[int, dict[str, list[Any]]] = {}
    for contact_id, objections, topics in rows:
        mine = found.setdefault(contact_id, {"objections_history": [], "key_topics_history": []})
        mine["objections_history"] += objections
        mine["key_topics_history"] += topics
    return found
