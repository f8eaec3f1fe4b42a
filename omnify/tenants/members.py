"""The verbs that change who works for a tenant, and as what."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from omnify.lib import live
from omnify.tenants.events import record
from omnify.tenants.models import Membership, Tenant, User
from omnify.tenants.models.people import Role
from omnify.tenants.standing import STANDING


class LastOwner(ValueError):
    """A tenant always keeps one owner: nobody else could give its rights to anyone again."""


def add_member(*, email: str, role: str, by: Membership, now: datetime) -> Membership | None:
    """Makes the person with this address a member, creating a user who must first set a password; None if they are one already.

    The caller sends the invitation (omnify.tenants.tasks.send_invitation) once this has committed.
    """
    email = email.strip().lower()
    with transaction.atomic():
        user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)
        if Membership.objects.filter(user=user).exists():
            return None
        member = Membership.objects.create(user=user, role=role)
        record("member.added", tenant_id=by.tenant_id, now=now, actor=f"member:{by.pk}", subject=member, role=role)
    return member


def change_role(member: Membership, *, role: str, by: Membership, now: datetime) -> bool:
    """Gives a member another role. False: they had it. Raises LastOwner rather than leave the tenant without an owner."""
    with transaction.atomic():
        _one_at_a_time(by.tenant_id)
        if role != Role.OWNER:
            _keep_an_owner(member)
        was = _role_now(member)
        changed = Membership.objects.filter(pk=member.pk).exclude(role=role).update(role=role)
        if changed:
            record(
                "member.role_changed",
                tenant_id=by.tenant_id,
                now=now,
                actor=f"member:{by.pk}",
                subject=member,
                role=role,
                was=was,
            )
            live.hint(by.tenant_id, STANDING)
    return bool(changed)


def remove_member(member: Membership, *, by: Membership, now: datetime) -> bool:
    """Ends a membership; the user's account stays. False: it had ended. Raises LastOwner for the last one."""
    with transaction.atomic():
        _one_at_a_time(by.tenant_id)
        if not (was := _role_now(member)):
            return False
        _keep_an_owner(member)
        record(
            "member.removed",
            tenant_id=by.tenant_id,
            now=now,
            actor=f"member:{by.pk}",
            subject=member,
            user_id=member.user_id,
            was=was,
        )
        Membership.objects.filter(pk=member.pk).delete()
        live.hint(by.tenant_id, STANDING)
    return True


def _one_at_a_time(tenant_id: int) -> None:
    """Takes the lock on the tenant's row: two owners who demote each other at once must not both succeed."""
    Tenant.objects.filter(pk=tenant_id).update(name=F("name"))


def _role_now(member: Membership) -> str:
    """As it stands under the lock: the ledger says who could sign until now (omnify.tenants.entitlement)."""
    return Membership.objects.filter(pk=member.pk).values_list("role", flat=True).first() or ""


def _keep_an_owner(member: Membership) -> None:
    if not Membership.objects.filter(role=Role.OWNER).exclude(pk=member.pk).exists():
        raise LastOwner("A workspace needs at least one owner. Make somebody else an owner first.")
