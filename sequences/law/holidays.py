"""The days that count as holidays: lists per jurisdiction as rows, and the dates they fall on in any year. Pure.

A holiday that moves off a weekend closes both days: the date itself and the day it is observed on.
"""

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from sequences.law.rows import CHANNELS, COUNSEL, HolidayRow

# When: "7-4" a date · "3 monday 1" the third Monday of January · "last monday 5" · "easter-2" days from Easter Sunday ·
# "election" the Tuesday after the first Monday of November, "election even" in even years only.
_FEDERAL: Final = (
    ("New Year's Day", "1-1"),
    ("Birthday of Martin Luther King, Jr.", "3 monday 1"),
    ("Washington's Birthday", "3 monday 2"),
    ("Memorial Day", "last monday 5"),
    ("Juneteenth", "6-19"),
    ("Independence Day", "7-4"),
    ("Labor Day", "1 monday 9"),
    ("Columbus Day", "2 monday 10"),
    ("Veterans Day", "11-11"),
    ("Thanksgiving Day", "4 thursday 11"),
    ("Christmas Day", "12-25"),
)
_OPM: Final = "opm.gov, federal holidays"
_FROM_CODE: Final = "the section's list as commonly reproduced; not read in the code itself"
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _state(jurisdiction: str, citation: str, *days: tuple[str, str]) -> HolidayRow:
    """A state's list: the federal days and its own."""
    return HolidayRow(
        id=f"{jurisdiction}-holidays",
        jurisdiction=jurisdiction,
        channels=CHANNELS,
        citation=citation,
        source=_FROM_CODE,
        days=(*_FEDERAL, *days),
        note="The federal days and the state's own; which of them the telemarketing rule means, counsel must say. "
        + COUNSEL,
    )


HOLIDAYS: Final[tuple[HolidayRow, ...]] = (
    HolidayRow(
        id="US-holidays",
        jurisdiction="US",
        channels=CHANNELS,
        citation="5 USC 6103",
        source=_OPM,
        days=_FEDERAL,
    ),
    _state(
        "US-AL",
        "Ala. Code § 1-3-8",
        ("Confederate Memorial Day", "4 monday 4"),
        ("Jefferson Davis' Birthday", "1 monday 6"),
        ("Mardi Gras", "easter-47"),
    ),
    _state(
        "US-LA",
        "La. R.S. 1:55",
        ("Battle of New Orleans", "1-8"),
        ("Mardi Gras", "easter-47"),
        ("Good Friday", "easter-2"),
        ("All Saints' Day", "11-1"),
        ("Election Day", "election even"),
    ),
    _state("US-ME", "4 M.R.S. § 1051", ("Patriots' Day", "3 monday 4")),
    _state("US-MS", "Miss. Code § 3-3-7", ("Confederate Memorial Day", "last monday 4")),
    _state("US-NE", "Neb. Rev. Stat. § 62-301", ("Arbor Day", "last friday 4"), ("Day after Thanksgiving", "thanksgiving+1")),
    _state(
        "US-PA",
        "44 Pa. Stat. § 11",
        ("Good Friday", "easter-2"),
        ("Flag Day", "6-14"),
        ("Election Day", "election"),
    ),
    _state(
        "US-RI",
        "R.I. Gen. Laws § 25-1-1",
        ("Rhode Island Independence Day", "5-4"),
        ("Victory Day", "2 monday 8"),
        ("Election Day", "election even"),
    ),
    _state("US-UT", "Utah Code § 63G-1-301", ("Pioneer Day", "7-24")),
    HolidayRow(
        id="AU-holidays",
        jurisdiction="AU",
        channels=CHANNELS,
        citation="Telecommunications (Telemarketing and Research Calls) Industry Standard 2017 (national public holidays)",
        source="donotcall.gov.au, industry standards; commerce.wa.gov.au, times allowed",
        days=(
            ("New Year's Day", "1-1"),
            ("Australia Day", "1-26"),
            ("Good Friday", "easter-2"),
            ("Easter Monday", "easter+1"),
            ("Anzac Day", "4-25"),
            ("Christmas Day", "12-25"),
            ("Boxing Day", "12-26"),
        ),
        observed="next",
        note="Holidays of single states are not listed. " + COUNSEL,
    ),
    HolidayRow(
        id="GB-holidays",
        jurisdiction="GB",
        channels=CHANNELS,
        citation="Banking and Financial Dealings Act 1971, Schedule 1, and the yearly proclamations",
        source="gov.uk, bank holidays, all three lists together",
        days=(
            ("New Year's Day", "1-1"),
            ("2 January (Scotland)", "1-2"),
            ("St Patrick's Day (Northern Ireland)", "3-17"),
            ("Good Friday", "easter-2"),
            ("Easter Monday", "easter+1"),
            ("Early May bank holiday", "1 monday 5"),
            ("Spring bank holiday", "last monday 5"),
            ("Battle of the Boyne (Northern Ireland)", "7-12"),
            ("Summer bank holiday (Scotland)", "1 monday 8"),
            ("Summer bank holiday", "last monday 8"),
            ("St Andrew's Day (Scotland)", "11-30"),
            ("Christmas Day", "12-25"),
            ("Boxing Day", "12-26"),
        ),
        observed="next",
        note="Days proclaimed for one year only are not listed. " + COUNSEL,
    ),
)  # fmt: skip
LISTS: Final = {row.id: row for row in HOLIDAYS}


@lru_cache(maxsize=512)
def days_of(list_id: str, year: int) -> frozenset[date]:
    """Every date of `year` on which the list's holidays fall or are observed, those a neighbouring year moves into it too."""
    row = LISTS[list_id]
    found: set[date] = set()
    for each in (year - 1, year, year + 1):
        found |= _with_observed(row, each)
    return frozenset(day for day in found if day.year == year)


@lru_cache(maxsize=512)
def falls_on(when: str, year: int) -> date | None:
    """The date a rule of HolidayRow.days means in one year; None where it skips that year. Raises ValueError for no rule."""
    if "-" in when and when.replace("-", "").isdecimal():
        return date(year, *(int(part) for part in when.split("-")))
    if when.startswith("easter"):
        return easter(year) + timedelta(days=int(when.removeprefix("easter")))
    if when.startswith("thanksgiving"):
        return _nth(4, WEEKDAYS.index("thursday"), 11, year) + timedelta(days=int(when.removeprefix("thanksgiving")))
    if when.startswith("election"):
        return _nth(1, 0, 11, year) + timedelta(days=1) if when == "election" or year % 2 == 0 else None
    number, weekday, month = when.split()
    if number == "last":
        last = date(year, int(month), monthrange(year, int(month))[1])
        return last - timedelta(days=(last.weekday() - WEEKDAYS.index(weekday)) % 7)
    return _nth(int(number), WEEKDAYS.index(weekday), int(month), year)


def easter(year: int) -> date:
    """Easter Sunday of the Western churches (the anonymous Gregorian computus; Meeus, Astronomical Algorithms, ch. 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    ell = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * ell) // 451
    month, day = divmod(h + ell - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _with_observed(row: HolidayRow, year: int) -> set[date]:
    days = {day for _, when in row.days if (day := falls_on(when, year))}
    moved: set[date] = set()
    for day in sorted(days):
        if day.weekday() < 5:
            continue
        if row.observed == "nearest":
            moved.add(day + timedelta(days=-1 if day.weekday() == 5 else 1))
            continue
        free = day + timedelta(days=1)
        while free.weekday() >= 5 or free in days or free in moved:
            free += timedelta(days=1)
        moved.add(free)
    return days | moved


def _nth(number: int, weekday: int, month: int, year: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))
