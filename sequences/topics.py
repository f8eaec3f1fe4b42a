"""Amazon SNS asks before it delivers: somebody must fetch the address that it sends. A worker does, never the webhook's door.

The message that brought the address was signed by SNS and is about the sender's own topic; the address is believed only if it
is SNS's own and confirms that very topic. Source: docs.aws.amazon.com/sns, "Subscribing an HTTPS endpoint".
"""

import logging
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from omnify.lib import outbound
from omnify.tenants.context import tenant_context
from omnify.tenants.events import record
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.notifications import notify
from sequences.models import ProviderEvent, Sender
from sequences.signals import TopicOffered
from sequences.webhooks import certificates, ses

OFFERED, CONFIRMED = "sender.topic_offered", "sender.topic_confirmed"

logger = logging.getLogger(__name__)


def offered(signal: TopicOffered, event: ProviderEvent, now: datetime) -> str:
    """Asks a worker to confirm it once this is committed (omnify.subscriptions)."""
    record(
        OFFERED,
        tenant_id=event.tenant_id,
        now=now,
        actor="provider",
        subject=event.sender,
        provider_event=event.pk,
        topic=signal.topic,
    )
    return "Amazon SNS offers its topic; it is being confirmed."


def confirm(tenant_id: int, event_id: int, now: datetime) -> bool:
    """Confirms the topic that this stored event offers; True when SNS said yes. A member is told when it did not.

    Outside any transaction: it speaks to Amazon. Safe to repeat.
    """
    with tenant_context(tenant_id):
        event = ProviderEvent.objects.select_related("sender").filter(pk=event_id, provider="ses").first()
    if event is None:
        return False
    found = ses.parse(event.kind, event.body, event.mark)
    offers = [signal for signal in found if isinstance(signal, TopicOffered)]
    if not offers:
        return False
    problem = _fetched(offers[0], event.sender)
    with tenant_context(tenant_id):
        if not problem:
            record(CONFIRMED, tenant_id=tenant_id, now=now, actor="dispatch", subject=event.sender)
            return True
        notify(
            tenant_id=tenant_id,
            type=NotificationType.SENDING_PROBLEM,
            title=f"{event.sender.name}: Amazon's topic is not confirmed"[:160],
            body=f"{problem} Until it is, no delivery, bounce or answer is heard. Ask for the confirmation again in SNS.",
            priority=Priority.HIGH,
        )
    return False


def _fetched(offer: TopicOffered, sender: Sender) -> str:
    """Fetches the address; "" when SNS confirmed, else why not."""
    if not may_be_fetched(offer, sender):
        return "The address to confirm it is not one of Amazon SNS for this topic."
    try:
        status, body = certificates.get(offer.url, simulated=sender.simulated)
    except (outbound.Refused, outbound.Unreachable) as error:
        logger.warning("Sender %s: its topic could not be confirmed (%s)", sender.pk, type(error).__name__)
        return "Amazon SNS could not be reached."
    if status != 200 or b"ConfirmSubscriptionResponse" not in body:
        return f"Amazon SNS answered {status}."
    return ""


def may_be_fetched(offer: TopicOffered, sender: Sender) -> bool:
    """Whether the address is SNS's own (the simulator's, for a simulated sender) and confirms this sender's topic, nothing else."""
    known = certificates.is_simulators if sender.simulated else certificates.is_amazons
    if not known(offer.url) or offer.topic != sender.config.get("topic_arn"):
        return False
    asked = parse_qs(urlsplit(offer.url).query)
    return asked.get("Action") == ["ConfirmSubscription"] and asked.get("TopicArn") == [offer.topic]
