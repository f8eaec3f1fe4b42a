"""A backlog beside everyday work: bounds by the hour, whatever its size and wherever the normal rate is known from."""

from datetime import UTC, datetime, timedelta

import pytest

from sequences.easing import DAYS, moment, normal_day, released

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OFFICE = [0.0] * 13 + [90.0] * 8 + [0.0] * 3  # nine to five in New York


def let_go(by_hour: list[float], backlog: int, begins: float, ends: float, now: datetime = NOON) -> int:
    at = [moment(by_hour, place, now) for place in range(1, backlog + 1)]
    return sum(now + begins * HOUR < each <= now + ends * HOUR for each in at)


@pytest.mark.parametrize("stood", [1, 6, 12, 24, 72, 24 * 30])
@pytest.mark.parametrize("minute", [0, 17])
def test_no_hour_of_the_first_day_brings_more_than_a_tenth_beside_its_own(stood: int, minute: int) -> None:
    now, backlog = NOON.replace(minute=minute), 60 * stood
    by_hour = released([60.0] * 24, backlog, now)
    for hour in range(24):
        assert let_go(by_hour, backlog, hour, hour + 1, now) <= 6
    assert let_go(by_hour, backlog, 0, 1, now) == 6
    assert let_go(by_hour, backlog, 0, DAYS * 24, now) == backlog


@pytest.mark.parametrize(("stood", "days"), [(6, 2), (24, 4), (72, 8)])
def test_all_are_let_go_within_days(stood: int, days: int) -> None:
    assert len(released([60.0] * 24, 60 * stood, NOON)) <= days * 24


def test_nothing_gathers_in_the_hours_in_which_nothing_is_sent() -> None:
    backlog = 500
    by_hour = released(OFFICE, backlog, NOON.replace(hour=18))
    at = [moment(by_hour, place, NOON.replace(hour=18)) for place in range(1, backlog + 1)]
    assert {each.hour for each in at if each.minute or each.second} <= set(range(13, 21))
    for hour in range(13, 21):
        assert sum(each.hour == hour and each.day == NOON.day + 1 for each in at) <= 19  # two days' tenths touch


def test_they_are_let_go_in_their_order_and_each_at_a_moment_of_its_own() -> None:
    by_hour = released([30.0] * 24, 300, NOON)
    at = [moment(by_hour, place, NOON) for place in range(1, 301)]
    assert at == sorted(set(at))
    assert at[0] > NOON


@pytest.mark.parametrize(
    ("seen", "covered", "backlog", "stood", "normal"),
    [
        ([7 * 60] * 24, 7 * 24, 999, 6, [60.0] * 24),  # a week in the ledger: whatever waits now
        ([0] * 13 + [630] * 8 + [0] * 3, 7 * 24, 10_000, 6, OFFICE),
        ([5] * 24, 23, 360, 6, [60.0] * 24),  # a tenant since yesterday: what was planned
        ([0] * 24, 7 * 24, 360, 6, [60.0] * 24),  # no history on this channel
        ([0] * 24, 0, 1, 100, [0.01] * 24),
    ],
)
def test_normal_is_what_the_ledger_saw_and_else_what_was_planned(
    seen: list[int], covered: int, backlog: int, stood: int, normal: list[float]
) -> None:
    assert normal_day(seen, covered * HOUR, backlog, stood * HOUR) == pytest.approx(normal)


def test_a_huge_backlog_beside_a_small_history_waits_for_the_second_day_and_is_over_in_two_weeks() -> None:
    by_hour = released([5.0] * 24, 100_000, NOON)
    assert by_hour[23] == pytest.approx(12)
    assert len(by_hour) <= DAYS * 24
    assert by_hour[-1] >= 100_000


@pytest.mark.parametrize("normal", [[0.0] * 24, [1.0] * 23, [-1.0] + [2.0] * 23])
def test_what_is_no_day_is_refused(normal: list[float]) -> None:
    with pytest.raises(ValueError, match="24 hours"):
        released(normal, 10, NOON)
