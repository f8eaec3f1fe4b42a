"""How many people, decisions and messages a sequence has.

A small sequence is counted when somebody looks at it. A large one is counted by a worker every minute or so, and less often
the longer that takes; its pages show that count and its moment. Both are the same three counts, so they cannot differ.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from omnify.tenants.context import tenant_context
from sequences.models import Enrollment, Execution, Message, Sequence, SequenceNumbers, Step
from sequences.models.enrollment import OPEN_STATUSES
from sequences.statements import run

# From so many people on, a worker counts.
LARGE = 2_000
# A count is at least so old before it is made anew, and at least so many times as old as it took; an archived sequence's older.
PAUSE_SECONDS, PAUSE_TIMES, ARCHIVED_SECONDS = 60.0, 50.0, 3_600.0
AT_ONCE = 50

# numbers_due: large sequences whose count is old. One walk along the index enrollment_people a sequence, LARGE entries at most.
DUE = """
SELECT s.id, s.tenant_id
FROM sequences_sequence AS s LEFT JOIN sequences_sequencenumbers AS n ON n.sequence_id = s.id
WHERE (n.id IS NULL OR n.counted_at < %(now)s - make_interval(secs => greatest(
        %(pause)s, n.took_ms / 1000 * %(times)s, CASE WHEN s.status = 'archived' THEN %(archived)s ELSE 0 END)))
  AND (n.id IS NOT NULL OR EXISTS (
        SELECT 1 FROM sequences_enrollment AS e WHERE e.sequence_id = s.id ORDER BY e.id DESC OFFSET %(large)s - 1 LIMIT 1))
ORDER BY n.counted_at NULLS FIRST
LIMIT %(at_once)s
"""


@dataclass(frozen=True)
class Numbers:
    """people by status and reason; by step key: people `here`, and decisions; messages by state. `as_of`: None means now."""

    states: dict[str, dict[str, int]]
    steps: dict[str, dict[str, int]]
    messages: dict[str, int]
    as_of: datetime | None = None

    @property
    def people(self) -> int:
        return sum(sum(reasons.values()) for reasons in self.states.values())


def numbers_of(sequence: Sequence) -> Numbers:
    """The numbers of one sequence: the worker's last count of a large one, else counted now. One query, or five."""
    counted = SequenceNumbers.objects.filter(sequence=sequence, people__gte=LARGE).first()
    return _kept(counted) if counted is not None else count(sequence)


def states_of(sequence: Sequence) -> tuple[dict[str, dict[str, int]], datetime | None]:
    """People by status and reason, and as of when (None: now). Two queries at most."""
    counted = SequenceNumbers.objects.filter(sequence=sequence, people__gte=LARGE).first()
    if counted is not None:
        return counted.states, counted.counted_at
    return _states(sequence), None


def people_by_status(sequence_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Sequence -> status -> people. Two queries; only the small ones are counted."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for counted in SequenceNumbers.objects.filter(sequence_id__in=sequence_ids, people__gte=LARGE):
        found[counted.sequence_id] = {status: sum(reasons.values()) for status, reasons in counted.states.items()}
    small = [each for each in sequence_ids if each not in found]
    rows = Enrollment.objects.filter(sequence_id__in=small)
    for sequence_id, status, number in _counted(rows, "sequence_id", "status") if small else ():
        found[sequence_id][status] = number
    return dict(found)


def count(sequence: Sequence) -> Numbers:
    """Counts now, whatever its size. Five queries."""
    messages = dict(_counted(Message.objects.filter(enrollment__sequence=sequence), "state"))
    return Numbers(_states(sequence), _steps(sequence), messages)


def count_large(now: Callable[[], datetime], *, budget_seconds: float) -> int:
    """Counts the large sequences whose numbers are old, the oldest first, as long as the budget lasts; returns how many.

    What is left over is found again a minute later.
    """
    until, done = time.monotonic() + budget_seconds, 0
    for sequence_id, tenant_id in _due(now()):
        with tenant_context(tenant_id):
            sequence = Sequence.objects.filter(pk=sequence_id).first()
            if sequence is not None:
                _count_and_keep(sequence, now())
                done += 1
        if time.monotonic() > until:
            break
    return done


def _due(now: datetime) -> list[tuple[int, int]]:
    given = {
        "now": now,
        "pause": PAUSE_SECONDS,
        "times": PAUSE_TIMES,
        "archived": ARCHIVED_SECONDS,
        "large": LARGE,
        "at_once": AT_ONCE,
    }
    return run(DUE, given).fetchall()


def _count_and_keep(sequence: Sequence, now: datetime) -> None:
    began = time.perf_counter()
    found = count(sequence)
    values: dict[str, Any] = {
        "counted_at": now,
        "people": found.people,
        "states": found.states,
        "steps": found.steps,
        "messages": found.messages,
        "took_ms": (time.perf_counter() - began) * 1000,
    }
    SequenceNumbers.objects.update_or_create(sequence=sequence, defaults=values)


def _kept(counted: SequenceNumbers) -> Numbers:
    return Numbers(counted.states, counted.steps, counted.messages, counted.counted_at)


def _states(sequence: Sequence) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for status, reason, number in _counted(Enrollment.objects.filter(sequence=sequence), "status", "status_reason"):
        found[status][reason] = number
    return dict(found)


def _steps(sequence: Sequence) -> dict[str, dict[str, int]]:
    """Of all versions together: a step keeps its key."""
    keys = dict(Step.objects.filter(version__sequence=sequence).values_list("pk", "key"))
    numbers: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    standing = Enrollment.objects.filter(sequence=sequence, status__in=OPEN_STATUSES)
    for step_id, number in _counted(standing, "step_id"):
        numbers[keys.get(step_id, "")]["here"] += number
    decided = Execution.objects.filter(sequence_id=sequence.pk, decision__in=("send", "skip", "task", "handoff"))
    for step_id, decision, number in _counted(decided, "step_id", "decision"):
        numbers[keys.get(step_id, "")][decision] += number
    return {key: dict(found) for key, found in numbers.items()}


def _counted(rows: QuerySet[Any], *columns: str) -> list[tuple[Any, ...]]:
    return list(rows.order_by().values_list(*columns).annotate(number=Count("id")))
