"""Every rule of law can be held against its source, and is, twice a year."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from contacts import states
from omnify.lib import clock
from sequences import law
from sequences.law.holidays import HOLIDAYS, days_of, easter
from sequences.law.rows import CapRow, HoursRow

NOW = datetime(2026, 11, 18, 16, tzinfo=UTC)
FEDERAL = law.BY_ID["US-hours"]


@pytest.mark.parametrize("row", law.ROWS, ids=lambda row: row.id)
def test_every_row_cites_its_law_and_was_read_within_180_days(row) -> None:
    """Fails from the day on which a row is overdue: read it again, and write down who did and when."""
    assert law.faults(row, clock.now().date()) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"citation": ""},
        {"citation": "  "},
        {"source": ""},
        {"reviewer": ""},
        {"reviewed_on": date(2026, 1, 1)},
        {"reviewed_on": date(2027, 1, 1)},
        {"valid_to": date(1990, 1, 1)},
        {"holidays": "US-XX-holidays"},
    ],
)
def test_a_row_without_its_proof_is_a_fault(changes) -> None:
    assert law.faults(FEDERAL, FEDERAL.reviewed_on) == ()
    assert len(law.faults(replace(FEDERAL, **changes), date(2026, 11, 21))) == 1


def test_a_row_is_due_180_days_after_it_was_read_and_not_a_day_earlier() -> None:
    due = FEDERAL.reviewed_on + timedelta(days=180)
    assert law.faults(FEDERAL, due) == ()
    assert law.faults(FEDERAL, due + timedelta(days=1)) != ()


def test_ids_are_given_once_and_begin_with_their_jurisdiction() -> None:
    assert len(law.BY_ID) == len(law.ROWS)
    assert all(row.id.startswith(row.jurisdiction) for row in law.ROWS)


def test_every_row_says_that_counsel_has_not_signed_it() -> None:
    assert all("Not signed by counsel." in row.note for row in law.ROWS)


def test_jurisdictions_are_states_and_countries_that_exist() -> None:
    known = {f"US-{state}" for state in states.US} | {"US", "US-unknown", "unknown", "CA", "AU", "GB"}
    assert {row.jurisdiction for row in law.ROWS} <= known


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (("US-FL",), {"US-FL-cap": (3, 24)}),
        (("US-MD",), {"US-MD-cap": (3, 24)}),
        (("US-OK", "US-NY"), {"US-OK-cap": (3, 24)}),
        (("US-ME",), {"US-ME-cap": (1, 8)}),
        (("US-NY",), {}),
        (("GB", "CA-ON"), {}),
        ((), dict.fromkeys(("US-FL-cap", "US-MD-cap", "US-OK-cap"), (3, 24)) | {"US-ME-cap": (1, 8)}),
        (None, dict.fromkeys(("US-FL-cap", "US-MD-cap", "US-OK-cap"), (3, 24)) | {"US-ME-cap": (1, 8)}),
        (("US",), dict.fromkeys(("US-FL-cap", "US-MD-cap", "US-OK-cap"), (3, 24)) | {"US-ME-cap": (1, 8)}),
    ],
)
@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_caps_bind_wherever_the_person_may_be(places, expected, channel) -> None:
    found = {rule: (count, per / timedelta(hours=1)) for rule, count, per in law.caps(places, channel, NOW)}
    assert found == expected
    assert law.caps(places, "email", NOW) == ()


def test_a_cap_binds_from_its_first_day() -> None:
    before = datetime(2023, 12, 31, 12, tzinfo=UTC)
    assert law.caps(("US-MD",), "sms", before) == ()
    assert len(law.caps(("US-MD",), "sms", before + timedelta(days=1))) == 1
    assert all(isinstance(row, CapRow) for row in law.CAPS)


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (2024, 3, 31),
        (2025, 4, 20),
        (2026, 4, 5),
        (2027, 3, 28),
        (2028, 4, 16),
        (2038, 4, 25),
        (1981, 4, 19),
        (2049, 4, 18),
    ],
)
def test_easter_falls_where_the_churches_put_it(year, month, day) -> None:
    assert easter(year) == date(year, month, day)


@pytest.mark.parametrize(
    ("name", "day", "closed"),
    [
        ("US-holidays", date(2026, 1, 1), True),
        ("US-holidays", date(2026, 1, 19), True),
        ("US-holidays", date(2026, 7, 3), True),  # the 4th is a Saturday: observed on Friday
        ("US-holidays", date(2026, 7, 4), True),
        ("US-holidays", date(2027, 6, 18), True),  # the 19th is a Saturday
        ("US-holidays", date(2027, 7, 5), True),  # the 4th is a Sunday
        ("US-holidays", date(2027, 12, 31), True),  # New Year's Day of 2028 is a Saturday
        ("US-holidays", date(2026, 11, 26), True),
        ("US-holidays", date(2026, 11, 27), False),
        ("US-NE-holidays", date(2026, 11, 27), True),
        ("US-PA-holidays", date(2026, 4, 3), True),
        ("US-PA-holidays", date(2027, 11, 2), True),
        ("US-RI-holidays", date(2027, 11, 2), False),  # general elections in even years only
        ("US-RI-holidays", date(2026, 11, 3), True),
        ("US-AL-holidays", date(2026, 2, 17), True),
        ("US-UT-holidays", date(2026, 7, 24), True),
        ("US-ME-holidays", date(2026, 4, 20), True),
        ("AU-holidays", date(2026, 4, 6), True),
        ("AU-holidays", date(2027, 4, 26), True),  # Anzac Day is a Sunday
        ("AU-holidays", date(2027, 12, 27), True),  # Christmas on Saturday, Boxing Day on Sunday: Monday and Tuesday
        ("AU-holidays", date(2027, 12, 28), True),
        ("AU-holidays", date(2027, 12, 29), False),
        ("GB-holidays", date(2026, 12, 28), True),  # Boxing Day is a Saturday
        ("GB-holidays", date(2026, 8, 31), True),
    ],
)
def test_holidays_fall_on_their_dates_and_on_the_days_they_are_observed(name, day, closed) -> None:
    assert (day in days_of(name, day.year)) is closed


def test_every_list_has_the_federal_days_where_it_is_a_states() -> None:
    federal = days_of("US-holidays", 2026)
    assert len(federal) == 12  # eleven, and the Friday before a Saturday
    assert all(federal <= days_of(row.id, 2026) for row in HOLIDAYS if row.jurisdiction.startswith("US-"))


def test_every_state_of_the_design_has_its_row() -> None:
    named = "AL CT FL IL KY LA MA MD ME MI MN MS NE NJ NM NV OK PA RI SD TX UT VA WA WY"
    assert {row.jurisdiction for row in law.ROWS if isinstance(row, HoursRow)} >= {
        f"US-{state}" for state in named.split()
    }
