"""What becomes of enrolments, messages and tasks when two contacts become one: nobody is in a sequence twice, nor gets a step again.

Called by contacts.merging in its transaction, with both contacts locked (settings.CONTACT_MERGED).
"""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from contacts.merging import MergeBlocked
from sequences import optouts
from sequences.decisions import Reason
from sequences.enrollments import exit_enrollment
from sequences.models import Enrollment, Message, Step, Task
from sequences.models.enrollment import OPEN_STATUSES, EnrollmentStatus
from sequences.models.message import IN_FLIGHT

MERGED = "merged"
# Of two open enrolments the one that waits for more decides.
STRICTNESS = {EnrollmentStatus.ACTIVE: 0, EnrollmentStatus.PAUSED: 1, EnrollmentStatus.FAILED: 2}


def follow(keep_id: int, gone_id: int, *, by: str, now: datetime, closed: set[str]) -> dict[str, Any]:
    """Moves everything of the one contact to the other. Returns what it did, for the event. Raises MergeBlocked while a message
    to one of them is on its way (until its fate is known, single flight must hold for it where it is), and when the one was
    put into a sequence of the other's at this very moment."""
    both = (keep_id, gone_id)
    rows = Enrollment.objects.filter(contact_id__in=both).order_by("pk").select_for_update(of=("self",), no_key=True)
    enrollments = list(rows)
    if Message.objects.filter(contact_id__in=both, state__in=IN_FLIGHT).exists():
        raise MergeBlocked("A message to one of them is on its way just now. Try again in a few minutes.")
    mine = {each.sequence_id: each for each in enrollments if each.contact_id == keep_id}
    theirs = [each for each in enrollments if each.contact_id == gone_id]
    moved = [each.pk for each in theirs if each.sequence_id not in mine]
    try:
        with transaction.atomic():
            Enrollment.objects.filter(pk__in=moved).update(contact_id=keep_id)
    except IntegrityError as error:
        # Committed since the enrolments were read above: the database let nobody be in a sequence twice.
        raise MergeBlocked("One of them is being enrolled just now. Try again in a moment.") from error
    for each in theirs:
        if each.sequence_id in mine:
            _unite(mine[each.sequence_id], each, by=by, now=now)
    messages = Message.objects.filter(contact_id=gone_id).update(contact_id=keep_id)
    Task.objects.filter(contact_id=gone_id).update(contact_id=keep_id)
    if closed:
        # What one of them said holds for the one person now: no sequence goes on around it.
        optouts.end_sequences([keep_id], now=now)
        optouts.cancel_waiting([keep_id], now=now, reason=optouts.OPTED_OUT)
    return {"enrollments": len(moved), "doubled": len(theirs) - len(moved), "messages": messages}


def _unite(mine: Enrollment, theirs: Enrollment, *, by: str, now: datetime) -> None:
    """One person was in one sequence twice: theirs ends and stays with its receipts, mine goes on as the stricter of both."""
    is_open, was_open = mine.status in OPEN_STATUSES, theirs.status in OPEN_STATUSES
    opted_out = theirs.status_reason == Reason.OPTED_OUT
    if is_open and was_open:
        _go_on(mine, theirs)
    elif is_open and not opted_out:
        # They had been through it as the other contact: what they got then is not sent again.
        exit_enrollment(mine, by=by, now=now, reason=MERGED)
    elif is_open:
        optouts.end_sequences([mine.contact_id], now=now)
    elif opted_out:
        Enrollment.objects.filter(pk=mine.pk).update(status_reason=Reason.OPTED_OUT)
    if was_open:
        exit_enrollment(theirs, by=by, now=now, reason=MERGED)


def _go_on(mine: Enrollment, theirs: Enrollment) -> None:
    changes: dict[str, Any] = {
        "needs_human_intervention": mine.needs_human_intervention or theirs.needs_human_intervention,
        "replied_at": max((each.replied_at for each in (mine, theirs) if each.replied_at), default=None),
    }
    if _is_further(theirs, mine):
        changes |= {"step_id": theirs.step_id, "waited": theirs.waited, "next_run_at": theirs.next_run_at}
    decides = max((mine, theirs), key=_strictness)
    if decides.status != EnrollmentStatus.ACTIVE:
        changes |= {
            "status": decides.status,
            "status_reason": decides.status_reason,
            "next_run_at": decides.next_run_at,
        }
    Enrollment.objects.filter(pk=mine.pk).update(**changes)


def _strictness(enrollment: Enrollment) -> tuple[bool, int]:
    return enrollment.status_reason == Reason.OPTED_OUT, STRICTNESS[EnrollmentStatus(enrollment.status)]


def _is_further(one: Enrollment, other: Enrollment) -> bool:
    """Whether `one` stands on a later step. Everybody who is on their way stands in the published version."""
    if one.version_id != other.version_id:
        return False
    places = dict(Step.objects.filter(pk__in=(one.step_id, other.step_id)).values_list("pk", "position"))
    return places.get(one.step_id, -1) > places.get(other.step_id, -1)
