"""The sequence's own window, and waits that keep the clock on the wall."""

import json
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequences import law
from sequences.windows import EVERY_DAY, Window, after_wait

NY, LA, TOKYO = "America/New_York", "America/Los_Angeles", "Asia/Tokyo"
OFFICE = Window(frozenset(range(5)), time(9), time(17))
DAYTIME = Window.from_json({})


def at(text: str, zone: str = NY) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def mail(now: datetime, zones: tuple[str, ...], window: Window) -> law.Verdict:
    """E-mail has no hours by law: the window alone decides."""
    return law.allowed(now, law.Person(zones, ("US-NY",)), "email", window=window)


@pytest.mark.parametrize(
    ("now", "zones", "window", "expected"),
    [
        ("2026-11-18 10:00", (NY,), OFFICE, "2026-11-18 10:00"),
        ("2026-11-18 08:59:59", (NY,), OFFICE, "2026-11-18 09:00"),
        ("2026-11-18 16:59:59", (NY,), OFFICE, "2026-11-18 16:59:59"),
        ("2026-11-18 17:00", (NY,), OFFICE, "2026-11-19 09:00"),
        ("2026-11-20 18:00", (NY,), OFFICE, "2026-11-23 09:00"),  # Friday evening → Monday
        ("2026-11-18 09:30", (NY, LA), OFFICE, "2026-11-18 12:00"),  # not before 9:00 in Los Angeles
        ("2026-11-18 16:30", (NY, LA), OFFICE, "2026-11-18 16:30"),
        ("2026-11-20 17:30", (NY, LA), OFFICE, "2026-11-23 12:00"),
        ("2026-11-18 21:00", (NY,), DAYTIME, "2026-11-19 08:00"),
        ("2026-11-18 20:59:59", (NY,), DAYTIME, "2026-11-18 20:59:59"),
    ],
)
def test_the_next_opening_is_the_first_instant_open_in_every_zone(now, zones, window, expected) -> None:
    assert mail(at(now), zones, window).next == at(expected)


def test_zones_that_never_share_an_hour_are_said_so() -> None:
    assert mail(at("2026-11-18 10:00"), (NY, TOKYO), OFFICE).next is None


@pytest.mark.parametrize("window", [Window(frozenset(), time(9), time(17)), Window(EVERY_DAY, time(17), time(9))])
def test_a_window_without_hours_never_opens(window) -> None:
    assert mail(at("2026-11-18 10:00"), (NY,), window).next is None


def test_what_leaves_now_must_arrive_before_the_hours_end_where_they_end_first() -> None:
    assert mail(at("2026-11-18 15:00"), (NY, LA), OFFICE).until == at("2026-11-18 17:00")
    assert mail(at("2026-11-18 20:30"), (NY,), DAYTIME).until == at("2026-11-18 21:00")
    assert mail(at("2026-11-18 03:00"), (NY,), OFFICE).until == at("2026-11-18 03:00")


def test_a_day_across_the_change_to_summer_time_keeps_the_clock_on_the_wall() -> None:
    saturday = at("2027-03-13 20:30")
    assert after_wait(saturday, {"days": 1}, NY) == at("2027-03-14 20:30") == saturday + timedelta(hours=23)


@pytest.mark.parametrize(
    ("start", "spec", "expected"),
    [
        ("2026-11-18 10:15", {"days": 2}, "2026-11-20 10:15"),
        ("2026-11-18 10:15", {"hours": 3, "minutes": 30}, "2026-11-18 13:45"),
        ("2026-11-19 10:15", {"days": 2, "business_days": True}, "2026-11-23 10:15"),
        (
            "2026-11-18 10:15",
            {"days": 1, "at": "09:00"},
            "2026-11-20 09:00",
        ),  # 9:00 of the next day had passed by the wait's end
        ("2026-11-18 08:15", {"days": 1, "at": "09:00"}, "2026-11-19 09:00"),
        ("2026-11-18 10:15", {}, "2026-11-18 10:15"),
    ],
)
def test_a_wait_ends_when_its_words_say(start, spec, expected) -> None:
    assert after_wait(at(start), spec, NY) == at(expected)


def test_an_hour_that_comes_twice_in_autumn_is_still_one_hour() -> None:
    first_half_past_one = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # 01:30 summer time
    assert after_wait(first_half_past_one, {"hours": 1}, NY) == first_half_past_one + timedelta(hours=1)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    st.lists(
        st.sampled_from([NY, LA, TOKYO, "Europe/London", "America/Phoenix", "Australia/Lord_Howe"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    st.builds(
        Window,
        st.frozensets(st.integers(0, 6), min_size=1),
        st.times(time(0), time(12)).map(lambda t: t.replace(microsecond=0)),
        st.times(time(13), time(23)),
    ),
)
def test_whatever_opens_is_open_everywhere_and_not_before_now(now, zones, window) -> None:
    opens = mail(now, tuple(zones), window).next
    if opens is None:
        return
    assert opens >= now
    assert all(window.open_at(opens.astimezone(ZoneInfo(zone))) for zone in zones)
    if opens > now:
        just_before = opens - timedelta(seconds=1)
        assert just_before < now or not all(window.open_at(just_before.astimezone(ZoneInfo(zone))) for zone in zones)


@pytest.mark.conformance
def test_a_wait_over_every_change_of_the_clock_keeps_the_local_hour(shared_data) -> None:
    cases = json.loads((shared_data / "scheduling" / "dst_transitions_2026_2027.json").read_text())
    text = json.dumps(cases)
    zones = sorted(
        {word for word in text.replace('"', " ").split() if "/" in word and word[0].isupper() and word.count("/") <= 2}
    )
    checked = 0
    for name in zones:
        try:
            place = ZoneInfo(name.rstrip(",:"))
        except (KeyError, ValueError):
            continue
        day = datetime(2026, 1, 1, 12, 30, tzinfo=place)
        for _ in range(730):
            after = after_wait(day.astimezone(UTC), {"days": 1}, place.key).astimezone(place)
            assert (after.hour, after.minute) == (12, 30)
            day = after
        checked += 1
    assert checked > 5
