"""The facts of a receipt in people's words: instants, lists, waits and blocks, piece by piece. Pure.

sequences.receipts makes the sentences of them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sequences.law.words import NEEDED, objection_in_words

Facts = Mapping[str, Any]
NOUNS: Final = {"sms": "text", "email": "mail", "voice": "call"}
PLURALS: Final = {"sms": "texts", "email": "email", "voice": "calls"}


def facts_in_words(facts: Facts | None) -> list[tuple[str, str]]:
    """The facts a rule saw as (name, value) pairs for a table."""
    told = []
    for name, value in (facts or {}).items():
        if name == "for" and isinstance(value, Mapping):
            told.append(("How long", wait_in_words(value)))
        elif name == "why" and isinstance(value, list | tuple):
            told.extend(("Forbidden", objection_in_words(each)) for each in value if isinstance(each, Mapping))
        elif name == "suppressed" and isinstance(value, Mapping):
            told.append(("Blocked", "; ".join(_block(str(channel), block) for channel, block in value.items())))
        else:
            told.append((plain(name).capitalize(), _value(value)))
    return [(name, value) for name, value in told if value != ""]


def wait_in_words(spec: Mapping[str, Any]) -> str:
    """A wait's settings as words: "2 business days and 3 hours, then until 09:00"."""
    amounts = []
    for unit in ("days", "hours", "minutes"):
        number = spec.get(unit) or 0
        if number:
            word = unit if number != 1 else unit[:-1]
            amounts.append(f"{number} {'business ' if unit == 'days' and spec.get('business_days') else ''}{word}")
    said = joined(amounts)
    if not spec.get("at"):
        return said or "no time"
    return f"{said}, then until {spec['at']}" if said else f"until {spec['at']}"


def on_day(facts: Facts) -> str:
    """ " on 12 Nov", since when it is so; "" where the facts do not say."""
    stamp = facts.get("since") or facts.get("at")
    try:
        day = datetime.fromisoformat(str(stamp))
    except ValueError:
        return ""
    return f" on {day.day} {day:%b}"


def quoted(facts: Facts) -> str:
    """The words that somebody said it with: " by writing “stop”"."""
    quote = str(facts.get("quote") or "").strip()
    if facts.get("why") == "declined" and quote:
        return f" (“{quote}”)"
    return f" by writing “{quote}”" if quote else ""


def joined(words: list[str], joint: str = "and") -> str:
    """ "texts, email and calls"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def plain(word: object) -> str:
    """A name of ours as words: "hard bounce" for hard_bounce."""
    return str(word).replace("_", " ").strip()


def _value(value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_value(each) for each in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{plain(key)} {told}" for key, each in value.items() if (told := _value(each)))
    return NEEDED.get(str(value)) or _moment(str(value))


def _moment(text: str) -> str:
    """An instant as people write it: "21 Nov 2026, 14:47 UTC"; any other text as it is."""
    try:
        at = datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        return text
    return f"{at.day} {at:%b %Y, %H:%M %Z}".rstrip() if at else text


def _block(channel: str, block: object) -> str:
    """What stops one channel: "texts: opted out on 21 Nov by writing “stop”"."""
    why = f"{plain(block.get('why'))}{on_day(block)}{quoted(block)}" if isinstance(block, Mapping) else _value(block)
    return f"{PLURALS.get(channel, channel)}: {why}"
