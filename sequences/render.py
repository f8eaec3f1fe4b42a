"""Templates of messages: compiled once, rendered for each person.

`compile_template` reads a Liquid source and refuses, with a message for its author, what cannot be sent. A template
made only of text, `{{ variable }}` and `| default: "..."` becomes a plain Python function with the same output;
everything else is rendered by the locked-down Liquid of `sequences.liquid`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from liquid import BoundTemplate, Markup
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral
from liquid.builtin.filters.misc import default as default_filter
from liquid.builtin.output import OutputNode
from liquid.exceptions import (
    LiquidError,
    LoopIterationLimitError,
    OutputStreamLimitError,
    ResourceLimitError,
    UndefinedError,
)
from liquid.stringify import to_liquid_string

from sequences.liquid import FILTERS, SOURCE_LIMIT, TAGS, VALUE_LIMIT, environment, range_literals
from sequences.variables import Variable, needed, value_of

_ENVIRONMENTS: Final = {html: environment(html=html) for html in (False, True)}
_OPENINGS_LIMIT: Final = 1_000
_LONG_BLANK: Final = re.compile(r"\{[{%]-?\s{100}")
_NEVER_CLOSED: Final = re.compile(r"expected tag (end\w+), found end")
_UNEXPECTED_TAG: Final = re.compile(r"unexpected tag '([^']*)'")
_UNDEFINED: Final = re.compile(r"^(.*) is undefined$", re.DOTALL)

# What a hostile or broken template can make the library raise besides its own errors.
_BREAKS: Final = (
    ArithmeticError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


class TemplateProblem(Exception):
    """Why a template cannot be used, told to its author; line and column start at 1, both 0 when there is no place."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"{self.message} (line {self.line}, column {self.column})" if self.line else self.message


class Template:
    """A compiled template. `variables` are the dotted paths it uses, `required` those that have no default."""

    __slots__ = ("_fast", "_needed", "_slow", "html", "required", "source", "variables")

    def __init__(self, source: str, bound: BoundTemplate, *, html: bool) -> None:
        self.source = source
        self.html = html
        self._slow = bound
        self._fast = _closure(bound, html=html)
        self.variables, self._needed = needed(bound)
        self.required = frozenset(str(variable) for variable in self._needed if not variable.guarded)

    @property
    def fast(self) -> bool:
        """Whether the template is rendered by a plain Python function."""
        return self._fast is not None

    def render(self, variables: Mapping[str, object]) -> str:
        """The text for one person. Raises TemplateProblem for an unknown variable or a limit passed."""
        if self._fast is not None:
            try:
                text = self._fast(variables)
            except (KeyError, TypeError, IndexError):
                pass  # an unknown variable: Liquid below says which, and where
            else:
                if len(text) * 4 <= VALUE_LIMIT or len(text.encode()) <= VALUE_LIMIT:
                    return text
        return self.render_by_liquid(variables)

    def render_by_liquid(self, variables: Mapping[str, object]) -> str:
        """The same text without the fast path."""
        try:
            return self._slow.render(variables)
        except (LiquidError, *_BREAKS) as error:
            raise _problem(self.source, error) from error

    def missing(self, variables: Mapping[str, object]) -> tuple[str, ...]:
        """The variables that would leave a hole in the text: required and None, undefined or blank."""
        if not self._needed:
            return ()
        return tuple([str(wanted) for wanted in self._needed if wanted.leaves_a_hole(value_of(wanted, variables))])


@lru_cache(maxsize=2048)
def compile_template(source: str, *, html: bool = False) -> Template:
    """Read a template. With `html` every inserted value is escaped. Raises TemplateProblem."""
    if len(source.encode("utf-8", "replace")) > SOURCE_LIMIT:
        raise TemplateProblem(f"This template is longer than {SOURCE_LIMIT // 1000} KB.")
    _refuse_slow_reading(source)
    try:
        bound = _ENVIRONMENTS[html].from_string(source)
        for literal in range_literals(bound):
            raise TemplateProblem(
                "A range such as (1..10) cannot be used in a message.", *_place(source, literal.token.start_index)
            )
        _refuse_unknown_filters(source, bound)
        return Template(source, bound, html=html)
    except (LiquidError, *_BREAKS) as error:
        raise _problem(source, error) from error


def render_all(templates: Mapping[str, Template], variables: Mapping[str, object]) -> dict[str, str]:
    """Render several templates (subject, body, ...) for one person."""
    return {name: template.render(variables) for name, template in templates.items()}


def missing(template: Template, variables: Mapping[str, object]) -> tuple[str, ...]:
    """The variables that would leave a hole in the text for this person, in the order of the text."""
    return template.missing(variables)


def _closure(bound: BoundTemplate, *, html: bool) -> Callable[[Mapping[str, object]], str] | None:
    """A plain function with the output of the template, or None when the template does more than insert."""
    # The text with its gaps, and what each gap is filled with.
    pieces: list[str] = []
    gaps: list[tuple[int, str, tuple[str, ...], Any, bool]] = []
    for place, node in enumerate(bound.nodes):
        if isinstance(node, ContentNode):
            pieces.append(node.text)
        elif isinstance(node, OutputNode) and (insertion := _insertion(node, html=html)):
            pieces.append("")
            gaps.append((place, *insertion))
        else:
            return None

    def closure(variables: Mapping[str, Any]) -> str:
        parts = pieces.copy()
        for place, root, rest, instead, has_default in gaps:
            try:
                value = variables[root]
                for key in rest:
                    value = value[key]
            except (KeyError, TypeError, IndexError):
                if not has_default:
                    raise
                value = instead
            else:
                if has_default and not (type(value) is str and value):
                    value = default_filter(value, instead)
            parts[place] = value if type(value) is str and not html else to_liquid_string(value, html)
        return "".join(parts)

    return closure


def _insertion(node: OutputNode, *, html: bool) -> tuple[str, tuple[str, ...], Any, bool] | None:
    """(root, further keys, default, has a default) of a plain insertion."""
    expression = node.expression
    if not isinstance(expression, FilteredExpression) or not isinstance(expression.left, Path):
        return None
    root, *rest = expression.left.path
    # size, first and last are computed by Liquid, not looked up
    if not isinstance(root, str) or not all(isinstance(key, str) for key in rest):
        return None
    if not {"size", "first", "last"}.isdisjoint(rest):
        return None
    keys = tuple(str(key) for key in rest)
    if not expression.filters:
        return root, keys, None, False
    if len(expression.filters) > 1 or expression.filters[0].name != "default":
        return None
    args = expression.filters[0].args
    if len(args) != 1 or type(args[0]).__name__ != "PositionalArgument" or not isinstance(args[0].value, StringLiteral):
        return None
    literal = args[0].value.value
    return root, keys, Markup(literal) if html else literal, True


def _refuse_slow_reading(source: str) -> None:
    """The library's lexer needs quadratic time for many unclosed openings or endless blanks after one."""
    if source.count("{{") + source.count("{%") > _OPENINGS_LIMIT:
        raise TemplateProblem(f"This template has more than {_OPENINGS_LIMIT} tags.")
    for opening, closing in (("{{", "}}"), ("{%", "%}")):
        after = source.rfind(closing) + 1
        if source.count(opening, after) > 3:
            place = _place(source, source.find(opening, after))
            raise TemplateProblem(f"“{opening}” is opened here and never closed with “{closing}”.", *place)
    if blank := _LONG_BLANK.search(source):
        raise TemplateProblem("There are more than 100 blanks in a row here.", *_place(source, blank.start()))


def _refuse_unknown_filters(source: str, bound: BoundTemplate) -> None:
    for name, spans in bound.analyze(include_partials=False).filters.items():
        if name not in FILTERS:
            raise TemplateProblem(
                f"There is no filter called “{name}”.{_did_you_mean(name, FILTERS)}", *_place(source, spans[0].index)
            )


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word[:40], list(known), n=1)
    return f" Did you mean “{near[0]}”?" if near else ""


def _place(source: str, index: int) -> tuple[int, int]:
    """Line and column, both from 1, of an index into the source."""
    before = source[: max(index, 0)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _problem(source: str, error: BaseException) -> TemplateProblem:
    if not isinstance(error, LiquidError):
        return TemplateProblem("This template is too deep or too strange to be read.")
    place = _place(source, error.token.start_index) if error.token and error.token.start_index >= 0 else (0, 0)
    return TemplateProblem(_explain(error), *place)


def _explain(error: LiquidError) -> str:
    said = str(error.message or "")
    if isinstance(error, UndefinedError):
        name = (match[1] if (match := _UNDEFINED.match(said)) else said).strip("'")
        return f'“{name}” is not known for this person. Check the spelling, or add a default: | default: "…".'
    if isinstance(error, LoopIterationLimitError):
        return "This template loops more than 500 times."
    if isinstance(error, OutputStreamLimitError):
        return f"This template produces more than {VALUE_LIMIT:,} bytes."
    if isinstance(error, ResourceLimitError):
        return f"This template does more work than a message needs ({said})."
    if isinstance(error.__cause__, RecursionError) or "unexpected liquid parsing error" in said:
        return "This template is too deep or too strange to be read."
    if match := _NEVER_CLOSED.search(said):
        return f"A tag is never closed: {{% {match[1]} %}} is missing."
    if (match := _UNEXPECTED_TAG.search(said)) and match[1] in TAGS:
        return f"The tag “{match[1]}” is not in its place, or never closed."
    if match:
        return f"The tag “{match[1]}” cannot be used here.{_did_you_mean(match[1], TAGS)}"
    return f"This template cannot be read: {said}."


__all__ = ["Template", "TemplateProblem", "Variable", "compile_template", "missing", "render_all"]
