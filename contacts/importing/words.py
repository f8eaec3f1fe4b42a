"""Cells that mean yes, no, nothing, or a day. Pure."""

import re
from datetime import UTC, datetime
from functools import cache, lru_cache

_YES = frozenset(
    "yes|y|true|t|1|1.0|x|✓|✔|on|ok|agreed|granted|subscribed|opted-in|opted in|opt-in|optin|opt in|active|ja|j|oui|o|sí|si|s|sim|"
    "da|да|hai|はい|是".split("|")
)
_NO = frozenset(
    "no|n|false|f|0|0.0|off|denied|declined|refused|unsubscribed|opted-out|opted out|opt-out|optout|opt out|inactive|nein|non|não|"
    "nao|nee|net|нет|いいえ|否".split("|")
)
_NOTHING = frozenset(
    {
        "n/a",
        "na",
        "#n/a",
        "null",
        "none",
        "nil",
        "-",
        "--",
        "—",
        "unknown",
        "undefined",
        "nan",
        "(blank)",
        "#ref!",
        "#value!",
    }
)
_MONTH_FIRST = ("%m/%d/%Y", "%m/%d/%y", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%m-%d-%Y")
_DAY_FIRST = ("%d/%m/%Y", "%d/%m/%y", "%d/%m/%Y %H:%M", "%d-%m-%Y")
_ALWAYS = ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%Y/%m/%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")


def yes_or_no(cell: str) -> bool | None:
    """True or False; None for an empty cell. Raises ValueError for anything else."""
    word = cell.strip().lower()
    if word in _YES:
        return True
    if is_no(word):
        return False
    if not word or word in _NOTHING:
        return None
    raise ValueError("This is neither yes nor no.")


def is_no(cell: str) -> bool:
    """Whether a cell clearly says no."""
    return cell.strip().lower() in _NO


def is_nothing(cell: str) -> bool:
    """Whether a filled cell only says that there is nothing to say: N/A, null, a dash."""
    return len(cell) <= 9 and cell.lower() in _NOTHING


@lru_cache(maxsize=8_192)
def moment(cell: str, *, month_first: bool) -> datetime:
    """The day (or moment) a cell names, in UTC. 3/4/2026 is March where `month_first`. Raises ValueError."""
    text = cell.strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _by_format(text, month_first)
    if found.year < 1990:
        raise ValueError("This is not a date.")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _by_format(text: str, month_first: bool) -> datetime:
    for style in _styles(month_first).get(_signs(text), ()):
        try:
            return datetime.strptime(text, style).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError("This is not a date.")


@cache
def _styles(month_first: bool) -> dict[str, list[str]]:
    """The ways to write a day, by the signs between their parts: trying each of them on each cell takes longer than all the rest."""
    found: dict[str, list[str]] = {}
    for style in (*(_MONTH_FIRST if month_first else _DAY_FIRST), *_ALWAYS):
        found.setdefault(_signs(style.replace("%", "")), []).append(style)
    return found


def _signs(text: str) -> str:
    """What is neither letter nor digit, blanks told once: "// :" of 3/4/2026 14:05."""
    return _WORDS.sub("", " ".join(text.split()))


_WORDS = re.compile(r"\w+")
