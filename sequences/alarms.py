"""What a tenant's people must see about the wire: messages that wait for their decision, senders that had to be stopped."""

from datetime import datetime

from omnify.tenants.events import record
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.notifications import notify
from sequences.models import Message

NOUNS = {"sms": "text", "email": "mail", "voice": "call"}
WHY = {
    "not_placed": "The provider has no such call. Calls are never placed twice by themselves.",
    "no_proof": "The provider could not say whether it went out, so it is not sent again by itself.",
    "resent_once": "It was sent twice without an answer.",
    "touched_since": "This person got something else in the meantime.",
    "abandoned_twice": "Two workers ended while they had it in hand.",
}


def held(tenant_id: int, message_id: int, reason: str, now: datetime) -> None:
    """Records that this message waits for a person, and tells the tenant. Inside the transaction that made it so."""
    row = (
        Message.objects.all_tenants()
        .filter(pk=message_id, tenant_id=tenant_id)
        .values_list("channel", "public_id", "contact__public_id")
        .first()
    )
    if row is None:
        return
    channel, mark, contact = row
    record(
        "message.held",
        tenant_id=tenant_id,
        now=now,
        actor="dispatch",
        subject=Message(pk=message_id),
        channel=channel,
        reason=reason,
    )
    notify(
        tenant_id=tenant_id,
        type=NotificationType.SENDING_PROBLEM,
        title=f"A {NOUNS[channel]} waits for your decision",
        body=WHY.get(reason, "Something in it made the machine stumble twice; it was not sent."),
        priority=Priority.HIGH,
        message=str(mark),
        contact=str(contact),
        reason=reason,
    )


def sender_stopped(tenant_id: int, name: str, why: str, code: str) -> None:
    """Tells the tenant that nothing leaves through this sender until somebody repairs it."""
    notify(
        tenant_id=tenant_id,
        type=NotificationType.SENDING_PROBLEM,
        title=f"{name} cannot send"[:160],
        body=f"{why} It is tried again every quarter of an hour; messages wait until then.",
        priority=Priority.URGENT,
        code=code,
    )
