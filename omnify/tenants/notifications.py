"""Telling a tenant's people something."""

from typing import Any

from django.db.models import Q, QuerySet

from omnify.lib import live
from omnify.tenants.models import Membership, Notification
from omnify.tenants.models.ledger import Priority


def notify(
    *,
    tenant_id: int,
    type: str,
    title: str,
    body: str = "",
    priority: str = Priority.NORMAL,
    url: str = "",
    member: Membership | None = None,
    **metadata: Any,
) -> Notification:
    """Puts one notification under every member's bell, or under `member`'s alone, and hints open pages to fetch it once the
    transaction has committed."""
    row = Notification.objects.create(
        tenant_id=tenant_id, type=type, title=title[:160], body=body, priority=priority, url=url, member=member,
        metadata=metadata,
    )  # fmt: skip
    live.hint(tenant_id, "notifications")
    return row


def notifications_for(member: Membership) -> QuerySet[Notification]:
    """What this member finds under the bell: their own and those for everybody, newest first."""
    return Notification.objects.filter(Q(member__isnull=True) | Q(member=member))
