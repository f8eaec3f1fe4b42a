"""A published version as the engine walks it: steps with compiled content and the way between them. Pure, immutable, cached."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sequences.render import Template, TemplateProblem, compile_template

MESSAGE_KINDS = frozenset({"sms", "email", "voice"})


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A template that publishing should have refused. Whoever gets to its step is parked with the reason; the rest go on."""

    problem: TemplateProblem

    def render(self, variables: Mapping[str, object]) -> str:
        """Raises TemplateProblem."""
        raise TemplateProblem(self.problem.message, self.problem.line, self.problem.column)

    def missing(self, variables: Mapping[str, object]) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class StepFacts:
    """One step: what it is, its compiled templates, and which step follows. Compared by identity: one object a version."""

    id: int
    key: str
    kind: str
    name: str
    enabled: bool
    subject: Template | Unreadable
    body: Template | Unreadable
    config: Mapping[str, Any]
    next_id: int | None

    @property
    def label(self) -> str:
        return self.name or self.kind


@dataclass(frozen=True, slots=True)
class Graph:
    """All steps of one version by id, and the first."""

    version_id: int
    first_id: int | None
    steps: Mapping[int, StepFacts]


def first_words(row: Mapping[str, Any]) -> str:
    """What a call step says first; a step without words of its own for it may have them in its subject."""
    return str((row["config"] or {}).get("first_message") or row["subject"])


def build(version_id: int, steps: Iterable[Mapping[str, Any]], edges: Iterable[tuple[int, int]]) -> Graph:
    """The graph of one version.

    Args: rows of its steps in order of position (id, key, kind, name, enabled, subject, body, config), and its edges as
    (source id, target id).
    """
    following = dict(edges)
    made: dict[int, StepFacts] = {}
    for row in steps:
        made[row["id"]] = StepFacts(
            id=row["id"],
            key=row["key"],
            kind=row["kind"],
            name=row["name"],
            enabled=row["enabled"],
            # A call has no subject line: its first words take that place, on the step and on the message.
            subject=_compiled(first_words(row) if row["kind"] == "voice" else row["subject"]),
            body=_compiled(row["body"]),
            config=row["config"] or {},
            next_id=following.get(row["id"]),
        )
    return Graph(version_id=version_id, first_id=next(iter(made), None), steps=made)


def _compiled(source: str) -> Template | Unreadable:
    try:
        return compile_template(source)
    except TemplateProblem as problem:
        return Unreadable(problem)
