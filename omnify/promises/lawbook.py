"""A second reader of the law's rows, to judge the first: was this moment outside the law for this person?

Written apart from sequences.law.gate and the other way round: it looks at one instant, one clock and one row after another,
and knows nothing of stretches, openings or sequences' windows.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sequences.law.book import ROWS
from sequences.law.rows import ClosedRow, ConsentRow, HolidayRow, HoursRow, Row, Span

_FOUR = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
_DAY = timedelta(days=1)
_HOURS = {row.id: row for row in ROWS if isinstance(row, HoursRow)}


def outside_the_law(at: datetime, zones: Iterable[str], places: Iterable[str] | None, channel: str) -> str | None:
    """The id of a rule that forbids marketing on this channel at this instant, or None: it was within the law."""
    clocks, hours, closed, wanted = _bearing(tuple(zones), tuple(places or ()), channel)
    today = at.astimezone(UTC).date()
    for country, rows in wanted:
        if not _any_valid(rows, today):
            return f"no-rule:{country}"
    if closed and _any_valid(closed, today):
        return closed[0].id
    for name in clocks if channel != "email" else ():
        local = at.astimezone(name)
        day, now = local.date(), local.time()
        for row in hours:
            if _valid(row, day):
                span = _span(row.id, day)
                if span is None or now < span[0] or now >= span[1]:
                    return row.id
    return None


@lru_cache(maxsize=4096)
def _bearing(
    zones: tuple[str, ...], places: tuple[str, ...], channel: str
) -> tuple[tuple[ZoneInfo, ...], tuple[HoursRow, ...], tuple[Row, ...], tuple[tuple[str, tuple[Row, ...]], ...]]:
    """The clocks to read; the rows of hours, and those that close the channel, in force or not; and for each country the
    rows of each kind it must have one of for the channel to be open at all."""
    lost = not places or (channel != "email" and not zones)
    where = {"US", "unknown"} if lost else set()
    for place in places:
        where |= {place[:2], "US-unknown" if place == "US" else place}
    rows = [row for row in ROWS if channel in row.channels and row.jurisdiction in where]
    hours = tuple(row for row in rows if isinstance(row, HoursRow))
    clocks = sorted({*zones, *(_FOUR if lost else ()), *(row.zone for row in hours if row.zone)})
    kinds: tuple[type, ...] = (ConsentRow,) if channel == "email" else (ConsentRow, HoursRow)
    wanted = tuple(
        (country, tuple(row for row in rows if row.jurisdiction == country and isinstance(row, kind)))
        for country in sorted({place[:2] for place in where if place != "unknown"})
        for kind in kinds
    )
    closed = tuple(row for row in rows if isinstance(row, ClosedRow))
    return tuple(ZoneInfo(name) for name in clocks), hours, closed, wanted


def _any_valid(rows: tuple[Row, ...], day: date) -> bool:
    return any(_valid(row, day) for row in rows)


def _valid(row: Row, day: date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)


@lru_cache(maxsize=65_536)
def _span(row_id: str, day: date) -> Span | None:
    row = _HOURS[row_id]
    if row.holidays and _closed_day(row.holidays, day):
        return row.holiday
    if day.isoweekday() == 7:
        return row.sunday
    return row.saturday if day.isoweekday() == 6 else row.weekday


@lru_cache(maxsize=65_536)
def _closed_day(name: str, day: date) -> bool:
    lists = [row for row in ROWS if isinstance(row, HolidayRow)]
    if name == "any":
        return any(_on(each, day) for each in lists if each.jurisdiction.startswith("US"))
    return any(_on(each, day) for each in lists if each.id == name)


def _on(holidays: HolidayRow, day: date) -> bool:
    """Whether a holiday falls on this very day, or is observed on it."""
    if _falls(holidays, day):
        return True
    if day.isoweekday() > 5:
        return False
    if holidays.observed == "nearest":
        return (day.isoweekday() == 5 and _falls(holidays, day + _DAY)) or (
            day.isoweekday() == 1 and _falls(holidays, day - _DAY)
        )
    # Holidays of the last weekend queue up for the free weekdays that follow it.
    saturday = day - timedelta(days=day.isoweekday() + 1)
    queue = sum(_falls(holidays, saturday + each) for each in (timedelta(0), _DAY))
    following = saturday + 2 * _DAY
    while queue:
        if not _falls(holidays, following):
            queue -= 1
            if following == day:
                return True
        following += _DAY
    return False


def _falls(holidays: HolidayRow, day: date) -> bool:
    return any(_means(when, day) for _, when in holidays.days)


def _means(when: str, day: date) -> bool:
    """Reads one rule of a list backwards: does it mean this date?"""
    words = when.split()
    if len(words) == 3:
        number, weekday, month = words
        if day.month != int(month) or f"{day:%A}".lower() != weekday:
            return False
        return (day + timedelta(days=7)).month != day.month if number == "last" else (day.day + 6) // 7 == int(number)
    for feast in ("easter", "thanksgiving"):
        if when.startswith(feast):
            base = day - timedelta(days=int(when.removeprefix(feast)))
            return base == _easter(base.year) if feast == "easter" else _means("4 thursday 11", base)
    if words[0] == "election":
        return _means("1 monday 11", day - _DAY) and (len(words) == 1 or day.year % 2 == 0)
    return (day.month, day.day) == tuple(int(part) for part in when.split("-"))


@lru_cache(maxsize=64)
def _easter(year: int) -> date:
    """Gauss's rule, with the two exceptions of the Gregorian calendar."""
    k = year // 100
    m = (15 - (13 + 8 * k) // 25 + k - k // 4) % 30
    n = (4 + k - k // 4) % 7
    d = (19 * (year % 19) + m) % 30
    e = (2 * (year % 4) + 4 * (year % 7) + 6 * d + n) % 7
    offset = 22 + d + e
    if d == 29 and e == 6:
        offset = 50
    elif d == 28 and e == 6 and (11 * m + 11) % 30 < 19:
        offset = 49
    return date(year, 3, 1) + timedelta(days=offset - 1)
