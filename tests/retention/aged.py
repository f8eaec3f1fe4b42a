"""Rows of another age, and what is left of them."""

from datetime import datetime, timedelta
from typing import Any

from contacts import clearing as conversations
from contacts.models import Contact, Interaction
from omnify.tenants import clearing
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Tenant
from sequences import clearing as messages
from sequences.models import Message

DAY = timedelta(days=1)
YEAR = 365 * DAY


def sent(contact: Contact, at: datetime, **fields: Any) -> Message:
    """A message of that time, as it is after it was sent."""
    defaults = {
        "channel": "email", "to_address": contact.email, "subject": "Hello", "body": "Hello Pat, about your roof.",
        "state": "delivered", "state_at": at, "created_at": at, "not_before": at, "expires_at": at + DAY,
        "sending_started_at": at,
    }  # fmt: skip
    with tenant_context(contact.tenant_id):
        return Message.objects.create(contact=contact, **defaults | fields)


def touch(contact: Contact, at: datetime, **fields: Any) -> Interaction:
    defaults = {
        "channel": "sms", "direction": "inbound", "content_subject": "", "content_body": "Call my lawyer about the roof",
        "content_summary": "wants a call", "objections_raised": ["price"], "key_topics": ["roof"], "sentiment": "negative",
        "outcome": "replied", "emotional_analysis": {"anger": 3},
    }  # fmt: skip
    with tenant_context(contact.tenant_id):
        return Interaction.objects.create(contact=contact, at=at, **defaults | fields)


def fresh(row: Any) -> Any:
    return type(row).objects.all_tenants().get(pk=row.pk)


def words(message: Message) -> tuple[str, str]:
    row = fresh(message)
    return row.subject, row.body


def clear() -> int:
    return conversations.clear() + messages.clear() + clearing.clear()


def told(tenant: Tenant) -> dict[str, int]:
    rows = Event.objects.all_tenants().filter(tenant=tenant, kind="retention.cleared")
    return {row.data["what"]: row.data["rows"] for row in rows}
