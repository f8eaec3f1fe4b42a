"""Segments: what a text costs, and what makes it dear."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequences.segments import Forced, count, smart, split

DATA = Path(__file__).parents[3] / "shared" / "data" / "sms_segments"


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "units", "per_segment", "remaining"),
    [
        ("", "GSM-7", 0, 0, 160, 160),
        ("Hi", "GSM-7", 1, 2, 160, 158),
        ("a" * 160, "GSM-7", 1, 160, 160, 0),
        ("a" * 161, "GSM-7", 2, 161, 153, 145),
        ("a" * 306, "GSM-7", 2, 306, 153, 0),
        ("a" * 307, "GSM-7", 3, 307, 153, 152),
        ("€" * 80, "GSM-7", 1, 160, 160, 0),
        ("a" * 152 + "€" + "a" * 10, "GSM-7", 2, 164, 153, 141),
        ("я" * 70, "UCS-2", 1, 70, 70, 0),
        ("я" * 71, "UCS-2", 2, 71, 67, 63),
        ("😀" * 35, "UCS-2", 1, 70, 70, 0),
        ("я" * 66 + "😀" + "я" * 10, "UCS-2", 2, 78, 67, 55),
    ],
)
def test_a_text_costs_what_the_network_charges(
    text: str, encoding: str, segments: int, units: int, per_segment: int, remaining: int
) -> None:
    seen = count(text)
    assert (seen.encoding, seen.segments, seen.units, seen.per_segment, seen.remaining) == (
        encoding,
        segments,
        units,
        per_segment,
        remaining,
    )


def test_an_escape_pair_is_never_split_between_segments() -> None:
    text = "a" * 152 + "€" * 78
    assert count(text).segments == 3
    assert [len(part) for part in split(text)] == [152, 76, 2]


def test_a_family_emoji_is_never_split_between_segments() -> None:
    family = "👩‍👩‍👧‍👦"
    first, second = split("я" * 60 + family + "я" * 10)
    assert first == "я" * 60
    assert second.startswith(family)


def test_the_character_that_makes_it_dear_is_named_with_its_cheap_twin() -> None:
    assert count("it’s ok 😀").forced_by == (Forced("’", 2, "'"), Forced("😀", 8, None))


def test_smart_encoding_brings_a_typographic_text_back_to_one_segment() -> None:
    text = "“We’ll be there – promise…” " + "a" * 100
    assert count(text).segments == 2
    assert (count(smart(text)).encoding, count(smart(text)).segments) == ("GSM-7", 1)


def test_a_pile_of_accents_larger_than_a_segment_is_still_counted() -> None:
    assert count("e" + "\u0301" * 500).segments == 8


@given(st.text(alphabet=st.sampled_from("ab€^\n’éя😀\u0301\u200d👩🏽🇮🇹"), max_size=400))
def test_the_parts_are_the_text_and_none_is_too_long(text: str) -> None:
    parts, seen = split(text), count(text)
    assert "".join(parts) == text
    assert len(parts) == seen.segments
    if seen.encoding == "UCS-2":
        assert all(len(part.encode("utf-16-be")) // 2 <= seen.per_segment for part in parts)


def _cases(name: str) -> list[dict]:
    path = DATA / name
    return json.loads(path.read_text())["cases"] if path.exists() else []


@pytest.mark.conformance
@pytest.mark.skipif(not DATA.exists(), reason="the shared cases are not on this machine")
@pytest.mark.parametrize("name", ["unit_cases.json", "realworld_dev.json"])
def test_every_published_case_is_counted_as_the_provider_counts_it(name: str) -> None:
    cases = _cases(name)
    wrong = []
    for case in cases:
        seen = count(case["body"])
        plain = smart(case["body"])
        ours = {
            "encoding": seen.encoding,
            "segments": seen.segments,
            "characters": seen.characters,
            "unicode_scalars": len(case["body"]),
            "message_bits": seen.message_bits,
            "total_bits": seen.total_bits,
            "non_gsm": list(dict.fromkeys(forced.char for forced in seen.forced_by)),
            "smart_encoded": plain,
            "smart": {"encoding": count(plain).encoding, "segments": count(plain).segments},
        }
        wrong += [(case["id"], key, case[key], ours[key]) for key in ours if key in case and case[key] != ours[key]]
    assert cases
    assert wrong == []
