"""The gate: all candidate places at once, the changes of the clock, and what it says when it says no."""

import json
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contacts import states
from contacts.places import place_of
from omnify.promises.lawbook import outside_the_law
from sequences import law
from sequences.windows import EVERY_DAY, Window

NY, CHI, LA, HI = "America/New_York", "America/Chicago", "America/Los_Angeles", "Pacific/Honolulu"
BERLIN = "Europe/Berlin"
NOON = datetime(2026, 11, 18, 17, tzinfo=UTC)  # Wednesday, 12:00 in New York


def at(text: str, zone: str = NY) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def person(**facts: str) -> law.Person:
    place = place_of(**facts)
    return law.Person(place.zones, place.places)


def test_it_must_be_allowed_in_every_zone_and_by_every_state() -> None:
    moved = person(country="US", state="CA", e164="+12155550100")  # lives in California, has a number of Philadelphia
    assert not law.allowed(at("2026-11-18 10:59"), moved, "sms").allowed  # 7:59 in Los Angeles
    assert law.allowed(at("2026-11-18 12:00"), moved, "sms").allowed
    evening = law.allowed(at("2026-11-18 19:00"), moved, "sms")
    assert (evening.allowed, evening.rule_ids) == (False, ("US-PA-hours",))
    sunday = law.allowed(at("2026-11-22 14:00"), moved, "sms")
    assert sunday.rule_ids == ("US-PA-hours",)
    assert sunday.next == at("2026-11-23 12:00")  # Monday, 9:00 in Los Angeles by Pennsylvania's hours


def test_each_objection_names_the_rule_the_clock_and_what_is_allowed() -> None:
    verdict = law.allowed(at("2026-11-22 21:30"), law.Person((NY,), ("US-TX", "US-PA")), "sms")
    assert [(each.rule, each.zone, each.local, each.hours) for each in verdict.why] == [
        ("US-hours", NY, "Sun 21:30", "08:00–21:00"),
        ("US-PA-hours", NY, "Sun 21:30", ""),
        ("US-TX-text-hours", NY, "Sun 21:30", "12:00–21:00"),
    ]
    assert verdict.rule_ids == ("US-hours", "US-PA-hours", "US-TX-text-hours")
    assert (verdict.next, verdict.until) == (at("2026-11-23 09:00"), at("2026-11-22 21:30"))


def test_a_permit_names_every_rule_that_was_asked_and_when_it_ends() -> None:
    verdict = law.allowed(NOON, law.Person((NY,), ("US-FL",)), "voice")
    assert verdict.permit == {
        "rules": ["US-artificial-voice-consent", "US-hours", "US-FL-hours"],
        "until": "2026-11-19T01:00:00+00:00",
    }


def test_the_sequences_own_window_narrows_the_law_and_never_widens_it() -> None:
    new_york = law.Person((NY,), ("US-NY",))
    office = Window(frozenset(range(5)), time(9), time(17))
    verdict = law.allowed(at("2026-11-20 18:00"), new_york, "sms", window=office)
    assert (verdict.rule_ids, verdict.legal, verdict.next) == (("window",), (), at("2026-11-23 09:00"))
    night_owl = Window(EVERY_DAY, time(6), time(23))
    verdict = law.allowed(at("2026-11-18 22:00"), new_york, "sms", window=night_owl)
    assert (verdict.legal, verdict.next) == (("US-hours",), at("2026-11-19 08:00"))
    assert law.allowed(at("2026-11-18 22:00"), new_york, "email", window=night_owl).allowed


@pytest.mark.parametrize(
    "nobody", [law.Person((), ()), law.Person((NY,), ()), law.Person((), ("US-NY",)), person(e164="+18005550123")]
)
def test_an_unknown_place_has_the_strictest_hours_in_all_four_zones(nobody: law.Person) -> None:
    assert not law.allowed(at("2026-11-18 12:59"), nobody, "sms").allowed  # 9:59 in Los Angeles
    assert law.allowed(at("2026-11-18 13:00"), nobody, "sms").allowed
    assert law.allowed(at("2026-11-18 16:59:59"), nobody, "sms").allowed
    closed = law.allowed(at("2026-11-21 17:00"), nobody, "sms")  # Saturday
    assert closed.rule_ids == ("unknown-place-hours",)
    assert closed.next == at("2026-11-23 13:00")
    thanksgiving = law.allowed(at("2026-11-26 14:00"), nobody, "sms")
    assert (thanksgiving.allowed, thanksgiving.next) == (False, at("2026-11-28 13:00"))  # Nebraska closes the Friday
    assert law.allowed(at("2026-11-18 03:00"), nobody, "email").allowed


def test_a_person_of_whom_only_the_country_is_known_has_the_strictest_hours_where_they_may_be() -> None:
    eastern = person(stated="America/New_York")
    assert eastern.places == ("US",)
    assert law.allowed(at("2026-11-18 10:00"), eastern, "sms").allowed
    assert law.allowed(at("2026-11-22 12:00"), eastern, "sms").rule_ids == ("US-unknown-state-hours",)


@pytest.mark.parametrize("number", [f"+1{area}5550123" for area in (800, 833, 844, 855, 866, 877, 888, 500, 521, 900)])
def test_numbers_of_no_place_are_people_of_no_place(number: str) -> None:
    assert person(e164=number) == law.Person((), ())


@pytest.mark.parametrize("area", [208, 219, 270, 423, 605, 701, 775, 785, 850, 907, 986])
def test_an_area_code_across_two_zones_is_open_only_where_both_are(area: int) -> None:
    someone = person(e164=f"+1{area}5550123")
    assert len(someone.zones) > 1
    assert len(someone.places) == 1
    for minute in range(0, 24 * 60, 15):
        moment = NOON + timedelta(minutes=minute)
        alone = [law.allowed(moment, law.Person((zone,), someone.places), "sms").allowed for zone in someone.zones]
        assert law.allowed(moment, someone, "sms").allowed == all(alone)


@pytest.mark.parametrize("channel", ["sms", "voice", "email"])
@pytest.mark.parametrize(
    ("place", "zone"), [("DE", BERLIN), ("JP", "Asia/Tokyo"), ("NZ", "Pacific/Auckland"), ("JM", "America/Jamaica")]
)
def test_a_country_without_a_rule_is_closed_and_the_refusal_names_it(place: str, zone: str, channel: str) -> None:
    verdict = law.allowed(NOON, law.Person((zone,), (place,)), channel)
    assert (verdict.allowed, verdict.next) == (False, None)
    assert verdict.rule_ids == verdict.closed == (f"no-rule:{place}",)


def test_one_closed_country_among_the_candidates_closes_all() -> None:
    assert law.allowed(NOON, law.Person((NY, BERLIN), ("US-NY", "DE")), "email").closed == ("no-rule:DE",)


def test_an_artificial_voice_never_calls_maine_but_a_text_may_go() -> None:
    maine = law.Person((NY,), ("US-ME",))
    assert law.allowed(NOON, maine, "voice").closed == ("US-ME-artificial-voice",)
    assert law.allowed(NOON, maine, "sms").allowed


@pytest.mark.parametrize("kind", ["reply", "confirmation", "help"])
def test_whoever_wrote_to_us_is_answered_at_any_hour_anywhere(kind: str) -> None:
    assert law.allowed(at("2026-11-18 03:00"), law.Person((BERLIN,), ("DE",)), "sms", kind).allowed


@pytest.mark.parametrize(
    ("places", "channel", "have", "lacking"),
    [
        (("US-NY",), "sms", set(), ["US-text-consent"]),
        (("US-NY",), "sms", {"prior_express", "inquiry", "pewc_artificial_voice"}, ["US-text-consent"]),
        (("US-NY",), "sms", {"pewc_text"}, []),
        (("US-NY",), "voice", {"pewc_text"}, ["US-artificial-voice-consent"]),
        (("US-NY",), "voice", {"pewc_artificial_voice"}, []),
        (("US-NY",), "email", set(), []),
        ((), "sms", set(), ["US-text-consent"]),
        ((), "email", set(), []),
        (("GB",), "email", set(), ["GB-email-consent"]),
        (("CA-ON", "US-NY"), "email", set(), ["CA-email-consent"]),
        (("CA-ON",), "email", {"email_optin"}, []),
    ],
)
def test_each_channel_needs_its_kind_of_consent(places, channel, have, lacking) -> None:
    assert [row.id for row in law.lacking(places, channel, frozenset(have), NOON.date())] == lacking


def test_mail_shows_a_postal_address_everywhere() -> None:
    for places in ((), ("US-NY",), ("GB",), ("CA-ON",), ("AU-NSW",)):
        assert law.shows_address(places, "email", NOON.date())
        assert not law.shows_address(places, "sms", NOON.date())


def test_a_rule_binds_from_its_first_day() -> None:
    texas = law.Person((CHI,), ("US-TX",))
    before, after = at("2025-08-31 11:30", CHI), at("2025-09-07 11:30", CHI)  # two Sundays, before noon
    assert law.allowed(before, texas, "sms").allowed
    assert law.allowed(after, texas, "sms").rule_ids == ("US-TX-text-hours",)
    assert law.allowed(before, texas, "voice").rule_ids == ("US-TX-call-hours",)


ZONES = sorted(
    {zone for zones in states.US.values() for zone in zones}
    | {"America/St_Johns", "Australia/Lord_Howe", "Europe/London"}
)


@pytest.mark.conformance
def test_at_every_change_of_the_clock_the_hours_are_those_of_the_wall(shared_data) -> None:
    """Minute by minute around each transition of two years, with windows that begin and end inside the changed hour."""
    transitions = json.loads((shared_data / "scheduling" / "dst_transitions_2026_2027.json").read_text())["transitions"]
    windows = [
        Window(EVERY_DAY, time(2, 30), time(21)),
        Window(EVERY_DAY, time(1, 30), time(1, 45)),
        Window.from_json({}),
    ]
    checked = 0
    for case in transitions:
        change, place = datetime.fromisoformat(case["utc"]), ZoneInfo(case["tz"])
        for window in windows:
            for minute in range(-150, 150):
                moment = change + timedelta(minutes=minute)
                verdict = law.allowed(moment, law.Person((case["tz"],), ("US-NY",)), "email", window=window)
                assert verdict.allowed == window.open_at(moment.astimezone(place)), (case, window, moment)
                checked += 1
    assert checked == len(transitions) * 3 * 300


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01", "2027-03-14", "2027-11-07", "2026-03-29", "2026-04-05"])
def test_on_the_day_of_a_change_the_law_opens_at_eight_on_the_wall(zone: str, day: str) -> None:
    someone = law.Person((zone,), ("US-NY",))
    verdict = law.allowed(datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=ZoneInfo(zone)), someone, "sms")
    assert verdict.next is not None
    assert verdict.next.astimezone(ZoneInfo(zone)).isoformat()[:16] == f"{day}T08:00"
    assert law.allowed(verdict.next, someone, "sms").until.astimezone(ZoneInfo(zone)).isoformat()[:16] == f"{day}T21:00"


def test_a_start_in_the_hour_that_is_skipped_opens_when_the_clock_has_jumped() -> None:
    window = Window(EVERY_DAY, time(2, 30), time(5))
    verdict = law.allowed(at("2026-03-08 01:30"), law.Person((NY,), ("US-NY",)), "email", window=window)
    assert verdict.next == datetime(2026, 3, 8, 7, tzinfo=UTC)  # 3:00 summer time, the first instant after 1:59:59


def test_an_hour_that_comes_twice_is_judged_both_times() -> None:
    window = Window(EVERY_DAY, time(1, 30), time(1, 45))
    someone = law.Person((NY,), ("US-NY",))
    first, second = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert law.allowed(first, someone, "email", window=window).allowed
    between = law.allowed(first + timedelta(minutes=15), someone, "email", window=window)
    assert (between.allowed, between.next) == (False, second)


def test_what_is_open_across_midnight_utc_ends_when_the_hours_do() -> None:
    assert law.allowed(at("2026-11-18 15:00", HI), law.Person((HI,), ("US-HI",)), "sms").until == at(
        "2026-11-18 21:00", HI
    )


PEOPLE = [place_of(country="US", state=state) for state in states.US] + [
    place_of(e164=number)
    for number in (
        "+18505550100",
        "+16055550100",
        "+19075550100",
        "+18005550100",
        "+14165550100",
        "+61491570156",
        "+442079460102",
        "+4930231251",
    )
]
whoever = st.lists(st.sampled_from(PEOPLE), min_size=0, max_size=3).map(
    lambda places: law.Person(
        tuple(dict.fromkeys(zone for place in places for zone in place.zones)),
        tuple(dict.fromkeys(name for place in places for name in place.places)),
    )
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0, second=(0, 59)[moment.second % 2])
)


@settings(max_examples=400)
@given(moments, whoever, st.sampled_from(["sms", "voice", "email"]))
@example(datetime(2027, 12, 31, 18, tzinfo=UTC), law.Person((NY,), ("US-RI",)), "sms")
def test_what_is_allowed_is_within_the_law_for_each_clock_and_each_row(moment, someone, channel) -> None:
    verdict = law.allowed(moment, someone, channel)
    broken = outside_the_law(moment, someone.zones, someone.places, channel)
    assert verdict.allowed == (broken is None), (verdict, broken)
    assert broken is None or broken in verdict.rule_ids


@settings(max_examples=60, deadline=None)
@given(moments, whoever, st.sampled_from(["sms", "voice"]))
def test_the_next_moment_is_the_first_that_is_allowed(moment, someone, channel) -> None:
    moment = moment.replace(minute=moment.minute // 15 * 15, second=0)  # every rule begins on a quarter of an hour
    verdict = law.allowed(moment, someone, channel)
    scan = (moment + timedelta(minutes=15 * step) for step in range(4 * 24 * 6))
    first = next((each for each in scan if outside_the_law(each, someone.zones, someone.places, channel) is None), None)
    if first is None:
        assert verdict.next is None or verdict.next > moment + timedelta(days=5, hours=23)
        return
    assert verdict.next == first
    assert outside_the_law(verdict.next, someone.zones, someone.places, channel) is None
    just_before = verdict.next - timedelta(seconds=1)
    assert just_before < moment or outside_the_law(just_before, someone.zones, someone.places, channel) is not None
    if verdict.allowed:
        assert outside_the_law(verdict.until - timedelta(seconds=1), someone.zones, someone.places, channel) is None
        assert outside_the_law(verdict.until, someone.zones, someone.places, channel) is not None


def test_people_of_one_place_share_the_answer() -> None:
    law.judged.cache_clear()
    for _ in range(50):
        law.allowed(NOON, law.Person((NY,), ("US-NY",)), "sms")
    assert law.judged.cache_info().misses == 1
