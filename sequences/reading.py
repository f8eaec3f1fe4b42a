"""What the pages of sequences show, each answer in a constant number of queries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from contacts import finding
from contacts.models import Contact
from sequences.counting import people_by_status
from sequences.models import Enrollment, Execution, Message, Sequence, Step, Version
from sequences.models.definition import SequenceStatus
from sequences.models.enrollment import OPEN_STATUSES

PAGE = 50
# A receipt unfolds into all it knows, so a page has fewer of them.
RECEIPTS = 25
# The People tab's filters: name -> (word, which enrolments).
STATES: dict[str, tuple[str, Q]] = {
    "active": ("Active", Q(status="active")),
    "replied": ("Replied", Q(status="paused", status_reason="replied")),
    "paused": ("Paused", Q(status="paused") & ~Q(status_reason="replied")),
    "failed": ("Parked", Q(status="failed")),
    "completed": ("Finished", Q(status="completed")),
    "opted_out": ("Opted out", Q(status="exited", status_reason="opted_out")),
    "exited": ("Left", Q(status="exited") & ~Q(status_reason="opted_out")),
}


@dataclass
class Row:
    """One line of the list of sequences."""

    sequence: Sequence
    kinds: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    has_draft: bool = False

    @property
    def open(self) -> int:
        return sum(self.counts.get(status, 0) for status in OPEN_STATUSES)


@dataclass(frozen=True)
class Page:
    """Some rows and where the next ones begin (None: these were the last)."""

    rows: list[Any]
    before: int | None


@dataclass(frozen=True)
class Receipt:
    """One decision with everything a person wants to know about it."""

    execution: Execution
    step: Step | None
    message: Message | None

    @property
    def contact(self) -> Contact:
        return self.execution.enrollment.contact


def listed(*, status: str = "", search: str = "") -> list[Row]:
    """The tenant's sequences, the latest edited first; archived ones only where they are asked for. Five queries."""
    rows = Sequence.objects.select_related("owner__user").order_by("-updated_at", "-id")
    rows = rows.filter(status=status) if status else rows.exclude(status=SequenceStatus.ARCHIVED)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(description__icontains=search))
    found = {sequence.pk: Row(sequence) for sequence in rows[:200]}
    for sequence_id, counts in people_by_status(found).items():
        found[sequence_id].counts = counts
    shown: dict[int, int] = {pk: row.sequence.published_id for pk, row in found.items() if row.sequence.published_id}
    for pk, version_id in Version.objects.filter(sequence_id__in=found, published_at__isnull=True).values_list(
        "sequence_id", "pk"
    ):
        found[pk].has_draft = True
        shown.setdefault(pk, version_id)
    of_version = {version_id: pk for pk, version_id in shown.items()}
    steps = Step.objects.filter(version_id__in=of_version, enabled=True).order_by("position", "id")
    for version_id, kind in steps.values_list("version_id", "kind"):
        found[of_version[version_id]].kinds.append(kind)
    return list(found.values())


def state_counts(states: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """How many people are in each of STATES, and under "all" how many there are, from people by status and reason."""
    numbers: dict[str, int] = dict.fromkeys(STATES, 0)
    for status, reasons in states.items():
        for reason, number in reasons.items():
            numbers[state_name(status, reason)] += number
    return {"all": sum(numbers.values()), **numbers}


def state_name(status: str, reason: str) -> str:
    """Which of STATES an enrolment is in."""
    if status == "paused":
        return "replied" if reason == "replied" else "paused"
    if status == "exited":
        return "opted_out" if reason == "opted_out" else "exited"
    return status


def people(sequence: Sequence, *, now: datetime, state: str = "", search: str = "", before: int | None = None) -> Page:
    """The people of a sequence, the latest enrolled first. One query."""
    rows = Enrollment.objects.filter(sequence=sequence).select_related("contact", "step").order_by("-id")
    if state in STATES:
        rows = rows.filter(STATES[state][1])
    if search:
        rows = rows.filter(contact__in=contacts_matching(search, now))
    return _page(rows, before)


def upcoming(sequence: Sequence) -> list[Enrollment]:
    """The next ten touches of a sequence. One query."""
    rows = Enrollment.objects.filter(sequence=sequence, status="active", next_run_at__isnull=False)
    return list(rows.select_related("contact", "step").order_by("next_run_at")[:10])


def log(
    sequence: Sequence,
    *,
    now: datetime,
    decision: str = "",
    channel: str = "",
    search: str = "",
    before: int | None = None,
) -> Page:
    """The receipts of a sequence, newest first, with their steps and messages. Three queries."""
    rows = Execution.objects.filter(sequence_id=sequence.pk)
    if decision:
        rows = rows.filter(decision=decision)
    if channel:
        rows = rows.filter(Q(channel=channel) | Q(facts__channel=channel))
    if search:
        rows = rows.filter(enrollment__contact__in=contacts_matching(search, now))
    found = _page(rows.select_related("enrollment__contact").order_by("-id"), before, RECEIPTS)
    return Page(receipts_of(found.rows), found.before)


def receipts_of(executions: list[Execution]) -> list[Receipt]:
    """These decisions with their steps and messages. Two queries."""
    steps = Step.objects.in_bulk({each.step_id for each in executions if each.step_id})
    sent = {each.pk for each in executions if each.decision == "send"}
    # Found by enrolment, which has an index; the receipt's own number then says which one.
    messages = Message.objects.filter(
        enrollment_id__in={each.enrollment_id for each in executions}, execution_id__in=sent
    )
    by_execution = {message.execution_id: message for message in messages}
    return [Receipt(each, steps.get(each.step_id or 0), by_execution.get(each.pk)) for each in executions]


def contacts_matching(search: str, now: datetime) -> QuerySet[Contact]:
    """Contacts found by the same search as on the list of contacts."""
    return finding.found(finding.Filters(q=search), now=now).order_by()


def _page(rows: QuerySet[Any], before: int | None, size: int = PAGE) -> Page:
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: size + 1])
    return Page(found[:size], found[size - 1].pk if len(found) > size else None)
