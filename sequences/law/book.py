"""All rows together, and which of them bind a person who may be in several places. Pure."""

from datetime import date
from functools import lru_cache
from typing import Final

from sequences.law import countries, federal, states
from sequences.law.frequency import CAPS
from sequences.law.holidays import HOLIDAYS, LISTS, days_of
from sequences.law.rows import PHONE, ClosedRow, ConsentRow, HoursRow, Row

HOURS: Final[tuple[HoursRow, ...]] = (*federal.HOURS, *states.HOURS, *countries.HOURS)
CONSENTS: Final[tuple[ConsentRow, ...]] = (*federal.CONSENTS, *countries.CONSENTS)
CLOSED: Final[tuple[ClosedRow, ...]] = states.CLOSED
ROWS: Final[tuple[Row, ...]] = (*HOURS, *CONSENTS, *CLOSED, *CAPS, *HOLIDAYS)
BY_ID: Final = {row.id: row for row in ROWS}
# What an unknown place stands for: somewhere in the United States, under the strictest hours (docs/compliance.md).
UNKNOWN: Final = ("US", "unknown")
NO_RULE: Final = "no-rule:"


@lru_cache(maxsize=4096)
def jurisdictions(places: tuple[str, ...], unknown: bool) -> tuple[str, ...]:
    """Every jurisdiction whose rows bind a person of these candidate places: each place and its country. "US" alone is a
    state nobody knows. `unknown`: no place, or no time zone, is known."""
    found: dict[str, None] = dict.fromkeys(UNKNOWN if unknown else ())
    for place in places:
        country = place.partition("-")[0]
        found[country] = None
        found["US-unknown" if place == "US" else place] = None
    return tuple(found)


@lru_cache(maxsize=65_536)
def hours_rows(bound: tuple[str, ...], channel: str, day: date) -> tuple[HoursRow, ...]:
    """The rows of hours in force on a local day in these jurisdictions."""
    return tuple(row for row in HOURS if row.jurisdiction in bound and channel in row.channels and row.in_force(day))


@lru_cache(maxsize=16_384)
def consent_rows(bound: tuple[str, ...], channel: str, day: date) -> tuple[ConsentRow, ...]:
    """What marketing on this channel needs in these jurisdictions."""
    return tuple(row for row in CONSENTS if row.jurisdiction in bound and channel in row.channels and row.in_force(day))


@lru_cache(maxsize=16_384)
def closed_by(bound: tuple[str, ...], channel: str, day: date) -> tuple[str, ...]:
    """The rules that leave the channel closed whatever the hour: a row that forbids it, or "no-rule:DE" for a country that
    has none for it. A country is open for e-mail by a row on consent, for texts and calls by one on consent and one of hours."""
    shut = [row.id for row in CLOSED if row.jurisdiction in bound and channel in row.channels and row.in_force(day)]
    for country in dict.fromkeys(name.partition("-")[0] for name in bound if name != "unknown"):
        agreed = consent_rows((country,), channel, day)
        if not agreed or (channel in PHONE and not hours_rows((country,), channel, day)):
            shut.append(f"{NO_RULE}{country}")
    return tuple(shut)


@lru_cache(maxsize=65_536)
def is_holiday(list_id: str, day: date) -> bool:
    """Whether a local day is on the list; "any" means any American list."""
    lists = [each for each in LISTS if each.startswith("US-")] if list_id == "any" else [list_id]
    return any(day in days_of(each, day.year) for each in lists)


@lru_cache(maxsize=16_384)
def lacking(places: tuple[str, ...], channel: str, have: frozenset[str], day: date) -> tuple[ConsentRow, ...]:
    """The rows on consent that these kinds of consent do not satisfy; () when marketing may go by consent."""
    bound = jurisdictions(places, not places)
    return tuple(row for row in consent_rows(bound, channel, day) if row.needed and not row.needed & have)


@lru_cache(maxsize=4096)
def shows_address(places: tuple[str, ...], channel: str, day: date) -> tuple[str, ...]:
    """The ids of the rows that want the sender's postal address in what is sent."""
    bound = jurisdictions(places, not places)
    return tuple(row.id for row in consent_rows(bound, channel, day) if row.postal_address)


def faults(row: Row, today: date) -> tuple[str, ...]:
    """What makes a row unfit to stand in the book on a day: the tests fail on any, and the page of rules shows them."""
    said = {
        "It cites no law.": not row.citation.strip(),
        "Nobody knows where it was read.": not row.source.strip(),
        "Nobody says who read it.": not row.reviewer.strip(),
        "It was read in the future.": row.reviewed_on > today,
        f"It was due for another reading on {row.review_due:%d %B %Y}.": row.review_due < today,
        "It ends before it begins.": row.valid_to is not None and row.valid_to < row.valid_from,
        "It names a list of holidays that is not in the book.": isinstance(row, HoursRow)
        and row.holidays not in ("", "any", *LISTS),
    }
    return tuple(fault for fault, true in said.items() if true)
