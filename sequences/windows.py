"""When a person may be reached: the sequence's window and the legal hours, in every time zone the person may be in. Pure.

Wall-clock arithmetic is done in the zone and converted back last: 20:30 plus a day across the change to summer time is
20:30, where adding 24 hours to the instant would give 21:30, inside the quiet hours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

EVERY_DAY = frozenset(range(7))
# A place nobody knows: the strictest hours, in all four zones of the continental United States (docs/compliance.md).
CONTINENTAL = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
# Two weeks hold every weekday pattern twice: what is closed so long never opens.
HORIZON = timedelta(days=15)


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

    def within(self, other: "Window") -> "Window":
        """The hours both allow."""
        return Window(self.days & other.days, max(self.start, other.start), min(self.end, other.end))


# 47 CFR 64.1200(c)(1): no telephone solicitation before 8:00 or after 21:00, local time at the called party's location.
LEGAL_HOURS = Window(EVERY_DAY, time(8), time(21))
UNKNOWN_PLACE = Window(frozenset(range(6)), time(10), time(17))


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def effective(window: Window, zones: Iterable[str], channel: str, home: str = "UTC") -> tuple[Window, tuple[str, ...]]:
    """The window and zones that really hold: law narrows texts and calls; a person of unknown place gets the strictest
    hours, and for e-mail, which no such law covers, the tenant's own zone `home`."""
    known = tuple(zones)
    if channel == "email":
        return window, known or (home,)
    if not known:
        return window.within(UNKNOWN_PLACE), CONTINENTAL
    return window.within(LEGAL_HOURS), known


def next_open(now: datetime, zones: Iterable[str], window: Window) -> datetime | None:
    """The first instant at or after `now` at which the window is open in all `zones`; None when there is none in two weeks."""
    places = [zone(name) for name in zones]
    moment = now
    while moment - now <= HORIZON:
        later = max((_opening(moment, place, window) or _NEVER for place in places), default=moment)
        if later == moment:
            return moment
        if later is _NEVER:
            return None
        moment = later
    return None


def closes_at(now: datetime, zones: Iterable[str], window: Window) -> datetime:
    """When the window that is open at `now` closes first in any of the zones; `now` itself if it is not open in all."""
    ends = []
    for name in zones:
        place = zone(name)
        local = now.astimezone(place)
        if not window.open_at(local):
            return now
        ends.append(_instant(local.date(), window.end, place))
    return min(ends, default=now)


@lru_cache(maxsize=4096)
def hours_at(
    now: datetime, zones: tuple[str, ...], window: Window, channel: str, home: str
) -> tuple[datetime | None, datetime]:
    """(may_send, must_end) for one moment; people of one place share the answer."""
    hours, places = effective(window, zones, channel, home)
    return next_open(now, places, hours), closes_at(now, places, hours)


def may_send(now: datetime, zones: Iterable[str], window: Window, channel: str, home: str = "UTC") -> datetime | None:
    """The earliest instant from `now` on at which this channel may be used; `now` itself means: go. None: never."""
    hours, places = effective(window, zones, channel, home)
    return next_open(now, places, hours)


def must_end(now: datetime, zones: Iterable[str], window: Window, channel: str, home: str = "UTC") -> datetime:
    """When what goes out at `now` must have arrived by: the end of today's hours. Bounds what a provider may hold back."""
    hours, places = effective(window, zones, channel, home)
    return closes_at(now, places, hours)


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


_NEVER = datetime.max.replace(tzinfo=UTC)


def _instant(day: Any, at: time, place: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=place).astimezone(UTC)


def _opening(moment: datetime, place: ZoneInfo, window: Window) -> datetime | None:
    """The first instant at or after `moment` at which the window is open in one zone."""
    if not window.days or window.start >= window.end:
        return None
    local = moment.astimezone(place)
    if window.open_at(local):
        return moment
    for ahead in range(9):
        day = local.date() + timedelta(days=ahead)
        if day.weekday() not in window.days:
            continue
        opening = _instant(day, window.start, place)
        # A start inside the hour that spring skips lands before the change: the first real instant is what astimezone gave.
        if opening >= moment and window.open_at(opening.astimezone(place)):
            return opening
    return None
