"""What every page's frame needs: the member, their tenants, the unread count."""

from typing import Any

from django.http import HttpRequest

from omnify.tenants.notifications import notifications_for


def member(request: HttpRequest) -> dict[str, Any]:
    current = getattr(request, "member", None)
    if current is None:
        return {"member": None, "memberships": [], "unread_notifications": 0}
    return {
        "member": current,
        "memberships": getattr(request, "memberships", []),
        # Counted to a hundred: the bell says 99+, and a ledger is never counted whole.
        "unread_notifications": notifications_for(current).filter(read_at__isnull=True).order_by()[:100].count(),
    }
