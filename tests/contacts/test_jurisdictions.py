"""Which jurisdictions a person may be in, from everything that is known, and how everybody gets theirs."""

from datetime import datetime

import phonenumbers
import pytest
from phonenumbers.geodata import GEOCODE_DATA

from contacts import placing, states
from contacts.actions import create_contact, update_contact
from contacts.areacodes import CODES, places_of_area_code
from contacts.models import Contact
from contacts.places import place_of
from omnify.tenants.context import tenant_context
from sequences.matching import newcomer
from tests.making import People, make_contact


@pytest.mark.parametrize(
    ("facts", "places"),
    [
        ({}, ()),
        ({"country": "US", "state": "Florida"}, ("US-FL",)),
        ({"state": "fl"}, ("US-FL",)),
        ({"postal_code": "02139"}, ("US-MA",)),
        ({"country": "US"}, ("US",)),
        ({"country": "USA", "state": "Nowhere"}, ("US",)),
        ({"country": "US", "state": "AE"}, ("US",)),
        ({"country": "PR"}, ("US-PR",)),
        ({"country": "US", "state": "PR"}, ("US-PR",)),
        ({"country": "Canada", "state": "Ontario"}, ("CA-ON",)),
        ({"country": "CA"}, ("CA",)),
        ({"country": "AU", "state": "NSW"}, ("AU-NSW",)),
        ({"country": "Deutschland"}, ("DE",)),
        ({"country": "Neverland"}, ()),
        # Florida presumes that whoever has one of its area codes lives there: the number always counts.
        ({"country": "US", "state": "NY", "e164": "+13055550100"}, ("US-NY", "US-FL")),
        ({"country": "US", "e164": "+13055550100"}, ("US-FL",)),
        ({"country": "CA", "e164": "+13055550100"}, ("CA", "US-FL")),
        ({"e164": "+13055550100"}, ("US-FL",)),
        ({"e164": "+19025550100"}, ("CA-NS", "CA-PE")),
        ({"e164": "+18765550100"}, ("JM",)),
        ({"e164": "+17875550100"}, ("US-PR",)),
        ({"e164": "+18005550100"}, ()),
        ({"country": "US", "e164": "+18005550100"}, ("US",)),
        ({"e164": "+442079460102"}, ("GB",)),
        ({"country": "DE", "e164": "+442079460102"}, ("DE", "GB")),
        ({"e164": "+80012345678"}, ()),
        ({"e164": "not a number"}, ()),
        # A stated zone: nothing where a known place keeps that clock, else its country, or the one state it lies in.
        ({"stated": "America/New_York", "country": "US", "state": "NY"}, ("US-NY",)),
        ({"stated": "America/Detroit", "e164": "+13135550100"}, ("US-MI",)),
        ({"stated": "EST", "e164": "+13105550100"}, ("US-CA", "US")),
        ({"stated": "America/Chicago"}, ("US",)),
        ({"stated": "America/Phoenix"}, ("US-AZ",)),
        ({"stated": "Europe/Copenhagen"}, ("DK",)),
        ({"stated": "Asia/Calcutta", "e164": "+12125550100"}, ("US-NY", "IN")),
        ({"stated": "UTC"}, ()),
    ],
)  # fmt: skip
def test_every_candidate_is_kept(facts: dict[str, str], places: tuple[str, ...]) -> None:
    assert place_of(**facts).places == places


def test_the_area_codes_are_those_of_libphonenumbers_own_geography() -> None:
    names = {name.replace("_", " "): code for name, code in states.US_NAMES.items()} | {"washington state": "WA"}
    checked = 0
    for code, words in GEOCODE_DATA.items():
        if len(code) != 4 or not code.startswith("1"):
            continue
        said = words["en"].lower()
        state = names.get(said) or (said[-2:].upper() if said[-4:-2] == ", " else "")
        if state in states.US and f"US-{state}" in CODES:
            assert places_of_area_code(code[1:]) == (f"US-{state}",), code
            checked += 1
    assert checked > 250


def test_every_state_has_area_codes_and_none_is_given_twice_in_one_country() -> None:
    assert {place for place in CODES if place.startswith("US-")} == {
        f"US-{state}" for state, zones in states.US.items() if zones
    }
    codes = [code for place, codes in CODES.items() if not place.startswith("CA-") for code in codes.split()]
    assert len(codes) == len(set(codes))
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(f"+1{code}5550100")) for code in codes)


@pytest.mark.django_db
def test_a_contact_made_or_moved_by_hand_is_placed(people: People, now: datetime) -> None:
    with tenant_context(people.acme.pk):
        contact = create_contact({"first_name": "Ann", "phone": "+13055550100"}, actor="test", now=now)
        assert contact.places == ["US-FL"]
        update_contact(contact, {"state": "NY", "country": "US"}, actor="test", now=now)
        assert contact.places == ["US-NY", "US-FL"]
        update_contact(contact, {"title": "Owner"}, actor="test", now=now)
        assert contact.places == ["US-NY", "US-FL"]


@pytest.mark.django_db
def test_whoever_writes_first_is_placed_by_their_number(people: People, now: datetime) -> None:
    with tenant_context(people.acme.pk):
        assert [each.places for each in newcomer("+12075550100", "sms", now)] == [["US-ME"]]
        assert [each.places for each in newcomer("ann@people.example", "email", now)] == [None]


@pytest.mark.django_db
def test_people_of_an_older_release_are_placed_by_and_by(people: People, now: datetime) -> None:
    unplaced = {"places": None, "state": "", "country": "", "zones": []}
    florida = make_contact(people.acme, now, **unplaced | {"phone": "+13055550100"})
    nowhere = make_contact(people.charlie.tenant, now, **unplaced | {"phone": ""})
    known = make_contact(people.acme, now)
    gone = make_contact(people.acme, now, **unplaced, deleted_at=now)
    assert placing.fill(now=now) == 2
    rows = {row.pk: row.places for row in Contact.objects.all_tenants()}
    assert (rows[florida.pk], rows[nowhere.pk], rows[known.pk], rows[gone.pk]) == (["US-FL"], [], ["US-NY"], None)
    assert placing.fill(now=now) == 0


@pytest.mark.django_db
def test_filling_goes_batch_by_batch(people: People, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "BATCH", 2)
    for _ in range(5):
        make_contact(people.acme, now, places=None)
    assert placing.fill(now=now) == 5
