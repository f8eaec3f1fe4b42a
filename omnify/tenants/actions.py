"""The verbs that change tenants, members and keys."""

import secrets
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from omnify.lib import live
from omnify.lib.gate import close_gate
from omnify.tenants.approvals import require
from omnify.tenants.context import tenant_context
from omnify.tenants.events import record
from omnify.tenants.loosening import KEEPING, in_words, loosened
from omnify.tenants.models import ApiKey, Membership, Tenant, User
from omnify.tenants.models.approval import Approval
from omnify.tenants.models.people import Role
from omnify.tenants.notifications import notifications_for
from omnify.tenants.signatures import Wanted

GUARDED = ("business_hours", "sending_mode", "two_signatures", "legal_hold", *KEEPING)
SAID = {
    "business_hours": "longer hours",
    "sending_mode": "real providers, real people",
    "two_signatures": "no second signatures any more",
    "keeping": "what was kept goes earlier",
    "legal_hold": "the legal hold ends",
}


def create_tenant(*, name: str, slug: str, owner: User, now: datetime, **fields: object) -> Tenant:
    """A new tenant with its first owner. Run as the system role: no member exists yet whose rights could be checked."""
    with transaction.atomic():
        tenant = Tenant.objects.create(name=name, slug=slug, **fields)
        with tenant_context(tenant.pk):
            Membership.objects.create(user=owner, role=Role.OWNER)
            record("tenant.created", tenant_id=tenant.pk, now=now, actor=f"user:{owner.pk}", subject=tenant)
    return tenant


def create_api_key(
    *, name: str, role: str, by: Membership, now: datetime, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key. Returns the row and the key itself, which is shown once and not kept. `expires_at` None: until revoked."""
    key = f"omk_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        row = ApiKey.objects.create(
            tenant_id=by.tenant_id,
            name=name,
            role=role,
            prefix=key[:10],
            digest=ApiKey.digest_of(key),
            created_by=by.user,
            expires_at=expires_at,
        )
        until = expires_at.isoformat(timespec="seconds") if expires_at else ""
        record(
            "api_key.created",
            tenant_id=by.tenant_id,
            now=now,
            actor=f"member:{by.pk}",
            subject=row,
            name=name,
            role=role,
            until=until,
        )
    return row, key


def revoke_api_key(key: ApiKey, *, by: Membership, now: datetime) -> bool:
    """Ends a key at once. False when it was revoked before."""
    with transaction.atomic():
        changed = ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now)
        if changed:
            record("api_key.revoked", tenant_id=by.tenant_id, now=now, actor=f"member:{by.pk}", subject=key)
    return bool(changed)


def mark_notifications_read(*, by: Membership, now: datetime, ids: list[str] | None = None) -> int:
    """Marks the member's notifications (all, or those with these public ids) as read; returns how many were unread.

    A notification for everybody is read for everybody: it asks for one pair of hands, not for each member's attention.
    """
    rows = notifications_for(by).filter(read_at__isnull=True)
    if ids is not None:
        rows = rows.filter(public_id__in=ids)
    changed = rows.update(read_at=now)
    if changed:
        live.hint(by.tenant_id, "notifications")
    return changed


def update_tenant(
    tenant: Tenant, *, by: Membership, now: datetime, approval: Approval | None = None, **fields: object
) -> list[str]:
    """Writes these columns of the tenant; returns the names of those that really changed.

    Raises NeedsSignature, having written nothing, when one of them loosens a safeguard (omnify.tenants.loosening); `approval`
    is the request that is being applied. Caps have a verb of their own (sequences.allowances).
    """
    if "caps" in fields:
        raise ValueError("Caps are changed by sequences.allowances.change_limits.")
    with transaction.atomic():
        # Held while it is compared: two changes at once must not add up to more than either asked for.
        list(Tenant.objects.select_for_update(no_key=True).filter(pk=tenant.pk).values_list("pk"))
        present = Tenant.objects.get(pk=tenant.pk)
        changed = [name for name, value in fields.items() if getattr(present, name) != value]
        if not changed:
            return []
        before = {name: getattr(present, name) for name in (*GUARDED, *changed)}
        new = {name: fields[name] for name in changed}
        if loose := loosened(before, new):
            require(_settings_wanted(present, new, before, loose), approval=approval)
        Tenant.objects.filter(pk=tenant.pk).update(**new)
        signed = {"approval": str(approval.public_id)} if approval else {}
        record(
            "tenant.updated", tenant_id=tenant.pk, now=now, actor=f"member:{by.pk}", subject=tenant, fields=changed, **signed
        )  # fmt: skip
        live.hint(tenant.pk, "tenant")
    for name in changed:
        setattr(tenant, name, fields[name])
    return changed


def _settings_wanted(
    tenant: Tenant, new: dict[str, object], before: dict[str, object], loose: tuple[str, ...]
) -> Wanted:
    """The whole of one save: what it loosens gives the title, and nothing of it holds before the signature."""
    return Wanted(
        kind="settings",
        title=f"Change the workspace: {', '.join(SAID[name] for name in loose)}",
        change=new,
        state={name: before[name] for name in new},
        subject_type="tenant",
        subject_id=tenant.pk,
        phrase=tenant.name,
        url=reverse("tenants:settings"),
        lines=tuple(
            (name.replace("_", " ").capitalize(), in_words(name, before[name]), in_words(name, value))
            for name, value in new.items()
        ),
    )


def set_sending(tenant: Tenant, *, enabled: bool, by: Membership, now: datetime) -> bool:
    """The kill switch. Messages are claimed only while it is on; what is already on the wire stays there. False: it stood so."""
    with transaction.atomic():
        if not enabled:
            close_gate()
        changed = Tenant.objects.filter(pk=tenant.pk, sending_enabled=not enabled).update(sending_enabled=enabled)
        if changed:
            kind = "tenant.sending_started" if enabled else "tenant.sending_stopped"
            record(kind, tenant_id=tenant.pk, now=now, actor=f"member:{by.pk}", subject=tenant)
            live.hint(tenant.pk, "tenant")
    return bool(changed)
