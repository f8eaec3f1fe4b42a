"""A step as one person would get it, with the holes shown that would keep it from going out. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sequences import segments
from sequences.problems import StepValues, templates_of, unknown_variables
from sequences.render import TemplateProblem, compile_template

# Characters nobody types mark a hole on its way through the template.
_OPEN, _CLOSE = "\ue000", "\ue001"
_HOLE: Final = re.compile(f"{_OPEN}(.*?){_CLOSE}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, or a hole named by the variable that is empty."""

    text: str
    hole: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """`parts`: field -> pieces; `problems`: field -> why it cannot be written; `missing`: variables without a value or default.

    `count` is the rendered text's segments for a text message, None for everything else.
    """

    parts: dict[str, tuple[Piece, ...]]
    problems: dict[str, str]
    missing: tuple[str, ...]
    count: segments.Segments | None
    replaceable: tuple[segments.Forced, ...] = ()

    @property
    def sendable(self) -> bool:
        return not self.missing and not self.problems

    def text(self, name: str) -> str:
        """One part as plain text, holes left out."""
        return "".join(piece.text for piece in self.parts.get(name, ()) if not piece.hole)


def preview(step: StepValues, variables: Mapping[str, Any], known: Iterable[str]) -> Preview:
    """Renders every template of a step for one person's variables (contacts.variables.template_variables)."""
    parts: dict[str, tuple[Piece, ...]] = {}
    problems: dict[str, str] = {}
    missing: list[str] = []
    names = frozenset(known)
    for name, source in templates_of(step).items():
        try:
            template = compile_template(source)
            strange = next(unknown_variables(source, template.variables, names), None)
            if strange is not None:
                raise TemplateProblem(strange[1], strange[2], strange[3])
            holes = template.missing(variables)
            text = template.render(_with_holes(variables, holes))
        except TemplateProblem as problem:
            problems[name] = str(problem)
            continue
        missing.extend(hole for hole in holes if hole not in missing)
        parts[name] = _pieces(text)
    count: segments.Segments | None = None
    replaceable: tuple[segments.Forced, ...] = ()
    if step.kind == "sms" and "body" in parts:
        count = segments.count("".join(piece.text for piece in parts["body"] if not piece.hole))
        replaceable = _in_source(count, step.body)
    return Preview(parts, problems, tuple(missing), count, replaceable)


def _in_source(count: segments.Segments, source: str) -> tuple[segments.Forced, ...]:
    """The characters that force UCS-2, each once; those that come from the person's data have no replacement here."""
    once: dict[str, segments.Forced] = {}
    for forced in count.forced_by:
        once.setdefault(forced.char, forced)
    return tuple(
        forced if forced.char in source else segments.Forced(forced.char, forced.index, None)
        for forced in once.values()
    )


def _with_holes(variables: Mapping[str, Any], holes: Iterable[str]) -> Mapping[str, Any]:
    """The variables with a mark in the place of each missing one (top level, or one level down: custom.size)."""
    marked = dict(variables)
    for hole in holes:
        inner = re.fullmatch(r"(\w+)(?:\.([\w-]+)|\[['\"](.*)['\"]\])", hole)
        if inner is None:
            marked[hole] = f"{_OPEN}{hole}{_CLOSE}"
            continue
        root = marked.get(inner[1])
        below = dict(root) if isinstance(root, Mapping) else {}
        below[inner[2] or inner[3]] = f"{_OPEN}{hole}{_CLOSE}"
        marked[inner[1]] = below
    return marked


def _pieces(text: str) -> tuple[Piece, ...]:
    pieces = []
    for number, part in enumerate(_HOLE.split(text)):
        if part:
            pieces.append(Piece(part, hole=bool(number % 2)))
    return tuple(pieces)
