"""What of a change loosens something: hours, sending mode, the second signature itself. Pure.

Tightening is free. Loosening needs a second signature (omnify.tenants.signatures).
"""

from collections.abc import Mapping
from typing import Any

MINUTES = 24 * 60
# Hours that every workspace may keep without asking anybody: what a new one's form shows.
PRESET: Mapping[str, Any] = {"days": [0, 1, 2, 3, 4], "start": "09:00", "end": "17:00"}
# Terms of retention, in days: what is removed is gone, whoever wants it back.
KEEPING = ("keep_words_days", "keep_raw_days")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def spans(hours: Mapping[str, Any] | None) -> dict[int, tuple[int, int]]:
    """Day of the week -> (first minute, minute after the last). Left out means every day, 8:00 to 21:00, as in windows.py."""
    given = hours or {}
    start, end = _minute(given.get("start", "08:00")), _minute(given.get("end", "21:00"))
    return {int(day): (start, end) for day in given.get("days", range(7))}


def widened(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> bool:
    """Whether the new hours hold a minute that neither the old ones nor the preset held."""
    before, preset = spans(old), spans(PRESET)
    for day, (start, end) in spans(new).items():
        known = [each for each in (before.get(day), preset.get(day)) if each]
        if not _covered(start, end, known):
            return True
    return False


def raised(old: Any, new: Any) -> bool:
    """Whether an allowance grows. None is no limit at all."""
    return old is not None and (new is None or new > old)


def loosened(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of those settings of a workspace that `new` loosens."""
    found = []
    if "business_hours" in new and widened(old["business_hours"], new["business_hours"]):
        found.append("business_hours")
    if new.get("sending_mode", old["sending_mode"]) == "live" and old["sending_mode"] != "live":
        found.append("sending_mode")
    if old["two_signatures"] and new.get("two_signatures") is False:
        found.append("two_signatures")
    if any(shorter(old[name], new[name]) for name in KEEPING if name in new):
        found.append("keeping")
    if new.get("legal_hold") is False and old["legal_hold"]:
        found.append("legal_hold")
    return tuple(found)


def shorter(old: int | None, new: int | None) -> bool:
    """Whether what was to be kept for `old` days would go earlier. None is for ever."""
    return new is not None and (old is None or new < old)


def in_words(name: str, value: Any) -> str:
    """A setting's value as people read it."""
    if name in ("business_hours", "send_window"):
        given = value or {}
        days = [DAYS[int(day)] for day in sorted(given.get("days", range(7)))]
        return f"{', '.join(days) or 'no day'}, {given.get('start', '08:00')} to {given.get('end', '21:00')}"
    if name in KEEPING:
        return "for ever" if value is None else f"{value:,} days"
    if isinstance(value, bool):
        return "on" if value else "off"
    return "no limit" if value is None else str(value)


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes[:2] or 0)


def _covered(start: int, end: int, known: list[tuple[int, int]]) -> bool:
    """Whether the known spans together hold all of start..end."""
    at = start
    for first, last in sorted(known):
        if first <= at:
            at = max(at, last)
    return at >= end
