"""The verbs of two-person approval: ask, sign, turn down, withdraw, let expire; and the check that the other verbs make.

A verb that needs a signature calls `require` before it writes: whoever called it (page, API, admin, task, another verb), it
raises NeedsSignature unless it runs on behalf of a signed request for this very change to things as they still are. Signing
applies the change in its own transaction, under the lock of the request's row: whatever is killed, clicked twice or signed by
two people at once, it is applied once or not at all.
"""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.module_loading import import_string

from omnify.lib import live
from omnify.tenants.context import require_tenant_id
from omnify.tenants.entitlement import request_of, signer_of, signers
from omnify.tenants.events import record
from omnify.tenants.models import ApiKey, Membership, Tenant
from omnify.tenants.models.approval import Approval, Decision
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.notifications import notify
from omnify.tenants.signatures import (
    EXPIRES_AFTER,
    NeedsSignature,
    Wanted,
    digest,
    is_alone,
    why_not_refuse,
    why_not_sign,
)

Apply = Callable[[Approval, datetime], str]


class Refused(Exception):
    """This cannot be decided so, by this person, now. The message says why; nothing was changed."""


class NotApplicable(Exception):
    """Raised by what applies a change: it makes no sense any more, and the message says why."""


def require(wanted: Wanted, *, approval: Approval | None) -> None:
    """Returns when the change may be made; raises NeedsSignature when somebody must sign it first.

    `approval` counts only while it is being applied, in its own transaction, and only for this change to this state.
    """
    if not Tenant.objects.filter(pk=require_tenant_id(), two_signatures=True).exists():
        return
    if approval is not None:
        covered = Approval.objects.filter(
            pk=approval.pk, kind=wanted.kind, digest=digest_of(wanted), decision=Decision.SIGNED, applied_at=None
        )
        if covered.exists():
            return
    raise NeedsSignature(wanted)


def digest_of(wanted: Wanted) -> str:
    return digest(wanted.kind, wanted.subject_type, wanted.subject_id, wanted.change, wanted.state)


def ask(wanted: Wanted, *, by: Membership | ApiKey, now: datetime) -> Approval:
    """Writes the request down and tells those who may sign it. The same one, still waiting, is given back instead of a second."""
    same = Approval.objects.filter(kind=wanted.kind, digest=digest_of(wanted), decision=Decision.WAITING)
    with transaction.atomic():
        for old in same.filter(expires_at__lte=now):
            _decide(old, Decision.EXPIRED, by="omnify", now=now)
    try:
        with transaction.atomic():
            return same.first() or _asked(wanted, by, now)
    except IntegrityError:  # the same was asked for at this very moment
        return same.get()


def sign(row: Approval, *, by: Membership, typed: str = "", now: datetime) -> Approval:
    """Signs, and makes the change, in one transaction. Raises Refused; where things have changed since it was asked for, the
    request is closed for good as overtaken."""
    try:
        with transaction.atomic():
            held = _hold(row)
            request, signer = request_of(held, now), signer_of(by, held, now, typed)
            if problem := why_not_sign(request, signer, mfa=settings.REQUIRE_MFA, now=now):
                raise Refused(problem)
            alone = is_alone(request, signer)
            _decide(held, Decision.SIGNED, by=f"member:{by.pk}", now=now, alone=alone)
            apply: Apply = import_string(import_string(settings.APPROVABLE)[held.kind])
            outcome = apply(held, now)[:300]
            Approval.objects.filter(pk=held.pk).update(applied_at=now, outcome=outcome)
            _record("applied", held, held.asked_by, now, outcome=outcome)
    except (NeedsSignature, NotApplicable) as error:
        why = str(error) if isinstance(error, NotApplicable) else "What it is about has changed since."
        with transaction.atomic():
            held = _hold(row)
            if held.is_waiting:
                _decide(held, Decision.CHANGED, by=f"member:{by.pk}", now=now, note=why)
        raise Refused(f"{why} It has to be asked for again.") from error
    held.refresh_from_db()
    return held


def turn_down(row: Approval, *, by: Membership, note: str = "", now: datetime) -> Approval:
    """Says no, for good. Raises Refused for somebody who may not, or when it was decided already."""
    with transaction.atomic():
        held = _hold(row)
        if problem := why_not_refuse(request_of(held, now), signer_of(by, held, now), now=now):
            raise Refused(problem)
        _decide(held, Decision.REFUSED, by=f"member:{by.pk}", now=now, note=note)
    return held


def withdraw(row: Approval, *, by: Membership, now: datetime) -> bool:
    """The asker takes it back. False when it was decided already, or is not theirs."""
    with transaction.atomic():
        held = _hold(row)
        if not held.is_waiting or held.asked_user != by.user_id:
            return False
        _decide(held, Decision.WITHDRAWN, by=f"member:{by.pk}", now=now)
    return True


def expire(row: Approval, *, now: datetime) -> bool:
    """Closes a request whose time is over. False when it was decided, or has time left. Run inside its tenant's context."""
    with transaction.atomic():
        held = _hold(row)
        if not held.is_waiting or held.expires_at > now:
            return False
        _decide(held, Decision.EXPIRED, by="omnify", now=now)
    return True


def _hold(row: Approval) -> Approval:
    """The request's row, locked, and with it the roles that decide: nobody is lowered while they sign.

    Tenant, members, request: always in this order, which is that of the verbs that change roles."""
    list(Tenant.objects.select_for_update(no_key=True).filter(pk=row.tenant_id).values_list("pk"))
    list(
        Membership.objects.select_for_update(no_key=True).order_by("pk").filter(pk__in=[each.pk for each in signers()])
    )
    held: Approval = Approval.objects.select_for_update(no_key=True).get(pk=row.pk)
    return held


def _asked(wanted: Wanted, by: Membership | ApiKey, now: datetime) -> Approval:
    user = by.created_by_id if isinstance(by, ApiKey) else by.user_id
    actor = f"{'key' if isinstance(by, ApiKey) else 'member'}:{by.pk}"
    row: Approval = Approval.objects.create(
        kind=wanted.kind, title=wanted.title[:200], url=wanted.url, subject_type=wanted.subject_type,
        subject_id=wanted.subject_id, change=wanted.change, state=wanted.state, lines=[list(each) for each in wanted.lines],
        digest=digest_of(wanted), phrase=wanted.phrase[:120], asked_by=actor, asked_user=user, asked_at=now,
        expires_at=now + EXPIRES_AFTER,
    )  # fmt: skip
    _record("asked", row, actor, now, title=row.title, digest=row.digest)
    able = signers()
    for member in [each for each in able if each.user_id != user] or able:
        _tell(row, f"Waits for your signature: {row.title}"[:160], member, Priority.HIGH)
    return row


def _decide(row: Approval, decision: str, *, by: str, now: datetime, note: str = "", alone: bool = False) -> None:
    """The one place where a decision is written; the trigger refuses a second one."""
    row.decision, row.decided_by, row.decided_at, row.note, row.alone = decision, by, now, note.strip()[:300], alone
    row.save(update_fields=["decision", "decided_by", "decided_at", "note", "alone"])
    _record(
        decision, row, by, now, title=row.title, digest=row.digest, asked_by=row.asked_by, alone=alone, note=row.note
    )
    kind, _, number = row.asked_by.partition(":")
    if kind == "member" and by != row.asked_by:
        asker = Membership.objects.filter(pk=int(number)).first()
        if asker is not None:
            _tell(row, f"{Decision(decision).label}: {row.title}"[:160], asker, Priority.NORMAL)


def _record(what: str, row: Approval, actor: str, now: datetime, **data: object) -> None:
    record(f"approval.{what}", tenant_id=row.tenant_id, now=now, actor=actor, subject=row, what=row.kind, **data)
    live.hint(row.tenant_id, "approvals", str(row.public_id))


def _tell(row: Approval, title: str, member: Membership, priority: str) -> None:
    notify(
        tenant_id=row.tenant_id, type=NotificationType.APPROVAL, title=title, priority=priority, member=member,
        url=reverse("tenants:approval", args=[row.public_id]),
    )  # fmt: skip
