"""What a signature makes happen to the workspace's own settings. Named in omnify.approvable."""

from datetime import datetime

from omnify.tenants.actions import update_tenant
from omnify.tenants.approvals import NotApplicable
from omnify.tenants.models import Membership, Tenant
from omnify.tenants.models.approval import Approval


def asker_of(row: Approval) -> Membership:
    """The member who asked. Raises NotApplicable when they have left."""
    kind, _, number = row.asked_by.partition(":")
    found = Membership.objects.select_related("tenant", "user").filter(pk=int(number)) if kind == "member" else None
    member = found.first() if found is not None else None
    if member is None:
        raise NotApplicable("Whoever asked for it has left.")
    return member


def apply_settings(row: Approval, now: datetime) -> str:
    """Writes the settings that were asked for."""
    tenant = Tenant.objects.get(pk=row.tenant_id)
    changed = update_tenant(tenant, by=asker_of(row), now=now, approval=row, **row.change)
    return f"Changed: {', '.join(each.replace('_', ' ') for each in changed)}."
