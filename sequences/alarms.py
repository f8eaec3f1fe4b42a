"""What a tenant's people must see about the wire: messages that wait for their decision, senders that had to be stopped,
webhooks that were refused (whose sender's row is locked, so that several processes tell of them once between them)."""

from datetime import datetime, timedelta

from django.urls import reverse

from omnify.tenants.context import tenant_context
from omnify.tenants.events import record
from omnify.tenants.models import Event, Notification
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.notifications import notify
from sequences import reasons
from sequences.models import Message, Sender
from sequences.wording import NOUNS

REFUSED_AGAIN_AFTER = timedelta(hours=1)


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
        body=reasons.why(reason),
        priority=Priority.HIGH,
        url=reverse("sequences:held"),
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


def unread(tenant_id: int, name: str, why: str, behind: timedelta) -> None:
    """Tells the tenant that what people answered may be waiting at the provider, unread."""
    minutes = int(behind.total_seconds() // 60)
    notify(
        tenant_id=tenant_id,
        type=NotificationType.SENDING_PROBLEM,
        title=f"{name} could not be read again for {minutes} minutes"[:160],
        body=f"{why} Answers that its webhooks did not bring are found as soon as it can be read.",
        priority=Priority.HIGH,
    )


def webhooks_refused(tenant_id: int, sender_id: int, provider: str, why: str, times: int, now: datetime) -> None:
    """Records that so many requests to a sender's webhook were turned away, and tells the tenant at most once an hour."""
    with tenant_context(tenant_id):
        sender = Sender.objects.filter(pk=sender_id).select_for_update(no_key=True).first()
        if sender is None:
            return
        record(
            "webhook.refused",
            tenant_id=tenant_id,
            now=now,
            actor="provider",
            subject=sender,
            provider=provider,
            why=why,
            times=times,
        )
        since = now - REFUSED_AGAIN_AFTER
        told = Notification.objects.filter(type=NotificationType.SENDING_PROBLEM, created_at__gt=since)
        if told.filter(metadata__refused_at=sender.pk).exists():
            return
        recent = Event.objects.filter(subject_type="sender", subject_id=sender.pk, kind="webhook.refused", at__gt=since)
        count = sum(recent.values_list("data__times", flat=True))
        what = f"{count} webhooks to “{sender.name}” were" if count != 1 else f"A webhook to “{sender.name}” was"
        notify(
            tenant_id=tenant_id,
            type=NotificationType.SENDING_PROBLEM,
            title=f"{what} refused: {why}",
            body="If the provider sent it, replies and delivery reports are missing: compare the sender's secret with the provider's.",
            priority=Priority.HIGH,
            refused_at=sender.pk,
        )
