"""What every page's frame needs: the member, their tenants, the unread count."""

from contextlib import nullcontext
from typing import Any

from django.http import HttpRequest

from omnify.tenants.context import current_tenant_id, tenant_context
from omnify.tenants.notifications import notifications_for


def member(request: HttpRequest) -> dict[str, Any]:
    current = getattr(request, "member", None)
    visit = getattr(request, "visit", None)  # of our support, who look and change nothing
    if current is None:
        return {"member": None, "visit": visit, "memberships": [], "unread_notifications": 0}
    # A view outside any transaction, and the error page after it, are outside the tenant's context too.
    with nullcontext() if current_tenant_id() else tenant_context(current.tenant_id):
        # Counted to a hundred: the bell says 99+, and a ledger is never counted whole.
        unread = notifications_for(current).filter(read_at__isnull=True).order_by()[:100].count()
    return {
        "member": current,
        "visit": visit,
        "memberships": getattr(request, "memberships", []),
        "unread_notifications": unread,
    }
