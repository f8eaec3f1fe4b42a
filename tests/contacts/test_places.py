"""Where a person may be: every candidate zone, and on what evidence."""

import itertools
import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from contacts import states, zones
from contacts.addressing import country_code
from contacts.places import place_of, zones_of_phone

NY, CHI, DEN, PHX, LA = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("America/New_York", (NY,)),
        ("US/Eastern", (NY,)),
        ("Asia/Calcutta", ("Asia/Kolkata",)),
        ("america/buenos_aires", ("America/Argentina/Buenos_Aires",)),
        ("Europe/Copenhagen", ("Europe/Copenhagen",)),
        ("EST", (NY,)),
        ("Pacific Time (US & Canada)", (LA,)),
        ("Central Standard Time", (CHI,)),
        ("MST", (DEN, PHX)),
        ("UTC-5", ("Etc/GMT+5",)),
        ("GMT+09:00", ("Etc/GMT-9",)),
        ("Tokyo", ("Asia/Tokyo",)),
        ("New York", (NY,)),
        ("Mars/Olympus", ()),
        ("../../etc/passwd", ()),
        ("", ()),
    ],
)
def test_a_stated_zone_is_understood_and_old_names_are_renewed(stated: str, expected: tuple[str, ...]) -> None:
    assert zones.resolve(stated) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"country": "US", "state": "California"}, (LA,)),
        ({"state": "ca"}, (LA,)),
        ({"country": "USA", "state": "TX"}, (CHI, DEN)),
        ({"country": "USA", "state": "Texas", "city": "El  Paso"}, (DEN,)),
        ({"country": "US", "state": "Tenn", "postal_code": "37201"}, states.US_ALL),
        ({"state": "Florida", "city": "Pensacola"}, (CHI,)),
        ({"postal_code": "02139"}, (NY,)),
        ({"postal_code": "2139"}, (NY,)),
        ({"country": "Canada", "postal_code": "V6B 1A1", "city": "Vancouver"}, ("America/Vancouver",)),
        ({"country": "Deutschland"}, ("Europe/Berlin",)),
        ({"country": "JP"}, ("Asia/Tokyo",)),
        ({"country": "Spain"}, ("Europe/Madrid", "Atlantic/Canary")),
        ({"country": "Australia", "state": "Queensland"}, ("Australia/Brisbane",)),
        ({"country": "Narnia", "state": "CA"}, ()),
        ({"state": "AE"}, ()),
        ({}, ()),
    ],
)
def test_an_address_gives_every_zone_it_may_lie_in(facts: dict[str, str], expected: tuple[str, ...]) -> None:
    assert place_of(**facts).zones == expected


@pytest.mark.parametrize(
    ("e164", "expected"),
    [
        ("+12125550100", (NY,)),
        ("+18505550123", (NY, CHI)),
        ("+12085550100", ("America/Boise", LA)),
        ("+18005550100", ()),
        ("+18335550100", ()),
        ("+15005550006", ()),
        ("+19005550100", ()),
        ("+442079460958", ("Europe/London",)),
        ("+447700900123", ("Europe/London",)),
        ("+491751234567", ("Europe/Berlin",)),
        ("nonsense", ()),
        ("", ()),
    ],
)
def test_an_area_code_gives_every_zone_it_covers_and_a_toll_free_number_none(
    e164: str, expected: tuple[str, ...]
) -> None:
    assert zones_of_phone(e164) == expected


def test_evidence_that_disagrees_leaves_every_candidate_the_best_first() -> None:
    place = place_of(stated="Asia/Tokyo", country="US", state="NY", e164="+14155550100")
    assert place.zones == ("Asia/Tokyo", NY, LA)
    assert [kind for kind, _ in place.evidence] == ["stated", "address", "area code"]
    assert place.strength == 3


def test_a_country_of_many_zones_gives_way_to_an_area_code_within_it() -> None:
    assert place_of(country="US", e164="+12125550100").zones == (NY,)


def test_a_mobile_number_that_names_only_its_country_gives_way_to_the_address() -> None:
    assert place_of(country="AU", state="VIC", e164="+61491570157").zones == ("Australia/Melbourne",)
    assert len(place_of(e164="+61491570157").zones) > 3


def test_every_zone_in_our_tables_exists() -> None:
    tables = (states.US, states.CANADA, states.AUSTRALIA)
    named = {zone for table in tables for group in table.values() for zone in group}
    named |= {
        zone
        for cities in (*states.US_CITIES.values(), *states.CANADA_CITIES.values())
        for group in cities.values()
        for zone in group
    }
    assert all(ZoneInfo(zone) for zone in named)
    assert set(states.US_NAMES.values()) <= set(states.US)
    for state, cities in states.US_CITIES.items():
        assert all(set(group) <= set(states.US[state]) for group in cities.values()), state


def test_zip_codes_name_one_state_each() -> None:
    ranges = sorted(states.ZIPS)
    assert all(low <= high for low, high, _ in ranges)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ranges))
    assert {state for _, _, state in ranges} <= set(states.US)


@pytest.mark.parametrize(
    ("text", "code"), [("us", "US"), ("UK", "GB"), ("Österreich", "AT"), ("日本", "JP"), ("XX", ""), ("", "")]
)
def test_countries_are_known_by_code_and_by_name(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.conformance
def test_states_have_the_clocks_that_the_public_quiet_hour_cases_expect(shared_data) -> None:
    cases = json.loads((shared_data / "phone_tz" / "quiet_hours_exact_boundaries.json").read_text())["cases"]
    checked = 0
    for case in cases:
        country = "US" if "tcpa_quiet" in case else "CA"
        found = place_of(country=country, state=case["state"]).zones
        moment = datetime.fromisoformat(case["utc"].replace("Z", "+00:00"))
        offsets = {moment.astimezone(ZoneInfo(zone)).strftime("%z") for zone in found}
        assert case["offset"].replace(":", "") in offsets, case["state"]
        checked += 1
    assert checked == len(cases) > 5
