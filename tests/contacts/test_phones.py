"""Phone numbers as lists write them."""

import json
import random

import pytest

from contacts.phones import NoPhone, Phone, _carefully, normalise


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("(212) 555-0100", "US", "+12125550100"),
        ("212.555.0100", "US", "+12125550100"),
        ("1-212-555-0100", "US", "+12125550100"),
        ("+1 212 555 0100", "DE", "+12125550100"),
        ("2125550100.0", "US", "+12125550100"),
        ("'+12125550100", "US", "+12125550100"),
        ('="2125550100"', "US", "+12125550100"),
        ("\u202a+1 212 555 0100\u202c", "US", "+12125550100"),
        ("２１２５５５０１００", "US", "+12125550100"),
        ("tel:+1-212-555-0100", "US", "+12125550100"),
        ("Mobile: 212 555 0100", "US", "+12125550100"),
        ("212-555-0100 / 212-555-0101", "US", "+12125550100"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 (0)20 7946 0958", "US", "+442079460958"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("0049 30 23125 101", "GB", "+493023125101"),
        ("090-1234-5678", "JP", "+819012345678"),
    ],
)
def test_a_number_is_read_however_it_is_written(raw: str, region: str, e164: str) -> None:
    found = normalise(raw, region)
    assert isinstance(found, Phone)
    assert found.e164 == e164


def test_an_extension_is_told_apart_from_the_number() -> None:
    assert normalise("+1 212 555 0100 x123") == Phone("+12125550100", True, "123")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "There is no number."),
        ("hello world", "not a phone number"),
        ("2.12555E+09", "spreadsheet shortened it"),
        ("349-6200", "area code is missing"),
        ("7/23/2025", "area code is missing"),
        ("123", "Too few digits"),
        ("310-496-32313", "Too many digits"),
        ("+999 12345678", "country code that does not exist"),
        ("1" * 400, "not a phone number"),
    ],
)
def test_what_is_no_number_says_why(raw: str, reason: str) -> None:
    found = normalise(raw)
    assert isinstance(found, NoPhone)
    assert reason in found.reason


@pytest.mark.parametrize("raw", ["+1 420 222 3333", "4444444444", "555 349 6200"])
def test_a_number_no_plan_has_given_out_is_kept_and_marked(raw: str) -> None:
    found = normalise(raw)
    assert isinstance(found, Phone)
    assert found.valid is False


# How people write American numbers, and what looks like one and is none.
DRESSES = (
    "{a}{e}{l}", "({a}) {e}-{l}", "{a}-{e}-{l}", "{a}.{e}.{l}", "1{a}{e}{l}", "+1{a}{e}{l}", "+1 {a} {e} {l}", "1-{a}-{e}-{l}", "1 ({a}) {e}-{l}",
    " {a} {e} {l}", "'{a}{e}{l}", "+{a}{e}{l}", "+{a} {e} {l}", "({a}{e}-{l}", "{a}{e}{l}.0", "1{a}{e}.{l}", "{a}{e}.{l}", "tel:{a}-{e}-{l}",
    "{a} {e} {l} x12", "{a}{e}{l}1", "{a}{e}", "0{a}{e}{l}", "011{a}{e}{l}", "00{a}{e}{l}", "{a}/{e}/{l}", "{a}-{e}-{l} / {a}-{e}-{l}", "-{a}-{e}-{l}",
)  # fmt: skip


@pytest.mark.parametrize("region", ["US", "CA", "PR"])
def test_the_quick_reading_says_what_the_careful_one_says(region: str) -> None:
    """The quick one takes no answer of its own: each must be libphonenumber's, whatever plan it follows next year."""
    chance = random.Random(20260914)
    codes = [str(n) for n in range(200, 1000)]
    different = []
    for n in range(8_000):
        area, exchange = codes[n % 800], chance.choice(codes) if n % 3 else str(chance.randrange(1000)).zfill(3)
        line = "0000" if n % 50 == 0 else f"{chance.randrange(10_000):04d}"
        raw = DRESSES[n % len(DRESSES)].format(a=area, e=exchange, l=line)
        if (quick := normalise(raw, region)) != (careful := _carefully(raw, region)):
            different.append((raw, quick, careful))
    assert different == []


@pytest.mark.conformance
def test_numbers_are_read_as_libphonenumber_reads_them(shared_data) -> None:
    cases = json.loads((shared_data / "phone_tz" / "normalisation_literals.json").read_text())["cases"]
    assert len(cases) > 50
    for case in cases:
        found, judged = normalise(case["raw"], case["default_region"]), case["libphonenumber"]
        if judged["valid"]:
            assert isinstance(found, Phone), case["raw"]
            assert (found.e164, found.valid) == (judged["e164"], True)
        elif not judged["possible"]:
            assert isinstance(found, NoPhone), case["raw"]
        elif isinstance(found, Phone):
            assert found.valid is False, case["raw"]
