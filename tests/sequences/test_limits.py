"""How much may leave: tables over plain values."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sequences import limits
from sequences.limits import BadLimits, Cap, Limits, Touch, caps_for, estimate, limits_of, reached

NOW = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
ANY = frozenset(limits.CHANNELS)


def touch(hours_ago: float, channel: str = "sms", purpose: str = "marketing", **more: Any) -> Touch:
    return Touch(channel, purpose, NOW - hours_ago * HOUR, **more)


@pytest.mark.parametrize(
    ("most", "hours_ago", "free_in"),
    [
        (1, [], None),
        (1, [1], 23),
        (1, [24], None),  # exactly a day ago is another day
        (1, [23.999], 0.001),
        (2, [1], None),
        (2, [1, 5], 19),
        (2, [1, 5, 30], 19),
        (2, [1, 5, 6], 19),  # more than the cap, because it was lowered: two of the three must grow old
        (3, [23, 2, 1], 1),
    ],
)
def test_a_cap_holds_over_every_stretch_of_its_length(most: int, hours_ago: list[float], free_in: float | None) -> None:
    found = reached([Cap("cap", most, DAY, ANY)], [touch(each) for each in hours_ago], NOW)
    assert (found is None) == (free_in is None)
    if found is not None and free_in is not None:
        assert found[0] == "cap"
        assert found[1] is not None
        assert abs(found[1] - (NOW + free_in * HOUR)) < timedelta(seconds=1)
        assert reached([Cap("cap", most, DAY, ANY)], [touch(each) for each in hours_ago], found[1]) is None


def test_a_cap_of_nought_lets_nothing_leave_and_no_cap_everything() -> None:
    assert reached([Cap("none", 0, DAY, ANY)], [], NOW) == ("none", None)
    assert reached([], [touch(0) for _ in range(1000)], NOW) is None


def test_of_two_caps_that_are_reached_the_one_that_holds_longer_is_named() -> None:
    caps = [Cap("day", 1, DAY, ANY), Cap("week", 2, 7 * DAY, ANY)]
    assert reached(caps, [touch(1), touch(50)], NOW) == ("week", NOW - 50 * HOUR + 7 * DAY)


def test_only_marketing_counts_and_only_on_the_channels_of_the_cap() -> None:
    calls = [Cap("calls", 1, DAY, frozenset({"voice"}))]
    assert reached(calls, [touch(1, "sms"), touch(1, "email"), touch(1, "voice", "reply")], NOW) is None
    assert reached(calls, [touch(1, "voice")], NOW) is not None


def test_a_clock_that_was_set_back_frees_nothing() -> None:
    assert reached([Cap("day", 1, DAY, ANY)], [touch(-48)], NOW) == ("day", NOW + 72 * HOUR)


def test_what_is_not_said_is_no_limit_and_nought_is_one() -> None:
    assert limits_of("") == limits_of("{}") == limits_of('{"person": {"sms": {"day": null}}}') == Limits()
    found = limits_of('{"person": {"all": {"day": 0}, "email": {"week": 4}}, "money_per_day": "12.50"}')
    assert [(cap.id, cap.most) for cap in found.person] == [("cap:all_day", 0), ("cap:email_week", 4)]
    assert found.money_per_day == Decimal("12.50")


@pytest.mark.parametrize(
    "text",
    [
        '{"day": 3}', '{"person": {"fax": {"day": 3}}}', '{"person": {"sms": {"month": 3}}}', '{"person": {"sms": 3}}',
        '{"person": {"sms": {"day": -1}}}', '{"person": {"sms": {"day": 2.5}}}', '{"person": {"sms": {"day": true}}}',
        '{"person": {"sms": {"day": "3"}}}', '{"money_per_day": "a lot"}', '{"money_per_day": -1}', '{"money_per_day": "NaN"}',
        '{"money_per_day": true}', "[]", '{"person": []}', '{"person": false}', '{"person": 0}', '{"person": ""}',
    ],
)  # fmt: skip
def test_caps_that_cannot_be_understood_are_no_permission(text: str) -> None:
    with pytest.raises(BadLimits):
        limits_of(text)


def test_what_is_stored_is_read_as_it_was_meant() -> None:
    import json

    kept = limits.stored({"all": {"day": 3, "week": None}, "sms": {"day": None, "week": 0}}, Decimal("5"))
    assert kept == {"person": {"all": {"day": 3}, "sms": {"week": 0}}, "money_per_day": "5"}
    assert [cap.id for cap in limits_of(json.dumps(kept)).person] == ["cap:all_day", "cap:sms_week"]
    assert limits.stored({"all": {"day": None}}, None) == {}


def test_the_laws_caps_bind_texts_and_calls_together() -> None:
    caps = caps_for(Limits(), ("US-FL",), "sms", NOW)
    assert [(cap.id, cap.most, cap.channels) for cap in caps] == [("US-FL-cap", 3, frozenset({"sms", "voice"}))]
    assert reached(caps, [touch(1), touch(2, "voice"), touch(3, "voice")], NOW) == ("US-FL-cap", NOW + 21 * HOUR)
    assert caps_for(Limits(), ("US-FL",), "email", NOW) == ()


@pytest.mark.parametrize(
    ("state", "rank", "hours_ago", "under_way"),
    [
        ("accepted", 10, 0.1, True),
        ("sent", 30, 0.1, True),
        ("sent", 40, 0.1, False),  # ended; how, comes later
        ("delivered", 55, 0.1, False),
        ("accepted", 10, 1.2, False),  # nobody ever told its end
    ],
)
def test_a_call_is_under_way_until_its_end_is_told_or_it_cannot_last_any_more(
    state: str, rank: int, hours_ago: float, under_way: bool
) -> None:
    assert limits.call_under_way([touch(hours_ago, "voice", state=state, rank=rank)], NOW) is under_way


def test_nobody_is_called_for_a_day_after_a_call_that_perhaps_was_placed() -> None:
    assert limits.calls_again([touch(2, "voice", state="held")], NOW) == NOW + 22 * HOUR
    assert limits.calls_again([touch(25, "voice", state="held"), touch(1, "sms", state="held")], NOW) is None
    for state in ("expired", "cancelled"):  # its time ran out, or a member left it
        assert limits.calls_again([touch(2, "voice", state=state, rank=0)], NOW) == NOW + 22 * HOUR
        assert limits.calls_again([touch(2, "voice", state=state, rank=45)], NOW) is None


def test_the_fourth_automatic_answer_within_an_hour_is_two_machines_talking() -> None:
    answers = [touch(0.1 * n, purpose="help") for n in range(3)]
    asked = frozenset({"help", "confirmation"})
    assert limits.answers_reached(answers, asked, NOW)
    assert not limits.answers_reached([*answers[:2], touch(1.5, purpose="help")], asked, NOW)


@pytest.mark.parametrize(
    ("tokens", "rate", "seconds"), [(0.0, 1.0, 1.0), (0.5, 1.0, 0.5), (0.0, 0.1, 10.0), (1.0, 2.0, 0.0)]
)
def test_the_next_token_is_there_when_the_bucket_is_full_enough(tokens: float, rate: float, seconds: float) -> None:
    assert limits.next_token(tokens, NOW, rate) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("channel", "body", "config", "dollars"),
    [
        ("sms", "Hello", {}, "0.01130"),
        ("sms", "x" * 161, {}, "0.02260"),
        ("sms", "Hello", {"price": 0.02}, "0.02000"),
        ("email", "x" * 9999, {}, "0.00100"),
        ("voice", "Ask how they are.", {}, "0.45000"),
        ("voice", "", {"price": 0}, "0.00000"),
    ],
)
def test_what_a_message_will_probably_cost(channel: str, body: str, config: dict[str, Any], dollars: str) -> None:
    assert estimate(channel, body, config) == Decimal(dollars)
