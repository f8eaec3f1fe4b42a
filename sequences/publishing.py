"""Publishing a draft: checked, made immutable, and everybody who is on their way in the sequence taken along."""

import re
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Case, Value, When

from contacts.variables import NAMES
from omnify.tenants.context import require_tenant_id
from omnify.tenants.models import Tenant
from sequences.drafting import By, StaleDraft, draft_of, note
from sequences.models import Edge, Sender, Sequence, Step, Version
from sequences.models.definition import SequenceStatus
from sequences.moving import Stop, destinations
from sequences.problems import DraftValues, Problem, StepValues, problems

__all__ = [
    "NotPublishable",
    "draft_values",
    "known_variables",
    "movements",
    "problems",
    "problems_of",
    "publish",
    "stops_of",
]

# Open enrolments stand somewhere; the others have left and stay in the version they left from.
OPEN = ("active", "paused", "failed")

# One statement for everybody: the row is read again where a tick has just moved it on, so nobody is left behind.
# The text and the arrays are ours; a step that is not in the list has no place in the new version: the way ends there.
# Who opted out, or answered where an answer ends the sequence, only waits for the engine to end it with a receipt: they stay.
MOVE = """
WITH way AS (SELECT unnest(%(old)s::bigint[]) AS old, unnest(%(new)s::bigint[]) AS new, unnest(%(same)s::boolean[]) AS same)
UPDATE sequences_enrollment AS e SET
    version_id = %(version)s,
    step_id = (SELECT new FROM way WHERE old = e.step_id),
    waited = e.waited AND COALESCE((SELECT same FROM way WHERE old = e.step_id), false),
    status = CASE WHEN (SELECT new FROM way WHERE old = e.step_id) IS NULL THEN 'completed' ELSE e.status END,
    status_reason = CASE WHEN (SELECT new FROM way WHERE old = e.step_id) IS NULL THEN 'finished' ELSE e.status_reason END,
    finished_at = CASE WHEN (SELECT new FROM way WHERE old = e.step_id) IS NULL THEN %(now)s ELSE e.finished_at END,
    next_run_at = CASE WHEN (SELECT new FROM way WHERE old = e.step_id) IS NULL THEN NULL ELSE e.next_run_at END
WHERE e.tenant_id = %(tenant)s AND e.sequence_id = %(sequence)s AND e.version_id <> %(version)s AND e.status = ANY(%(open)s)
  AND NOT (e.status = 'paused' AND e.status_reason IN ('opted_out', 'replied') AND e.next_run_at IS NOT NULL)
"""
CUSTOM_FIELDS = """
SELECT DISTINCT jsonb_object_keys(custom_fields) FROM contacts_contact
WHERE tenant_id = %s AND deleted_at IS NULL AND custom_fields <> '{}'::jsonb
"""


class NotPublishable(Exception):
    """The draft has problems; they are in `problems`, warnings included."""

    def __init__(self, found: tuple[Problem, ...]) -> None:
        super().__init__(f"{sum(not each.warning for each in found)} problems stand against publishing.")
        self.problems = found


def publish(sequence: Sequence, *, by: By, now: datetime, revision: int | None = None) -> Version:
    """Makes the draft the version in force and moves the people who are under way to the same step of it.

    A draft sequence becomes active; a paused one stays paused. Past steps are not sent again, a removed step leads to the
    next one that is left, and what is queued already goes out as it was written. Nothing changes unless all of it can:
    raises NotPublishable(problems), or StaleDraft when there is no draft or it is not at `revision` (None: any).
    """
    with transaction.atomic():
        version = draft_of(sequence)
        if version is None:
            raise StaleDraft(None)
        wanted = Version.objects.filter(pk=version.pk, published_at__isnull=True)
        if revision is not None:
            wanted = wanted.filter(revision=revision)
        # From here on the draft is closed: a verb that edits it waits for this row and then finds no draft.
        if not wanted.update(published_at=now, published_by=by if by is not None and hasattr(by, "role") else None):
            raise StaleDraft(version.revision)
        found = problems_of(version)
        if any(not problem.warning for problem in found):
            raise NotPublishable(found)
        active = Case(When(status=SequenceStatus.DRAFT, then=Value(SequenceStatus.ACTIVE.value)), default="status")
        Sequence.objects.filter(pk=sequence.pk).update(published=version, status=active, updated_at=now)
        moved = _move_people(sequence, version, now)
        note("published", sequence, by=by, now=now, number=version.number, moved=moved)
    version.refresh_from_db()
    sequence.refresh_from_db()
    return version


def problems_of(version: Version) -> tuple[Problem, ...]:
    """The problems of a stored version, in six queries whatever its length."""
    return problems(draft_values(version), known_variables())


def draft_values(version: Version) -> DraftValues:
    """A stored version, with what its tenant has to send it, as plain values."""
    steps = list(Step.objects.filter(version=version).order_by("position", "id"))
    keys = {step.pk: step.key for step in steps}
    edges = Edge.objects.filter(version=version).order_by("position", "id").values_list("source_id", "target_id")
    return DraftValues(
        steps=tuple(step_values(step) for step in steps),
        edges=tuple((keys[source], keys[target]) for source, target in edges),
        senders=frozenset(Sender.objects.filter(is_default=True).values_list("channel", flat=True)),
        postal_address=bool(
            Tenant.objects.filter(pk=version.tenant_id).exclude(postal_address="").values_list("pk").first()
        ),
    )


def step_values(step: Step) -> StepValues:
    return StepValues(
        key=step.key,
        kind=step.kind,
        name=step.name,
        subject=step.subject,
        body=step.body,
        config=step.config or {},
        enabled=step.enabled,
    )


def known_variables() -> tuple[str, ...]:
    """What a template of the current tenant may say: a contact's fields and memory, and every custom field that one has."""
    with connection.cursor() as cursor:
        cursor.execute(CUSTOM_FIELDS, [require_tenant_id()])
        custom = sorted(row[0] for row in cursor.fetchall())
    return (*NAMES, *(custom_name(key) for key in custom))


def custom_name(key: str) -> str:
    """How a custom field is written in a template: custom.size, or custom['shoe size']."""
    return f"custom.{key}" if re.fullmatch(r"[A-Za-z_][\w-]*", key) else f"custom[{key!r}]"


def stops_of(version_id: int) -> tuple[Stop, ...]:
    """The steps of a version as the move of its people sees them, in order."""
    rows = Step.objects.filter(version_id=version_id).order_by("position", "id")
    return tuple(Stop(row.pk, row.key, row.kind, row.enabled) for row in rows.only("id", "key", "kind", "enabled"))


def movements(sequence: Sequence, version: Version) -> dict[int, tuple[int | None, bool]]:
    """Where publishing `version` takes people: the step they stand on -> (the new step or None, whether it is the same one)."""
    older = (
        Version.objects.filter(sequence=sequence, published_at__isnull=False)
        .exclude(pk=version.pk)
        .values_list("pk", flat=True)
    )
    new, found = stops_of(version.pk), {}
    grouped: dict[int, list[Stop]] = {}
    rows = Step.objects.filter(version_id__in=older).order_by("version_id", "position", "id")
    for row in rows.only("id", "key", "kind", "enabled", "version_id"):
        grouped.setdefault(row.version_id, []).append(Stop(row.pk, row.key, row.kind, row.enabled))
    for stops in grouped.values():
        found.update(destinations(tuple(stops), new))
    return found


def _move_people(sequence: Sequence, version: Version, now: datetime) -> int:
    way = movements(sequence, version)
    with connection.cursor() as cursor:
        cursor.execute(
            MOVE,
            {
                "old": list(way),
                "new": [new for new, _ in way.values()],
                "same": [same for _, same in way.values()],
                "version": version.pk,
                "now": now,
                "tenant": sequence.tenant_id,
                "sequence": sequence.pk,
                "open": list(OPEN),
            },
        )
        return cursor.rowcount
