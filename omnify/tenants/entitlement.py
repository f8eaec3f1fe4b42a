"""Who may sign in the current workspace, as plain facts for omnify.tenants.signatures. Reads; locks nothing by itself."""

from datetime import datetime

from allauth.mfa.utils import is_mfa_enabled
from django.db.models import QuerySet

from omnify.tenants.models import ApiKey, Event, Membership
from omnify.tenants.models.approval import Approval
from omnify.tenants.signatures import ALONE_AFTER, SIGNERS, Request, Signer

_ROSE = ("member.added", "member.role_changed")
_LEFT = ("member.removed", "member.role_changed")


def signers() -> list[Membership]:
    """The members whose role lets them sign. One query."""
    return list(Membership.objects.filter(role__in=SIGNERS).select_related("user").order_by("pk"))


def request_of(row: Approval, now: datetime) -> Request:
    """The request with its asker's present role."""
    return Request(row.kind, row.decision, row.expires_at, row.asked_user, role_now(row.asked_by, now), row.phrase)


def role_now(actor: str, now: datetime) -> str:
    """The role of "member:<id>" or "key:<id>" at this moment, "" when it has ended."""
    kind, _, number = actor.partition(":")
    if not number.isdecimal():
        return ""
    if kind == "key":
        key = ApiKey.objects.filter(pk=int(number), revoked_at__isnull=True).exclude(expires_at__lte=now).first()
        return key.role if key else ""
    member = Membership.objects.filter(pk=int(number), user__is_active=True).first()
    return member.role if member else ""


def signer_of(member: Membership, row: Approval, now: datetime, typed: str = "") -> Signer:
    """The member as somebody who wants to sign `row`, with their role as it is now."""
    present = Membership.objects.filter(pk=member.pk, user__is_active=True).select_related("user").first()
    others = [each for each in signers() if each.user_id != member.user_id and each.user.is_active]
    return Signer(
        user=member.user_id,
        role=present.role if present else "",
        second_factor=is_mfa_enabled(member.user),
        others=len(others),
        lost_lately=not others and lost_a_signer(now),
        since_asked=_changes(_ROSE, row.asked_at).filter(subject_id=member.pk).exists(),
        typed=typed,
    )


def lost_a_signer(now: datetime) -> bool:
    """Whether somebody who could sign was removed or given a role that cannot, within ALONE_AFTER."""
    rows = _changes(_LEFT, now - ALONE_AFTER).filter(data__was__in=SIGNERS)
    return any(event.data.get("role", "") not in SIGNERS for event in rows)


def _changes(kinds: tuple[str, ...], since: datetime) -> QuerySet[Event]:
    """What happened to members of this workspace since a moment; the ledger's index by subject finds it."""
    return Event.objects.filter(subject_type="membership", kind__in=kinds, at__gt=since)
