"""Which variables a template uses, and which of them must be known before it can be sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from liquid import BoundTemplate, RenderContext
from liquid.ast import ConditionalBlockNode, Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

_CONDITIONAL = (IfNode, UnlessNode, CaseNode)
_CONDITION_HOLDERS = (*_CONDITIONAL, ConditionalBlockNode, MultiExpressionBlockNode)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable by its keys. `guarded`: inside a condition on itself, `{% if city %}in {{ city }}{% endif %}`.

    Liquid takes an empty text for true, so a guarded variable that is blank (not None) still leaves a hole.
    """

    name: str
    keys: tuple[Any, ...]
    guarded: bool = False

    def __str__(self) -> str:
        return self.name

    def leaves_a_hole(self, value: object) -> bool:
        """Whether the text would have a hole with this value."""
        if isinstance(value, str):
            return not value.strip()
        return value is None and not self.guarded


def needed(template: BoundTemplate) -> tuple[frozenset[str], tuple[Variable, ...]]:
    """All variables of a template by dotted path; and those printed without a default, in the order of the text."""
    analysis = template.analyze(include_partials=False)
    known = frozenset(str(variable) for found in analysis.globals.values() for variable in found)
    context = RenderContext(template)
    printed: dict[str, Variable] = {}
    for path, guarded in _printed(template.nodes, context, frozenset(), frozenset()):
        name = _dotted(path)
        if name in known and (name not in printed or (printed[name].guarded and not guarded)):
            printed[name] = Variable(name, tuple(path.path), guarded)
    return known, tuple(printed.values())


def value_of(variable: Variable, variables: Mapping[str, object]) -> object:
    """The value of a variable for one person; None when it is unknown."""
    value: Any = variables
    for key in variable.keys:
        if isinstance(key, Path) or (key in ("size", "first", "last") and not isinstance(value, Mapping)):
            return True  # computed while rendering
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _printed(
    nodes: Iterable[Node], context: RenderContext, guards: frozenset[str], compared: frozenset[str]
) -> Iterator[tuple[Path, bool]]:
    """(path, guarded) of everything printed, iterated or assigned without a default.

    `guards` are variables the enclosing conditions ask for by name alone, `compared` those they compare with
    something: what to do about a blank one is then the author's explicit choice.
    """
    for node in nodes:
        inner_guards, inner_compared = guards, compared
        if isinstance(node, _CONDITIONAL):
            bare, other = _conditions(node, context)
            inner_guards, inner_compared = guards | bare, compared | other
        elif not isinstance(node, _CONDITION_HOLDERS):
            for expression in node.expressions():
                for path in _without_default(expression):
                    if (name := _dotted(path)) not in compared:
                        yield path, name in guards
        yield from _printed(node.children(context), context, inner_guards, inner_compared)


def _conditions(node: Node, context: RenderContext) -> tuple[frozenset[str], frozenset[str]]:
    """The variables a conditional asks for: (by name alone, in a comparison)."""
    bare: set[str] = set()
    compared: set[str] = set()
    for holder in (node, *(child for child in node.children(context) if isinstance(child, _CONDITION_HOLDERS))):
        for condition in holder.expressions():
            waiting = [condition]
            while waiting:
                expression = waiting.pop()
                if isinstance(expression, Path):
                    bare.add(_dotted(expression))
                elif type(expression).__name__ in _LOGIC and not isinstance(node, CaseNode):
                    waiting.extend(expression.children())
                else:
                    compared.update(_dotted(path) for path in _paths(expression))
    return frozenset(bare - compared), frozenset(compared)


_LOGIC = frozenset({"BooleanExpression", "LogicalAndExpression", "LogicalOrExpression", "LogicalNotExpression"})


def _paths(expression: Expression) -> Iterator[Path]:
    if isinstance(expression, Path):
        yield expression
    for child in expression.children():
        yield from _paths(child)


def _without_default(expression: Expression) -> Iterator[Path]:
    if not isinstance(expression, FilteredExpression):
        yield from _paths(expression)
        return
    filters = expression.filters or []
    defaults = [index for index, filter_ in enumerate(filters) if filter_.name == "default"]
    if not defaults:
        yield from _paths(expression.left)
    for filter_ in filters[defaults[-1] if defaults else 0 :]:
        for argument in filter_.children():
            yield from _paths(argument)


def _dotted(path: Path) -> str:
    return str(path)
