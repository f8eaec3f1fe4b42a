"""The verbs on enrolments: pause, resume, exit, wake. With enrolling, the only writers besides the engine and a person's own reply.

Each is atomic, conditional on the state it expects, records one event, and says False (or counts) when it lost the race.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, DateTimeField, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest

from omnify.lib import live
from omnify.tenants.events import record
from sequences.decisions import Reason
from sequences.models import Enrollment, Execution, Message, Sequence
from sequences.models.enrollment import OPEN_STATUSES, Decision
from sequences.models.message import WAITING, MessageState, Purpose

# How long the verb that lets a sequence go on may take until it commits.
DECIDED_WITHIN = timedelta(minutes=1)


def pause_enrollment(enrollment: Enrollment, *, by: str, now: datetime, reason: str = Reason.PAUSED) -> bool:
    """Stops the automation for one person until somebody resumes it. False when it was not active any more."""
    with transaction.atomic():
        changed = _change(enrollment, {"active"}, status="paused", status_reason=reason, next_run_at=None)
        if changed:
            cancel_waiting(enrollment, now=now, reason=reason)
            _record("enrollment.paused", enrollment, by, now, reason=str(reason))
    return changed


def resume_enrollment(enrollment: Enrollment, *, by: str, now: datetime) -> bool:
    """Lets the automation go on at the step the person stands on. False when it was not paused, parked or held for a person,
    or they opted out.

    A wait that the pause interrupted ends when it would have ended, as its receipt says: the next step is not rushed.
    """
    stopped = Q(status__in=("paused", "failed")) | Q(status="active", needs_human_intervention=True)
    last_receipt = Execution.objects.filter(enrollment_id=OuterRef("pk"), turn=OuterRef("turn")).values("next_run_at")
    with transaction.atomic():
        changed = (
            Enrollment.objects.filter(stopped, pk=enrollment.pk)
            .exclude(status_reason=Reason.OPTED_OUT)
            .update(
                status="active",
                status_reason="",
                next_run_at=Case(
                    When(waited=True, then=Greatest(Value(now), Subquery(last_receipt))),
                    default=Value(now),
                    output_field=DateTimeField(),
                ),
                needs_human_intervention=False,
            )
        )
        if changed:
            _record("enrollment.resumed", enrollment, by, now)
            _wake_pulse()
    return bool(changed)


def exit_enrollment(enrollment: Enrollment, *, by: str, now: datetime, reason: str = "removed") -> bool:
    """Takes one person out of the sequence for good. False when they had left already."""
    with transaction.atomic():
        changed = _change(
            enrollment,
            set(OPEN_STATUSES),
            status="exited",
            status_reason=reason,
            next_run_at=None,
            finished_at=now,
            waited=False,
        )
        if changed:
            cancel_waiting(enrollment, now=now, reason=reason)
            _receipt(enrollment, now, Decision.EXIT, reason, {"by": by})
            _record("enrollment.exited", enrollment, by, now, reason=str(reason))
    return changed


def wake_sequence(sequence: Sequence, *, now: datetime) -> int:
    """Makes everybody due whom the pause of this sequence had stopped; called by the verbs that let it go on.

    Those who are due anyway are named too, and keep their moment: a tick may hold them just now and be about to write that
    the sequence is paused. This statement waits for it then, and reads the row again.
    """
    stopped = Q(next_run_at__isnull=True, status_reason=Reason.SEQUENCE_PAUSED)
    being_decided = Q(next_run_at__lte=now + DECIDED_WITHIN)
    woken = Enrollment.objects.filter(stopped | being_decided, sequence=sequence, status="active").update(
        next_run_at=Coalesce(F("next_run_at"), Value(now))
    )
    _wake_pulse()
    return woken


def end_for_deleted(contact_id: int, *, now: datetime) -> int:
    """Makes a deleted person's open enrolments due, held ones too: the engine takes them out, each with a receipt."""
    ended = Enrollment.objects.filter(contact_id=contact_id, status__in=OPEN_STATUSES).update(next_run_at=now)
    if ended:
        _wake_pulse()
    return ended


def cancel_waiting(enrollment: Enrollment, *, now: datetime, reason: str) -> int:
    """Cancels this enrolment's messages that have not reached the wire; what is on the wire is the provider's already."""
    return Message.objects.filter(enrollment_id=enrollment.pk, state__in=WAITING, purpose=Purpose.MARKETING).update(
        state=MessageState.CANCELLED, state_reason=str(reason)[:60], state_at=now
    )


def _change(enrollment: Enrollment, from_statuses: Iterable[str], **values: Any) -> bool:
    """The conditional update that decides the race: False when the row had another status by now."""
    changed = Enrollment.objects.filter(pk=enrollment.pk, status__in=list(from_statuses)).update(**values)
    if changed:
        for name, value in values.items():
            setattr(enrollment, name, value)
    return bool(changed)


def _receipt(enrollment: Enrollment, now: datetime, decision: str, reason: str, facts: dict[str, Any]) -> None:
    """A decision taken by hand has its receipt too, numbered like the engine's."""
    Enrollment.objects.filter(pk=enrollment.pk).update(turn=F("turn") + 1)
    enrollment.refresh_from_db(fields=["turn", "visit", "step_id"])
    Execution.objects.create(
        tenant_id=enrollment.tenant_id,
        enrollment_id=enrollment.pk,
        sequence_id=enrollment.sequence_id,
        step_id=enrollment.step_id,
        turn=enrollment.turn,
        visit=enrollment.visit,
        at=now,
        decision=decision,
        reason=str(reason)[:40],
        facts=facts,
    )


def _record(kind: str, enrollment: Enrollment, by: str, now: datetime, **data: Any) -> None:
    record(
        kind,
        tenant_id=enrollment.tenant_id,
        now=now,
        actor=by,
        subject=enrollment,
        contact_id=enrollment.contact_id,
        **data,
    )
    live.hint(enrollment.tenant_id, "sequences", str(enrollment.public_id))


def _wake_pulse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('omnify_wake', 'tick')")
