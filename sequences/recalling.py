"""Asking providers to take back what they have accepted but not yet sent to somebody who has just said STOP."""

import logging
from datetime import datetime, timedelta

from omnify.tenants.context import tenant_context
from omnify.tenants.models.people import SendingMode
from sequences import states
from sequences.addressing import account_of, fingerprint_of
from sequences.models import Message, Sender
from sequences.models.message import Purpose
from sequences.outcome import apply_report
from sequences.transports import transport_for
from sequences.transports.base import Refused

# What was accepted longer ago has left, or has outlived the time it was allowed to wait.
WAITS_AT_MOST = timedelta(hours=24)
CANCELLED = states.Report(states.CANCELLED, 45)

logger = logging.getLogger(__name__)


def recall(tenant_id: int, contact_id: int, channels: tuple[str, ...], now: datetime) -> int:
    """Asks each provider to cancel what is on its way to this person on these channels; returns how many it cancelled.

    Called after the opt-out's commit, outside any transaction: it speaks to providers. Never raises for what a provider
    says or does not say: what could not be taken back is reported by its own status later. The one confirmation of the
    opt-out, and an answer to HELP, go out.
    """
    called_back = 0
    for message, sender in _on_the_way(tenant_id, contact_id, channels, now):
        try:
            cancel = transport_for(sender.provider).cancel
            if (
                cancel is None
                or not _may_be_asked(sender)
                or (message.account and message.account != fingerprint_of(sender, tenant_id))
            ):
                continue
            gone = cancel(account_of(sender), message.provider_id)
        except Refused as refused:
            logger.warning("Sender %s cannot be asked to cancel: %s", sender.pk, refused.code)
            continue
        if gone:
            called_back += apply_report(
                tenant_id=tenant_id,
                message_id=message.pk,
                provider=sender.provider,
                provider_id=message.provider_id,
                report=CANCELLED,
                now=now,
                reason="opted_out",
            )
    return called_back


def _may_be_asked(sender: Sender) -> bool:
    """A workspace that only rehearses asks no real provider anything."""
    return bool(sender.simulated or sender.tenant.sending_mode == SendingMode.LIVE)


def _on_the_way(
    tenant_id: int, contact_id: int, channels: tuple[str, ...], now: datetime
) -> list[tuple[Message, Sender]]:
    with tenant_context(tenant_id):
        rows = (
            Message.objects.filter(contact_id=contact_id, channel__in=channels, state=states.ACCEPTED)
            .filter(state_at__gte=now - WAITS_AT_MOST, purpose__in=(Purpose.MARKETING, Purpose.REPLY))
            .exclude(provider_id="")
        )
        messages = list(rows)
        senders = Sender.objects.select_related("tenant").in_bulk({message.sender_id for message in messages})
    found = ((message, senders.get(message.sender_id)) for message in messages)
    return [
        (message, sender) for message, sender in found if sender is not None and sender.provider == message.provider
    ]
