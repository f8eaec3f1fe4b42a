"""The sequence's own window, and waits that follow the clock on the wall. Pure. What the law adds is in sequences.law.

Wall-clock arithmetic is done in the zone and converted back last: 20:30 plus a day across the change to summer time is
20:30, where adding 24 hours to the instant would give 21:30, inside the quiet hours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

EVERY_DAY = frozenset(range(7))
# Where a place nobody knows may be: the four zones of the continental United States (docs/compliance.md).
CONTINENTAL = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
# A window that closes sooner leaves no time for the wire.
LAST_CALL = timedelta(seconds=90)
# Those who waited for an opening start over its first ten minutes, or the first tenth of what is open if that is less.
SPREAD_OVER, SPREAD_SHARE = timedelta(minutes=10), 10


@dataclass(frozen=True, slots=True)
class Window:
    """Days of the week (0 = Monday) and the local hours in which sending is allowed: start <= t < end."""

    days: frozenset[int]
    start: time
    end: time

    @classmethod
    def from_json(cls, value: dict[str, Any] | None) -> "Window":
        """From {"days": [0..6], "start": "08:00", "end": "21:00"}; whatever is left out means every day, 8:00 to 21:00."""
        value = value or {}
        return cls(
            days=frozenset(value.get("days", EVERY_DAY)),
            start=time.fromisoformat(value.get("start", "08:00")),
            end=time.fromisoformat(value.get("end", "21:00")),
        )

    def open_at(self, local: datetime) -> bool:
        # Compared at the next minute's resolution, not the second's: 20:59:59 is still before 21:00.
        return local.weekday() in self.days and self.start <= local.timetz().replace(tzinfo=None) < self.end


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def after_wait(now: datetime, spec: Mapping[str, Any], zone_name: str) -> datetime:
    """When a wait that begins at `now` is over.

    `spec`: {"days", "hours", "minutes": numbers; "business_days": count only Monday to Friday; "at": "09:00", local time of
    the day it ends on}. Days are wall-clock days in the person's zone, hours and minutes are elapsed time.
    """
    place = zone(zone_name)
    local = now.astimezone(place)
    days = int(spec.get("days") or 0)
    day = local.date()
    if spec.get("business_days"):
        while days > 0:
            day += timedelta(days=1)
            days -= day.weekday() < 5
    else:
        day += timedelta(days=days)
    # A move to another day keeps the clock on the wall; without one the instant itself is kept, which an hour that comes
    # twice in autumn would not survive.
    moment = now if day == local.date() else _instant(day, local.time(), place)
    moment += timedelta(hours=float(spec.get("hours") or 0), minutes=float(spec.get("minutes") or 0))
    if spec.get("at"):
        at = time.fromisoformat(spec["at"])
        candidate = _instant(moment.astimezone(place).date(), at, place)
        moment = (
            candidate
            if candidate >= moment
            else _instant(moment.astimezone(place).date() + timedelta(days=1), at, place)
        )
    return moment


def _instant(day: Any, at: time, place: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=place).astimezone(UTC)


def turn_after(opens: datetime, closes: datetime, lot: int | None) -> datetime:
    """When somebody who waited for this opening has their turn: at 8:00 sharp nobody's provider would take a whole country.

    `lot` is the enrolment's id (None: exactly at the opening). The turns of many are even over the first ten minutes, or the
    first tenth of the open time if that is less; never before `opens`, never so late that no time is left before `closes`.
    The same opening gives the same person the same turn; another opening gives another, so that nobody is always the last.
    """
    room = min(SPREAD_OVER, (closes - opens) / SPREAD_SHARE, closes - opens - LAST_CALL)
    if lot is None or room <= timedelta(0):
        return opens
    drawn = blake2b(f"{lot} {opens.timestamp():.0f}".encode(), digest_size=8).digest()
    return opens + room * (int.from_bytes(drawn, "big") / 2**64)
