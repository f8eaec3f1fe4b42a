"""Those who waited for an opening start over its first minutes, each at their own moment and always at the same."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequences import law, states
from sequences.decisions import Reason, Send, Wait
from sequences.guards import WireFacts, judge
from sequences.receipts import remedy
from sequences.windows import LAST_CALL, SPREAD_OVER, Window, turn_after
from tests.sequences.test_guards import facts as wire
from tests.sequences.test_plan import PERSON, SEQUENCE, changed, decide

NY, LA, PHOENIX = "America/New_York", "America/Los_Angeles", "America/Phoenix"
OPENS = datetime(2026, 11, 18, 13, 0, tzinfo=UTC)
DAY = Window.from_json({"start": "08:00", "end": "21:00"})


@pytest.mark.parametrize(
    ("open_for", "room"),
    [
        (timedelta(hours=13), SPREAD_OVER),
        (timedelta(minutes=100), SPREAD_OVER),
        (timedelta(minutes=50), timedelta(minutes=5)),
        (timedelta(minutes=10), timedelta(minutes=1)),
        (timedelta(seconds=95), timedelta(seconds=5)),  # ninety are needed for the wire
        (timedelta(seconds=90), timedelta(0)),
        (timedelta(seconds=30), timedelta(0)),
        (timedelta(0), timedelta(0)),
    ],
)
def test_the_turns_fill_ten_minutes_or_a_tenth_and_leave_time_for_the_wire(open_for, room) -> None:
    turns = [turn_after(OPENS, OPENS + open_for, lot) for lot in range(2_000)]
    if not room:
        assert set(turns) == {OPENS}
        return
    assert min(turns) >= OPENS
    assert max(turns) < OPENS + room
    assert max(turns) > OPENS + room * 0.99


def test_ten_thousand_people_start_evenly() -> None:
    minutes = [0] * 10
    for lot in range(700_000, 710_000):
        minutes[int((turn_after(OPENS, OPENS + timedelta(hours=13), lot) - OPENS) / timedelta(minutes=1))] += 1
    # Chi-squared with nine degrees of freedom: one fair draw in a thousand is above 27.9.
    assert sum((each - 1000) ** 2 / 1000 for each in minutes) < 27.9


def test_no_second_is_crowded() -> None:
    turns = sorted(turn_after(OPENS, OPENS + timedelta(hours=13), lot) for lot in range(10_000))
    assert max((later - sooner) for sooner, later in pairwise(turns)) < timedelta(seconds=2)
    assert (
        max(
            sum(OPENS + timedelta(seconds=s) <= t < OPENS + timedelta(seconds=s + 1) for t in turns) for s in range(600)
        )
        < 50
    )


@given(
    lot=st.integers(1, 2**60),
    opens=st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    seconds=st.integers(0, 200_000),
)
def test_a_turn_is_always_inside_and_always_the_same(lot, opens, seconds) -> None:
    closes = opens + timedelta(seconds=seconds)
    turn = turn_after(opens, closes, lot)
    assert opens <= turn <= max(opens, closes - LAST_CALL)
    assert turn == turn_after(opens, closes, lot)


def test_another_opening_gives_another_turn() -> None:
    closes = OPENS + timedelta(hours=13)
    shares = [turn_after(OPENS + n * timedelta(days=1), closes + n * timedelta(days=1), 7) for n in range(30)]
    assert len({turn.time() for turn in shares}) == 30


def test_whoever_has_no_lot_goes_at_the_opening() -> None:
    assert turn_after(OPENS, OPENS + timedelta(hours=13), None) == OPENS


@pytest.mark.parametrize(
    ("zones", "now", "opening"),
    [
        ((NY,), "2026-11-18 03:00", "2026-11-18 08:00"),
        ((NY, LA), "2026-11-18 03:00", "2026-11-18 11:00"),  # not before 8:00 in Los Angeles
        ((NY, PHOENIX), "2026-07-15 03:00", "2026-07-15 11:00"),  # Arizona keeps no summer time
        ((NY,), "2026-03-07 21:30", "2026-03-08 08:00"),  # the night of 23 hours
        ((NY,), "2026-10-31 21:30", "2026-11-01 08:00"),  # the night of 25
        ((NY, LA), "2026-03-08 01:00", "2026-03-08 11:00"),
        ((NY,), "2026-11-18 20:59", "2026-11-19 08:00"),  # about to close
    ],
)
def test_the_plan_waits_for_a_moment_in_the_first_ten_minutes_and_then_sends(zones, now, opening) -> None:
    moment, opens = (
        datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(NY)).astimezone(UTC) for text in (now, opening)
    )
    turns = set()
    for lot in range(50):
        person = changed(PERSON, zones=zones, lot=lot)
        turn = decide("email", person=person, sequence=changed(SEQUENCE, window=DAY), now=moment)
        assert isinstance(turn.entries[0].decision, Wait)
        assert opens <= turn.next_run_at < opens + SPREAD_OVER
        assert turn.entries[0].decision.facts["opens"] == opens.isoformat()
        again = decide("email", person=person, sequence=changed(SEQUENCE, window=DAY), now=turn.next_run_at)
        assert isinstance(again.entries[0].decision, Send)
        turns.add(turn.next_run_at)
    assert len(turns) == 50


def test_asking_again_before_the_opening_moves_nobody() -> None:
    night = OPENS - timedelta(hours=9)
    person = changed(PERSON, lot=12)
    asked = {decide("sms", person=person, now=night + n * timedelta(minutes=30)).next_run_at for n in range(18)}
    assert len(asked) == 1


def test_a_moment_after_the_opening_that_was_asked_for_is_kept() -> None:
    """A wait until 8:00 ends when it opens: there is nothing to wait for, so nothing is spread."""
    turn = decide("sms", person=changed(PERSON, lot=12), now=OPENS)
    assert isinstance(turn.entries[0].decision, Send)
    waited = decide(
        {"kind": "wait", "config": {"days": 1, "at": "08:00"}}, "sms", person=changed(PERSON, lot=12), now=OPENS
    )
    assert (waited.entries[0].decision.reason, waited.next_run_at) == (Reason.WAITING, OPENS + timedelta(days=1))


def test_the_receipt_says_that_the_others_start_then_too() -> None:
    for reason in (Reason.QUIET_HOURS, Reason.OUTSIDE_WINDOW):
        assert "one after the other" in remedy(reason, {"opens": OPENS.isoformat()})
        assert "one after the other" not in remedy(reason, {})


def late(expires_in: timedelta, lot: int) -> tuple[WireFacts, datetime]:
    """A message at the wire an hour before it opens."""
    return wire(expires_at=OPENS + expires_in, lot=lot), OPENS - timedelta(hours=1)


def test_what_was_put_off_at_the_wire_is_spread_and_then_goes() -> None:
    turns = set()
    for lot in range(50):
        message, now = late(timedelta(hours=3), lot)
        stop = judge(message, now)
        assert stop is not None
        assert stop.state == states.DEFERRED
        assert stop.not_before is not None
        assert OPENS <= stop.not_before < OPENS + SPREAD_OVER
        assert judge(message, stop.not_before) is None
        turns.add(stop.not_before)
    assert len(turns) == 50


def test_nothing_is_spread_beyond_its_expiry() -> None:
    for lot in range(200):
        message, now = late(timedelta(minutes=4), lot)
        stop = judge(message, now)
        assert stop is not None
        assert stop.not_before is not None
        assert OPENS <= stop.not_before < message.expires_at
        assert judge(message, stop.not_before) is None


def test_two_years_of_nights_end_inside_the_law() -> None:
    person = law.Person((NY, LA), ("US-NY", "US-CA"))
    for number in range(730):
        day = date(2026, 1, 1) + timedelta(days=number)
        night = datetime.combine(day, time(4), tzinfo=ZoneInfo(NY)).astimezone(UTC)
        verdict = law.allowed(night, person, "sms", window=DAY)
        assert verdict.next is not None
        turn = turn_after(verdict.next, law.allowed(verdict.next, person, "sms", window=DAY).until, number)
        assert law.allowed(turn, person, "sms", window=DAY).until - turn >= LAST_CALL
