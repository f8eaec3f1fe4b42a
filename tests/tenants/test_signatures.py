"""Who may sign what: the rules, as tables. What the database does with them is in test_approvals.py."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from omnify.tenants.loosening import PRESET, loosened, raised, widened
from omnify.tenants.signatures import (
    ASKED_BY,
    MOST_RECIPIENTS,
    Request,
    Signer,
    canonical,
    crowded,
    digest,
    is_alone,
    numbers,
    plain,
    ranges,
    why_not_refuse,
    why_not_sign,
)

NOW = datetime(2026, 11, 18, 16, tzinfo=UTC)
ASKED = Request("enrol", "", NOW + timedelta(days=1), asker_user=1, asker_role="agent", phrase="6,000")
OTHER = Signer(user=2, role="manager", second_factor=True, others=1, lost_lately=False, since_asked=False)
SELF = Signer(user=1, role="owner", second_factor=True, others=0, lost_lately=False, since_asked=False, typed="6000")


@pytest.mark.parametrize(
    ("request_", "signer", "mfa", "said"),
    [
        (ASKED, OTHER, True, ""),
        (ASKED, replace(OTHER, role="owner"), True, ""),
        (ASKED, replace(OTHER, role="agent"), True, "Only managers and owners"),
        (ASKED, replace(OTHER, role=""), True, "Only managers and owners"),
        (ASKED, replace(OTHER, second_factor=False), True, "two-factor"),
        (ASKED, replace(OTHER, second_factor=False), False, ""),
        (ASKED, replace(OTHER, since_asked=True), True, "could not sign when this was asked"),
        (ASKED, replace(OTHER, user=1), True, "somebody else must sign"),
        (replace(ASKED, asker_role=""), OTHER, True, "may not do this any more"),
        (replace(ASKED, asker_role="viewer"), OTHER, True, "may not do this any more"),
        (replace(ASKED, kind="limits"), OTHER, True, "may not do this any more"),  # an agent never asks for that
        (replace(ASKED, decision="signed"), OTHER, True, "decided already"),
        (replace(ASKED, decision="withdrawn"), OTHER, True, "decided already"),
        (replace(ASKED, expires_at=NOW), OTHER, True, "expired"),
        (replace(ASKED, asker_role="owner"), SELF, True, ""),
        (replace(ASKED, asker_role="owner"), replace(SELF, typed="6001"), True, "Type “6,000”"),
        (replace(ASKED, asker_role="owner"), replace(SELF, typed=""), True, "Type “6,000”"),
        (replace(ASKED, asker_role="owner"), replace(SELF, lost_lately=True), True, "Sign alone tomorrow"),
        (replace(ASKED, asker_role="owner"), replace(SELF, others=1), True, "somebody else must sign"),
        (replace(ASKED, asker_user=None, asker_role="agent"), OTHER, True, ""),  # a key whose maker is gone
    ],
)
def test_who_may_sign(request_: Request, signer: Signer, mfa: bool, said: str) -> None:
    answer = why_not_sign(request_, signer, mfa=mfa, now=NOW)
    assert (said in answer) if said else (answer == "")


def test_only_the_askers_own_signature_where_nobody_else_could_is_alone() -> None:
    assert is_alone(ASKED, SELF)
    assert not is_alone(ASKED, replace(SELF, others=1))
    assert not is_alone(ASKED, replace(OTHER, others=0))


def test_saying_no_needs_the_role_and_an_open_request() -> None:
    assert why_not_refuse(ASKED, OTHER, now=NOW) == ""
    assert why_not_refuse(ASKED, replace(OTHER, role="agent"), now=NOW)
    assert why_not_refuse(replace(ASKED, decision="refused"), OTHER, now=NOW)


def test_a_viewer_may_ask_for_nothing() -> None:
    assert not [kind for kind, roles in ASKED_BY.items() if "viewer" in roles]


@pytest.mark.parametrize(
    ("recent", "more", "expected"),
    [
        ((0, 0), 5_000, False),
        ((0, 0), 5_001, True),
        ((4_000, 4_000), 4_000, True),
        ((4_000, 4_000), 1_000, False),
        ((4_999, 4_999), 2, True),
        ((0, 19_999), 1, False),
        ((0, 20_000), 1, True),
        ((9_000, 9_000), 0, False),  # nobody would come in: nothing to sign
    ],
)
def test_so_many_recipients_come_in_unsigned(recent: tuple[int, int], more: int, expected: bool) -> None:
    spans = [span for _, span in MOST_RECIPIENTS]
    assert crowded(dict(zip(spans, recent, strict=True)), more) is expected


def test_people_are_written_down_as_runs_and_come_back_whole() -> None:
    assert ranges([5, 3, 4, 9, 4]) == [[3, 5], [9, 9]]
    assert numbers([[3, 5], [9, 9]]) == [3, 4, 5, 9]
    assert numbers(ranges(list(range(1, 100_000)))) == list(range(1, 100_000))
    assert ranges([]) == []


def test_equal_changes_have_one_spelling() -> None:
    assert canonical({"b": 1, "a": [2]}) == canonical({"a": [2], "b": 1}) == '{"a":[2],"b":1}'
    assert digest({"a": 1}, 2) != digest({"a": 1}, 3)
    assert plain(" 6,000 ") == plain("6000")


HOURS: dict[str, Any] = {"days": [0, 1, 2, 3, 4], "start": "10:00", "end": "16:00"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (HOURS, HOURS, False),
        (HOURS, {**HOURS, "start": "11:00"}, False),
        (HOURS, PRESET, False),  # what every workspace may have
        (HOURS, {**HOURS, "end": "17:01"}, True),
        (HOURS, {**HOURS, "start": "08:59"}, True),
        (HOURS, {**HOURS, "days": [0, 5]}, True),
        (HOURS, {}, True),  # nothing said: every day from eight to nine in the evening
        ({}, {**HOURS, "days": [5, 6]}, False),
        (None, {"start": "07:00"}, True),
        (
            {**HOURS, "start": "16:00", "end": "20:00"},
            {**HOURS, "start": "09:00", "end": "20:00"},
            False,
        ),  # preset and old meet
    ],
)
def test_hours_are_longer_when_they_hold_a_new_minute(old: Any, new: Any, expected: bool) -> None:
    assert widened(old, new) is expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [(None, 5, False), (5, None, True), (5, 6, True), (5, 5, False), (5, 0, False), (None, None, False),
     (Decimal("1.5"), Decimal("2"), True), (0, None, True)],
)  # fmt: skip
def test_no_limit_is_the_highest_limit(old: Any, new: Any, expected: bool) -> None:
    assert raised(old, new) is expected


def test_what_of_a_workspace_is_loosened() -> None:
    old = {"business_hours": HOURS, "sending_mode": "simulated", "two_signatures": True, "name": "Acme"}
    assert loosened(old, {"name": "Acme Ltd"}) == ()
    assert loosened(old, {"sending_mode": "live", "two_signatures": False}) == ("sending_mode", "two_signatures")
    assert loosened(old | {"sending_mode": "live"}, {"sending_mode": "simulated"}) == ()
    assert loosened(old | {"two_signatures": False}, {"two_signatures": True}) == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (730, 729, True),
        (730, 730, False),
        (730, 731, False),
        (None, 10_000, True),
        (730, None, False),
        (None, None, False),
    ],
)
def test_a_shorter_term_loosens(old: int | None, new: int | None, expected: bool) -> None:
    before = {"keep_words_days": old, "keep_raw_days": 90, "sending_mode": "live", "two_signatures": True}
    assert loosened(before | {"legal_hold": False}, {"keep_words_days": new}) == (("keeping",) if expected else ())


def test_only_the_end_of_a_legal_hold_loosens() -> None:
    before = {"legal_hold": True, "sending_mode": "live", "two_signatures": True}
    assert loosened(before, {"legal_hold": False}) == ("legal_hold",)
    assert loosened(before | {"legal_hold": False}, {"legal_hold": True}) == ()
