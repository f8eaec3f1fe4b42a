"""One place in the conversation for each message that reached a provider, whoever hears of it first."""

from datetime import datetime
from typing import Any

from contacts.memory import record_interaction
from contacts.models import Interaction


def note_touch(message: Any, provider_id: str, at: datetime) -> bool:
    """Writes the touch into the conversation unless it is there. False if it was. `message`: a row with Message's columns.

    Run inside the tenant's context with the message's row locked: our own answer, a callback that overtook it and the
    reconciler then come one after the other.
    """
    if Interaction.objects.filter(message_id=message.id).exists():
        return False
    record_interaction(
        tenant_id=message.tenant_id,
        contact_id=message.contact_id,
        channel=message.channel,
        direction="outbound",
        at=at,
        body=message.body,
        subject=message.subject,
        outcome="sent",
        enrollment_id=message.enrollment_id,
        step_id=message.step_id,
        message_id=message.id,
        provider_id=provider_id,
    )
    return True
