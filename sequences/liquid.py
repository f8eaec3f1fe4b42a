"""Liquid for templates that tenants write: only what a sales text needs, and nothing that can loop or explode.

What python-liquid's own limits leave open is closed here: ranges, `replace` and `join` can build gigabytes within a
single step, `now` reads the clock, and `safe` would switch escaping off. Every value, every filter and the work of
a whole rendering are capped.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, TextIO

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import FilterArgumentError, ResourceLimitError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.undefined import FalsyStrictUndefined, Undefined
from liquid.utils import ReadOnlyChainMap

SOURCE_LIMIT: Final = 20_000
VALUE_LIMIT: Final = 50_000
ITEMS_LIMIT: Final = 2_000
STEPS_LIMIT: Final = 20_000
WORK_LIMIT: Final = 5_000_000
DIGITS_LIMIT_BITS: Final = 256

_MARKUP_TAGS: Final = frozenset({"content", "output", "illegal"})
_TAG_NAMES: Final = "if unless for assign case capture comment raw doc break continue cycle echo liquid #"
_FILTER_NAMES: Final = (
    "abs append at_least at_most capitalize ceil compact concat date default divided_by downcase escape escape_once "
    "find find_index first floor has join last lstrip map minus modulo newline_to_br plus prepend reject remove "
    "remove_first remove_last replace replace_first replace_last reverse round rstrip size slice sort sort_natural "
    "split squish strip strip_html strip_newlines sum times truncate truncatewords uniq upcase url_decode url_encode "
    "where"
)
TAGS: Final = frozenset(_TAG_NAMES.split())
FILTERS: Final = frozenset(_FILTER_NAMES.split())


class TooMuch(ResourceLimitError):
    """A template asked for more work, or a larger value, than a message can need."""


class BoundedContext(RenderContext):
    """A render context without a clock that counts its steps and the characters passed through filters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The library's scope has a `now` and a `today` of its own; times are given by the caller here.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self.steps = 0
        self.work = 0

    def spend(self, characters: int = 0) -> None:
        """Count one step and the characters it handles; raises TooMuch beyond the limits."""
        self.steps += 1
        self.work += characters
        if self.steps > STEPS_LIMIT or self.work > WORK_LIMIT:
            raise TooMuch("too many steps", token=None)

    def get(self, *args: Any, **kwargs: Any) -> object:
        self.spend()
        return super().get(*args, **kwargs)

    def get_buffer(self, buf: TextIO | None = None) -> LimitedStringIO:
        return _buffer(VALUE_LIMIT - (buf.size if isinstance(buf, LimitedStringIO) else 0))

    def assign(self, key: str, val: Any) -> None:
        self.spend(50 * len(self.locals))  # the library measures every local again at each assignment
        super().assign(key, val)


class BoundedTemplate(BoundTemplate):
    """A template rendered in a BoundedContext."""

    context_class = BoundedContext

    def _get_buffer(self) -> LimitedStringIO:
        return _buffer(VALUE_LIMIT)


class SafeEnv(Environment):
    """The locked-down environment."""

    template_class = BoundedTemplate
    loop_iteration_limit: ClassVar[int | None] = 500
    output_stream_limit: ClassVar[int | None] = VALUE_LIMIT
    local_namespace_limit: ClassVar[int | None] = 20_000
    context_depth_limit: ClassVar[int] = 8


def environment(*, html: bool) -> SafeEnv:
    """A locked-down environment; with `html` every value is escaped unless a literal of the template itself."""
    # `undefined` has to be this argument: as a class attribute the library ignores it.
    env = SafeEnv(undefined=FalsyStrictUndefined, autoescape=html)
    env.tags = {name: tag for name, tag in env.tags.items() if name in TAGS | _MARKUP_TAGS}
    env.filters = {name: _capped(name, env.filters[name]) for name in FILTERS}
    return env


def range_literals(template: BoundTemplate) -> Iterator[RangeLiteral]:
    """Every range, such as (1..9), in a template."""
    yield from (found for found in expressions(template) if isinstance(found, RangeLiteral))


def expressions(template: BoundTemplate) -> Iterator[Expression]:
    """Every expression of a template, however deep."""
    context = RenderContext(template)
    nodes: list[Node] = list(template.nodes)
    while nodes:
        node = nodes.pop()
        nodes.extend(node.children(context))
        waiting = list(node.expressions())
        while waiting:
            expression = waiting.pop()
            yield expression
            waiting.extend(expression.children())


def _buffer(limit: int) -> LimitedStringIO:
    return LimitedStringIO(limit, newline="")  # the library's own would turn \r\n into \n


def _capped(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The filter with its input, its arguments and its result kept within bounds, checked before the work is done."""
    wants_environment = getattr(filter_, "with_environment", False)
    wants_context = getattr(filter_, "with_context", False)

    @functools.wraps(filter_)
    def capped(value: Any, *args: Any, context: BoundedContext, **kwargs: Any) -> Any:
        if isinstance(value, Undefined) and name != "default":
            str(value)  # some filters would take an unknown variable for an empty text; this raises
        context.spend(_weigh(value) + sum(_weigh(arg) for arg in args))
        _refuse_growth(name, value, args)
        if wants_environment:
            kwargs["environment"] = context.env
        if wants_context:
            kwargs["context"] = context
        try:
            result = filter_(value, *args, **kwargs)
        except (ArithmeticError, ValueError, LookupError, AttributeError) as error:
            raise FilterArgumentError(f"{name}: {error}", token=None) from error
        _weigh(result)
        return result

    capped.with_context = True  # type: ignore[attr-defined]
    capped.with_environment = False  # type: ignore[attr-defined]
    return capped


def _weigh(value: object, depth: int = 4) -> int:
    """The characters in a value; raises TooMuch when it is larger than a message can need."""
    if isinstance(value, str):
        weight = len(value)
    elif isinstance(value, int):
        if value.bit_length() > DIGITS_LIMIT_BITS:
            raise TooMuch("number too large", token=None)
        return 1
    elif isinstance(value, Undefined):  # asking a strict undefined anything raises
        return 0
    elif isinstance(value, (list, tuple)):
        if len(value) > ITEMS_LIMIT:
            raise TooMuch("too many items", token=None)
        weight = len(value) + (sum(_weigh(item, depth - 1) for item in value) if depth else 0)
    else:
        return 1
    if weight > VALUE_LIMIT:
        raise TooMuch("text too long", token=None)
    return weight


def _refuse_growth(name: str, value: Any, args: tuple[Any, ...]) -> None:
    """Multiplying filters are measured before they run: two harmless texts can make gigabytes."""
    if name == "replace" and isinstance(value, str) and args and isinstance(args[0], str):
        new = args[1] if len(args) > 1 and isinstance(args[1], str) else ""
        if value.count(args[0]) * len(new) > VALUE_LIMIT:
            raise TooMuch("text too long", token=None)
    elif name == "join" and isinstance(value, (list, tuple)) and args and isinstance(args[0], str):
        if len(value) * len(args[0]) > VALUE_LIMIT:
            raise TooMuch("text too long", token=None)
    elif name == "date" and value in ("now", "today"):
        raise FilterArgumentError(f"“{value}” cannot be used in a message", token=None)
