"""The verbs of support's "view as": begin, note, end. Every line goes into the ledger of the workspace that is looked at."""

from datetime import datetime, timedelta

from allauth.mfa.utils import is_mfa_enabled
from django.db import transaction
from django.urls import reverse

from omnify.lib import live
from omnify.tenants.context import tenant_context
from omnify.tenants.events import record
from omnify.tenants.models import Event, Membership, SupportVisit, Tenant, User
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.models.people import Role
from omnify.tenants.notifications import notify
from omnify.tenants.standing import STANDING

LASTS = timedelta(minutes=30)
NOTED_EVERY = timedelta(minutes=1)
LEAST_REASON = 10


class NotAllowed(Exception):
    """This person may not look, or not there, or gave no reason; the message says it."""


def why_not(user: User) -> str:
    """Why this person may look at nobody's workspace, or "". A second factor is needed everywhere, on a laptop too."""
    if not (user.is_active and user.is_staff):
        return "Only our own staff may look at a workspace."
    return "" if is_mfa_enabled(user) else "Set up two-factor log-in first: without it nobody looks at a workspace."


def begin(*, number: int, reason: str, by: User, now: datetime) -> SupportVisit:
    """Opens a workspace for reading, for half an hour, and tells its owners. `number`: the workspace's; people see it as a code.

    An earlier look by the same person there ends. Raises NotAllowed.
    """
    reason = " ".join(reason.split())
    if problem := why_not(by):
        raise NotAllowed(problem)
    if len(reason) < LEAST_REASON:
        raise NotAllowed("Say why, in a sentence: the workspace's owners read it.")
    with tenant_context(number):
        tenant = Tenant.objects.filter(pk=number).first()
        if tenant is None:
            raise NotAllowed("There is no workspace with this code.")
        for earlier in SupportVisit.objects.filter(staff_user=by.pk, ended_at=None):
            end(earlier, now=now)
        visit: SupportVisit = SupportVisit.objects.create(
            staff_user=by.pk, staff_name=str(by)[:254], reason=reason[:300], began_at=now, until=now + LASTS
        )
        record(
            "support.began", tenant_id=number, now=now, actor=actor(visit), subject=visit, staff=by.email, reason=visit.reason,
            until=visit.until.isoformat(timespec="seconds"),
        )  # fmt: skip
        for owner in Membership.objects.filter(role=Role.OWNER):
            notify(
                tenant_id=number, type=NotificationType.SUPPORT, title=f"{by} of support looks at your workspace"[:160],
                body=f"Reading only, for half an hour at most. The reason: {visit.reason}", priority=Priority.HIGH, member=owner,
                url=reverse("tenants:audit") + "?who=&area=support",
            )  # fmt: skip
    return visit


def end(visit: SupportVisit, *, now: datetime) -> bool:
    """Ends the look, at its last moment when that has passed. False when it had ended. Run inside its tenant's context."""
    with transaction.atomic():
        at = min(now, visit.until)
        if not SupportVisit.objects.filter(pk=visit.pk, ended_at=None).update(ended_at=at):
            return False
        record(
            "support.ended", tenant_id=visit.tenant_id, now=now, actor=actor(visit), subject=visit,
            by="time" if now >= visit.until else "staff",
        )  # fmt: skip
        live.hint(visit.tenant_id, STANDING)
    return True


def found(tenant_id: int, visit_id: int, user: User, now: datetime) -> SupportVisit | None:
    """The look that this person has open, with its tenant; None when it has ended, its time is over or their rights are.
    What is over is also closed. Makes its own transaction."""
    with tenant_context(tenant_id):
        rows = SupportVisit.objects.select_related("tenant").filter(pk=visit_id, staff_user=user.pk, ended_at=None)
        visit: SupportVisit | None = rows.first()
        if visit is not None and (visit.until <= now or why_not(user)):
            end(visit, now=now)
            return None
    return visit


def looked(visit: SupportVisit, path: str, now: datetime) -> None:
    """Notes that a page was looked at: each address once a minute. Makes its own transaction, which nothing of the page undoes."""
    with tenant_context(visit.tenant_id):
        lately = Event.objects.filter(subject_type="supportvisit", subject_id=visit.pk, kind="support.looked")
        if not lately.filter(at__gt=now - NOTED_EVERY, data__path=path[:200]).exists():
            record(
                "support.looked", tenant_id=visit.tenant_id, now=now, actor=actor(visit), subject=visit, path=path[:200]
            )  # fmt: skip


def refused(visit: SupportVisit, method: str, path: str, now: datetime) -> None:
    """Notes what was tried and not done. Makes its own transaction."""
    with tenant_context(visit.tenant_id):
        record(
            "support.refused", tenant_id=visit.tenant_id, now=now, actor=actor(visit), subject=visit, method=method[:10],
            path=path[:200],
        )  # fmt: skip


def actor(visit: SupportVisit) -> str:
    return f"support:{visit.staff_user}"
