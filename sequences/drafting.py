"""The verbs that change a draft's steps. Each is atomic, counts the draft's revision up by one and records one event.

Every verb takes the `revision` its caller last saw; an older one raises StaleDraft and changes nothing, so two people
who edit at once are told of each other. A published version is no draft: it can never be changed by any of them.
"""

import itertools
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from omnify.tenants.events import record
from omnify.tenants.models import ApiKey, Membership
from sequences.models import Edge, Sequence, Step, StepKind, Version
from sequences.models.definition import step_key

CONTENT = ("name", "subject", "body", "config", "enabled", "enable_ai_mutation", "mutation_instructions")
STARTING_CONFIG: dict[str, dict[str, Any]] = {
    StepKind.WAIT: {"days": 2, "hours": 0, "minutes": 0, "business_days": False, "at": ""},
    StepKind.VOICE: {"first_message": ""},
}
By = Membership | ApiKey | None


class StaleDraft(Exception):
    """The draft was changed by somebody else since the caller read it; `revision` is the present one, None if it is gone."""

    def __init__(self, revision: int | None) -> None:
        super().__init__("This draft was changed elsewhere.")
        self.revision = revision


class NoSuchStep(Exception):
    """The draft has no step with this key (any more)."""


def actor_of(by: By) -> str:
    """How the ledger names who did it: member:<id>, key:<id>, or engine for None."""
    if by is None:
        return "engine"
    return f"{'key' if isinstance(by, ApiKey) else 'member'}:{by.pk}"


def draft_of(sequence: Sequence) -> Version | None:
    """The sequence's draft, None when the published version has not been edited since."""
    return Version.objects.filter(sequence=sequence, published_at__isnull=True).first()


def ensure_draft(sequence: Sequence, *, by: By, now: datetime) -> Version:
    """The sequence's draft; made from the published version, with the same step keys, when there is none yet."""
    found = draft_of(sequence)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            last = Version.objects.filter(sequence=sequence).aggregate(last=Max("number"))["last"] or 0
            draft = Version.objects.create(sequence=sequence, number=last + 1)
            # Read now: the caller's row may be from before somebody else published. While this draft is, nobody can again.
            published_id = Sequence.objects.values_list("published_id", flat=True).get(pk=sequence.pk)
            if published_id:
                copy_steps(published_id, draft)
            note("draft_started", sequence, by=by, now=now, number=draft.number)
            return draft
    except IntegrityError:  # somebody else was first: the database allows one draft
        return Version.objects.get(sequence=sequence, published_at__isnull=True)


def copy_steps(source_version_id: int, target: Version, *, fresh_keys: bool = False) -> None:
    """Copies the steps of one version into an empty other one, in order, and draws the line between them."""
    rows = Step.objects.filter(version_id=source_version_id).order_by("position", "id")
    Step.objects.bulk_create(
        Step(
            tenant_id=target.tenant_id,
            version=target,
            position=position,
            key=step_key() if fresh_keys else row.key,
            kind=row.kind,
            **{field: getattr(row, field) for field in CONTENT},
        )
        for position, row in enumerate(rows)
    )
    draw_line(target)


def draw_line(draft: Version) -> None:
    """Rebuilds the edges: each step leads to the one below it, except that nothing follows an exit that is switched on."""
    rows = list(Step.objects.filter(version=draft).order_by("position", "id"))
    Edge.objects.filter(version=draft).delete()
    Edge.objects.bulk_create(
        Edge(tenant_id=draft.tenant_id, version=draft, source=source, target=target)
        for source, target in itertools.pairwise(rows)
        if not (source.kind == StepKind.EXIT and source.enabled)
    )


def add_step(
    draft: Version,
    *,
    kind: str,
    revision: int,
    by: By,
    now: datetime,
    after: str | None = None,
    key: str | None = None,
    **content: Any,
) -> Step:
    """Puts a new step behind the step with key `after`, or first when None. `content`: any of CONTENT."""
    with transaction.atomic():
        _take(draft, revision, now)
        rows = _steps(draft)
        place = _index(rows, after) + 1 if after else 0
        content.setdefault("config", dict(STARTING_CONFIG.get(kind, {})))
        step = Step.objects.create(
            version=draft, kind=StepKind(kind), key=key or step_key(), position=place, **_known(content)
        )
        _arrange(draft, [*rows[:place], step, *rows[place:]])
        note("step_added", draft.sequence, by=by, now=now, step=step.key, step_kind=kind)
    return step


def update_step(draft: Version, key: str, *, revision: int, by: By, now: datetime, **changes: Any) -> Step:
    """Changes a step's content (any of CONTENT). Returns the step as it is now."""
    with transaction.atomic():
        _take(draft, revision, now)
        if not Step.objects.filter(version=draft, key=key).update(**_known(changes)):
            raise NoSuchStep(key)
        if "enabled" in changes:
            draw_line(draft)
        note("step_changed", draft.sequence, by=by, now=now, step=key, fields=sorted(changes))
        return Step.objects.get(version=draft, key=key)


def enable_step(draft: Version, key: str, *, revision: int, by: By, now: datetime) -> Step:
    return update_step(draft, key, revision=revision, by=by, now=now, enabled=True)


def disable_step(draft: Version, key: str, *, revision: int, by: By, now: datetime) -> Step:
    """Switches a step off: people pass it untouched."""
    return update_step(draft, key, revision=revision, by=by, now=now, enabled=False)


def move_step(draft: Version, key: str, to: str | int, *, revision: int, by: By, now: datetime) -> None:
    """Moves a step "up" or "down" by one, or to a place in the list (0 is first). At the end of the list it stays."""
    with transaction.atomic():
        _take(draft, revision, now)
        rows = _steps(draft)
        place = _index(rows, key)
        target = {"up": place - 1, "down": place + 1}.get(to, to) if isinstance(to, str) else to
        if not isinstance(target, int):
            raise ValueError(f"A step moves up, down or to a number, not {to!r}.")
        row = rows.pop(place)
        rows.insert(min(max(target, 0), len(rows)), row)
        _arrange(draft, rows)
        note("step_moved", draft.sequence, by=by, now=now, step=key)


def duplicate_step(draft: Version, key: str, *, revision: int, by: By, now: datetime) -> Step:
    """A copy of the step, with a key of its own, directly behind it."""
    found = Step.objects.filter(version=draft, key=key).first()
    if found is None:
        raise NoSuchStep(key)
    return add_step(
        draft, kind=found.kind, after=key, revision=revision, by=by, now=now, **{f: getattr(found, f) for f in CONTENT}
    )


def delete_step(draft: Version, key: str, *, revision: int, by: By, now: datetime) -> dict[str, Any]:
    """Takes a step out. Returns what restore_step needs to put it back exactly where it was."""
    with transaction.atomic():
        _take(draft, revision, now)
        rows = _steps(draft)
        place = _index(rows, key)
        row = rows.pop(place)
        kept = {
            "after": rows[place - 1].key if place else None,
            "key": key,
            "kind": row.kind,
            **{f: getattr(row, f) for f in CONTENT},
        }
        Edge.objects.filter(version=draft).delete()
        Step.objects.filter(pk=row.pk).delete()
        _arrange(draft, rows)
        note("step_deleted", draft.sequence, by=by, now=now, step=key)
    return kept


def restore_step(draft: Version, kept: dict[str, Any], *, revision: int, by: By, now: datetime) -> Step:
    """Puts a deleted step back with its old key; at the end if the step it stood behind is gone as well."""
    keys = list(Step.objects.filter(version=draft).order_by("position", "id").values_list("key", flat=True))
    after = kept["after"] if kept["after"] in keys or kept["after"] is None else (keys[-1] if keys else None)
    return add_step(draft, revision=revision, by=by, now=now, **{**kept, "after": after})


def note(what: str, sequence: Sequence, *, by: By, now: datetime, **data: Any) -> None:
    """One event about a sequence in the ledger."""
    record(f"sequence.{what}", tenant_id=sequence.tenant_id, now=now, actor=actor_of(by), subject=sequence, **data)


def _take(draft: Version, revision: int, now: datetime) -> None:
    """The statement that decides between two editors: it holds the draft's row until the verb has committed."""
    taken = Version.objects.filter(pk=draft.pk, revision=revision, published_at__isnull=True).update(
        revision=F("revision") + 1
    )
    if not taken:
        present = Version.objects.filter(pk=draft.pk, published_at__isnull=True).values_list("revision", flat=True)
        raise StaleDraft(present.first())
    draft.revision = revision + 1
    Sequence.objects.filter(pk=draft.sequence_id).update(updated_at=now)


def _steps(draft: Version) -> list[Step]:
    return list(Step.objects.filter(version=draft).order_by("position", "id"))


def _index(rows: list[Step], key: str) -> int:
    for index, row in enumerate(rows):
        if row.key == key:
            return index
    raise NoSuchStep(key)


def _arrange(draft: Version, rows: Iterable[Step]) -> None:
    changed = []
    for position, row in enumerate(rows):
        if row.position != position:
            row.position = position
            changed.append(row)
    Step.objects.bulk_update(changed, ["position"])
    draw_line(draft)


def _known(content: dict[str, Any]) -> dict[str, Any]:
    strange = set(content) - set(CONTENT)
    if strange:
        raise ValueError(f"A step has no {', '.join(sorted(strange))}.")
    return content
