"""Each state's hours to the minute, written down here a second time: a slip in a row shows as a difference."""

import json
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from contacts import states
from sequences import law

# Mon–Fri, Saturday, Sunday, holiday; None: nothing. The holiday is Thanksgiving, a Thursday.
DAY = ("8-21", "8-21", "8-21", "8-21")
TO_EIGHT = ("8-20", "8-20", "8-20", "8-20")
NO_SUNDAY = ("8-20", "8-20", None, None)
FROM_NINE = ("9-21", "9-21", "9-21", "9-21")
NARROWER: dict[str, tuple[str | None, ...]] = {
    "AL": NO_SUNDAY, "LA": NO_SUNDAY, "MS": NO_SUNDAY,
    "CT": ("9-20", "9-20", "9-20", "9-20"), "NV": ("9-20", "9-20", "9-20", "9-20"),
    "FL": TO_EIGHT, "MA": TO_EIGHT, "MD": TO_EIGHT, "NJ": TO_EIGHT, "OK": TO_EIGHT, "WA": TO_EIGHT, "WY": TO_EIGHT,
    "KY": ("10-21", "10-21", "10-21", "10-21"),
    "ME": ("9-17", None, None, None),
    "MI": FROM_NINE, "MN": FROM_NINE, "NM": FROM_NINE,
    "PA": ("9-19", "9-19", None, None),
    "RI": ("9-18", "10-17", None, None),
    "SD": ("9-21", "9-21", None, "9-21"),
    "TX": ("9-21", "9-21", "12-21", "9-21"),
    "UT": ("8-21", "8-21", None, None),
}  # fmt: skip
# An artificial voice counts as prerecorded.
VOICE = NARROWER | {
    "IL": FROM_NINE,
    "NE": ("8-21", "8-21", "13-21", "13-21"),
    "ME": (None, None, None, None),
}
PLACES = sorted(state for state, zones in states.US.items() if zones)
DATES = (date(2026, 11, 18), date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 26))


def open_at(state: str, channel: str, day: date, clock: time) -> bool:
    zone = states.US[state][0]
    moment = datetime.combine(day, clock, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return law.allowed(moment, law.Person((zone,), (f"US-{state}",)), channel).allowed


@pytest.mark.parametrize("state", PLACES)
@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_a_state_opens_and_closes_to_the_minute(state: str, channel: str) -> None:
    table = (VOICE if channel == "voice" else NARROWER).get(state, DAY)
    for day, hours in zip(DATES, table, strict=True):
        if hours is None:
            assert not any(open_at(state, channel, day, time(hour, 30)) for hour in range(24)), (state, day)
            continue
        start, end = (int(hour) for hour in hours.split("-"))
        assert not open_at(state, channel, day, time(start - 1, 59, 59)), (state, day)
        assert open_at(state, channel, day, time(start)), (state, day)
        assert open_at(state, channel, day, time(end - 1, 59, 59)), (state, day)
        assert not open_at(state, channel, day, time(end)), (state, day)


@pytest.mark.parametrize(
    ("place", "zone", "day", "start", "end"),
    [
        ("CA-ON", "America/Toronto", date(2026, 11, 18), "09:00", "21:30"),
        ("CA-ON", "America/Toronto", date(2026, 11, 22), "10:00", "18:00"),
        ("AU-NSW", "Australia/Sydney", date(2026, 11, 18), "09:00", "20:00"),
        ("AU-NSW", "Australia/Sydney", date(2026, 11, 21), "09:00", "17:00"),
        ("AU-NSW", "Australia/Sydney", date(2026, 11, 22), None, None),
        ("AU-NSW", "Australia/Sydney", date(2026, 12, 25), None, None),
        ("GB", "Europe/London", date(2026, 11, 18), "08:00", "21:00"),
        ("GB", "Europe/London", date(2026, 11, 22), None, None),
        ("GB", "Europe/London", date(2026, 12, 28), None, None),
    ],
)
def test_other_countries_open_and_close_to_the_minute(place, zone, day, start, end) -> None:
    person = law.Person((zone,), (place,))
    midnight = datetime.combine(day, time(), tzinfo=ZoneInfo(zone))
    opened = [
        minute
        for minute in range(24 * 60)
        if law.allowed((midnight + timedelta(minutes=minute)).astimezone(UTC), person, "sms").allowed
    ]
    said = [f"{minute // 60:02}:{minute % 60:02}" for minute in (opened[0], opened[-1] + 1)] if opened else [None, None]
    assert said == [start, end]
    assert not opened or len(opened) == opened[-1] - opened[0] + 1


@pytest.mark.conformance
def test_public_cases_of_quiet_hours_hold_to_the_minute(shared_data) -> None:
    """hearsaycorp/phonenumber-util's own expectations, for the TCPA and for the CRTC's rules."""
    cases = json.loads((shared_data / "phone_tz" / "quiet_hours_exact_boundaries.json").read_text())["cases"]
    where = {
        "California": law.Person(("America/Los_Angeles",), ("US-CA",)),
        "Ontario": law.Person(("America/Toronto",), ("CA-ON",)),
        "Newfoundland and Labrador": law.Person(("America/St_Johns",), ("CA-NL",)),
    }
    assert len(cases) >= 12
    for case in cases:
        quiet = case.get("tcpa_quiet", case.get("crtc_quiet"))
        verdict = law.allowed(datetime.fromisoformat(case["utc"]), where[case["state"]], "sms")
        assert verdict.allowed is not quiet, case


@pytest.mark.conformance
def test_every_conflict_of_the_public_tables_is_settled_by_the_stricter(shared_data) -> None:
    rules = json.loads((shared_data / "tcpa_law" / "rules.json").read_text())
    checked = 0
    for table in ("state_hours_dropcowboy", "state_hours_clickpoint"):
        for state, spans in rules[table]["rows"].items():
            for day, span in zip(DATES[:3], spans[:3], strict=True):
                if span is None:
                    assert not any(open_at(state, "sms", day, time(hour)) for hour in range(24)), (state, day)
                elif "?" not in span:
                    start, end = (int(hour) for hour in span.split()[0].split("-"))
                    outside = [hour for hour in range(24) if not start <= hour < end]
                    assert not any(open_at(state, "sms", day, time(hour)) for hour in outside), (state, day)
                checked += 1
    assert checked > 50
