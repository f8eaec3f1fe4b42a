"""Requests for a second signature whose time is over, in every workspace."""

from datetime import datetime

from omnify.tenants.approvals import expire
from omnify.tenants.context import tenant_context
from omnify.tenants.models.approval import Approval, Decision

AT_ONCE = 200


def expire_due(now: datetime) -> int:
    """Closes them, each in its own tenant's context; returns how many. The rest of more than 200 goes with the next run."""
    due = Approval.objects.all_tenants().filter(decision=Decision.WAITING, expires_at__lte=now).order_by("expires_at")
    closed = 0
    for row in due[:AT_ONCE]:
        with tenant_context(row.tenant_id):
            closed += expire(row, now=now)
    return closed
