"""Every reason that the code writes has its sentence, and one that nobody knows is told in its own words."""

import re
from pathlib import Path

import pytest

from sequences import law
from sequences.codes import Verdict
from sequences.limits import limits_of
from sequences.reasons import SENTENCES, why

SOURCES = sorted(
    path for path in (Path(__file__).parents[2] / "sequences").rglob("*.py") if "migrations" not in path.parts
)
# Where a reason stands in the code: a guard's objection, a column's new value, a spending that has to wait, a conclusion.
WRITTEN = (
    r'Stop\(\s*states\.[A-Z]+,\s*"([a-z_:]+)"',
    r'(?<![a-z])_by\("([a-z_]+)"',
    r'state_reason="([a-z_:]+)"',
    r"state_reason = '([a-z_:]+)'",
    r"state_reason = CASE WHEN [^']*THEN '([a-z_]+)'",
    r"state_reason = CASE WHEN [^']*THEN '[a-z_]+' ELSE '([a-z_]+)' END",
    r'reason = "([a-z_]+)" if',
    r'reason = "[a-z_]+" if .* else "([a-z_]+)"',
    r'states\.(?:HELD|EXPIRED|READY), "([a-z_]+)"',
    r'"(cap:[a-z_]+)"',
    r'_back\(claim, "([a-z_]+)"',
    r'note="([a-z_]+)"',
    r'failure_type="([a-z_]+)"',
    r'Verdict\("([a-z_]+)"',
    r'reason="([a-z_]+)"',
    r'"(not_sendable|guard_failed)',
    r'^(?:RESTORED|MERGED|OPTED_OUT|REPLIED) = "([a-z_]+)"',
)
# Of events and receipts, not of messages.
OTHERS = {"restart"}


def written() -> set[str]:
    found: set[str] = set()
    for path in SOURCES:
        for pattern in WRITTEN:
            found |= set(re.findall(pattern, path.read_text(), re.MULTILINE))
    return found - OTHERS


def test_the_search_finds_what_is_written() -> None:
    assert {
        "sending_off", "quiet_hours", "cap:answers", "cap:tenant_money", "abandoned_twice", "no_proof", "busy",
        "decided_by_person", "landline", "restored", "one_at_a_time",
    } <= written()  # fmt: skip


@pytest.mark.parametrize("reason", sorted(written()))
def test_every_reason_has_a_sentence(reason: str) -> None:
    assert reason in SENTENCES, f"{reason} is written somewhere; say in sequences/reasons.py what it means."


@pytest.mark.parametrize("reason", sorted(SENTENCES))
def test_a_sentence_is_one(reason: str) -> None:
    assert SENTENCES[reason].endswith(".")
    assert SENTENCES[reason][0].isupper()
    assert "_" not in SENTENCES[reason]


def test_a_tenants_caps_have_their_sentences() -> None:
    stored = '{"person": {"all": {"day": 1, "week": 2}, "sms": {"day": 1, "week": 2}, "email": {"day": 1, "week": 2}, "voice": {"day": 1, "week": 2}}}'
    assert {cap.id for cap in limits_of(stored).person} <= set(SENTENCES)


def test_the_laws_caps_are_named_by_their_rule() -> None:
    ids = [row.id for row in law.book.ROWS if row.id.endswith("-cap")]
    assert ids
    assert all(why(rule) == f"The law allows this person no more messages for now (rule {rule})." for rule in ids)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", ""),
        ("guard_failed: ValueError", "It could not be checked, so it was not sent (ValueError)."),
        ("not_sendable: BadSignature", "It could not be made ready to send (BadSignature)."),
        ("switch:sms", "Texts are switched off for everybody."),
        ("something_from_long_ago", "Something from long ago."),
    ],
)
def test_reasons_are_told(reason: str, sentence: str) -> None:
    assert why(reason) == sentence


def test_every_code_of_a_provider_has_a_sentence_for_what_it_means() -> None:
    from sequences.codes import mail, twilio, vapi

    verdicts = {
        each.failure_type
        for module in (mail, twilio, vapi)
        for value in vars(module).values()
        for each in (value.values() if isinstance(value, dict) else [value])
        if isinstance(each, Verdict)
    }
    assert len(verdicts) > 5
    assert verdicts <= set(SENTENCES)
