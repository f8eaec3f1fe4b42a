"""How often one person may be texted or called about one subject, by state: the rows, and the question the claim asks. Pure."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from sequences.law.rows import COUNSEL, PHONE, CapRow

A_DAY: Final = timedelta(hours=24)

CAPS: Final[tuple[CapRow, ...]] = (
    CapRow(
        id="US-FL-cap",
        jurisdiction="US-FL",
        channels=PHONE,
        count=3,
        per=A_DAY,
        citation="Fla. Stat. § 501.616(6)(b)",
        source="dropcowboy.com/state-compliance (2025-11-01); blog.clickpointsoftware.com (July 2025)",
        valid_from=date(2021, 7, 1),
        note="“Same subject matter or issue”: Omnify counts everything a tenant sends as one subject. " + COUNSEL,
    ),
    CapRow(
        id="US-MD-cap",
        jurisdiction="US-MD",
        channels=PHONE,
        count=3,
        per=A_DAY,
        citation="Md. Code, Com. Law § 14-4501 et seq. (Stop the Spam Calls Act of 2023)",
        source="dropcowboy.com/state-compliance (2025-11-01); clickpoint's table of states",
        valid_from=date(2024, 1, 1),
    ),
    CapRow(
        id="US-OK-cap",
        jurisdiction="US-OK",
        channels=PHONE,
        count=3,
        per=A_DAY,
        citation="15 Okla. Stat. § 775C.4",
        source="dropcowboy.com/state-compliance (2025-11-01); blog.clickpointsoftware.com (July 2025)",
        valid_from=date(2022, 11, 1),
    ),
    CapRow(
        id="US-ME-cap",
        jurisdiction="US-ME",
        channels=PHONE,
        count=1,
        per=timedelta(hours=8),
        citation="10 M.R.S. § 1498",
        source="legislature.maine.gov, LD 392 (quotes the section as it stands)",
        note="Written for automated calling devices; whether a text is one, counsel must say. Applied to both. "
        + COUNSEL,
    ),
)


def caps(places: Iterable[str] | None, channel: str, now: datetime) -> tuple[tuple[str, int, timedelta], ...]:
    """(rule id, at most so many, in any stretch of so long) for a person who may be in any of `places`; () where none binds.

    Texts and calls count together (CapRow.channels). Nobody knows the place, or only that it is the United States: every
    American cap holds. Dates are compared in UTC: a new cap binds from midnight there, hours before any American's midnight.
    """
    return _caps(tuple(places or ()), channel, now.date())


@lru_cache(maxsize=4096)
def _caps(places: tuple[str, ...], channel: str, day: date) -> tuple[tuple[str, int, timedelta], ...]:
    anywhere = not places or "US" in places
    return tuple(
        (row.id, row.count, row.per)
        for row in CAPS
        if channel in row.channels and row.in_force(day) and (anywhere or row.jurisdiction in places)
    )
