"""What publishing a draft would change, and for whom: read before the button is pressed, writes nothing."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count

from sequences.models import Enrollment, Sequence, Step, Version
from sequences.problems import Problem
from sequences.publishing import OPEN, movements, problems_of

FIELDS = {"name": "Name", "subject": "Subject", "body": "Text", "mutation_instructions": "Instructions"}
CONFIG_WORDS = {
    "first_message": "First words",
    "days": "Days",
    "hours": "Hours",
    "minutes": "Minutes",
    "business_days": "Only business days",
    "at": "At",
}


@dataclass(frozen=True)
class Change:
    """One changed field of a step: `pieces` are (op, text), op one of same, ins, del."""

    field: str
    pieces: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StepChange:
    """One step that is new, gone, moved or edited."""

    what: str  # added, removed, moved, edited, switched on, switched off
    step: Step
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Review:
    """`under_way` people are in the sequence; of them `staying` keep their step, `moving` go to another, `finishing` are done."""

    draft: Version
    problems: tuple[Problem, ...]
    changes: tuple[StepChange, ...]
    under_way: int
    staying: int
    moving: int
    finishing: int

    @property
    def blocked(self) -> bool:
        return any(not problem.warning for problem in self.problems)


def review(sequence: Sequence, draft: Version) -> Review:
    """Compares the draft with the published version and counts whom it touches. A constant number of queries."""
    old = list(Step.objects.filter(version_id=sequence.published_id).order_by("position", "id"))
    new = list(Step.objects.filter(version=draft).order_by("position", "id"))
    way = movements(sequence, draft)
    standing = (
        Enrollment.objects.filter(sequence=sequence, status__in=OPEN)
        .order_by()
        .values_list("step_id")
        .annotate(n=Count("id"))
    )
    staying = moving = finishing = 0
    for step_id, number in standing:
        target, same = way.get(step_id, (None, False))
        if target is None:
            finishing += number
        elif same:
            staying += number
        else:
            moving += number
    return Review(
        draft=draft,
        problems=problems_of(draft),
        changes=tuple(compare(old, new)),
        under_way=staying + moving + finishing,
        staying=staying,
        moving=moving,
        finishing=finishing,
    )


def compare(old: list[Step], new: list[Step]) -> Iterator[StepChange]:
    """What happened to each step, in the order of the new version; the removed ones last."""
    before = {step.key: step for step in old}
    after = {step.key for step in new}
    kept = [step.key for step in old if step.key in after]
    now = [step.key for step in new if step.key in before]
    in_place = {
        key
        for block in difflib.SequenceMatcher(a=kept, b=now, autojunk=False).get_matching_blocks()
        for key in kept[block.a : block.a + block.size]
    }
    for step in new:
        was = before.get(step.key)
        if was is None:
            yield StepChange("added", step)
            continue
        if was.enabled != step.enabled:
            yield StepChange("switched on" if step.enabled else "switched off", step)
        if step.key not in in_place:
            yield StepChange("moved", step)
        changes = tuple(_changes(was, step))
        if changes:
            yield StepChange("edited", step, changes)
    for step in old:
        if step.key not in after:
            yield StepChange("removed", step)


def word_diff(old: str, new: str) -> tuple[tuple[str, str], ...]:
    """The way from one text to another, word by word: (op, text) with op same, del or ins."""
    a, b = re.findall(r"\s+|[^\s]+", old), re.findall(r"\s+|[^\s]+", new)
    pieces: list[tuple[str, str]] = []
    gone = came = ""
    steps = difflib.SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes()
    for index, (op, a1, a2, b1, b2) in enumerate(steps):
        left, right = "".join(a[a1:a2]), "".join(b[b1:b2])
        # A blank that both have between two changes is no place to rest the eye: the change goes on.
        if op == "equal" and (left.strip() or not (gone or came) or index == len(steps) - 1):
            pieces += [each for each in (("del", gone), ("ins", came)) if each[1]]
            pieces.append(("same", left))
            gone = came = ""
        else:
            gone, came = gone + left, came + right
    pieces += [each for each in (("del", gone), ("ins", came)) if each[1]]
    return tuple(pieces)


def _changes(was: Step, step: Step) -> Iterator[Change]:
    for field, label in FIELDS.items():
        if getattr(was, field) != getattr(step, field):
            yield Change(label, word_diff(getattr(was, field), getattr(step, field)))
    old, new = was.config or {}, step.config or {}
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            yield Change(CONFIG_WORDS.get(key, key), word_diff(_said(old.get(key)), _said(new.get(key))))


def _said(value: object) -> str:
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
