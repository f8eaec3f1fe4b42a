"""Moments in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from omnify.tenants.moments import absolute, relative

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=-59), "in a moment"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=-3), "in 3 h"),
        (timedelta(hours=24), "1 day ago"),
        (timedelta(days=6, hours=23), "6 days ago"),
        (timedelta(days=-2), "in 2 days"),
        (timedelta(days=7), "25 Dec 2025"),
        (timedelta(days=-30), "31 Jan"),
    ],
)
def test_how_long_ago_is_said_in_few_words(ago: timedelta, words: str) -> None:
    assert relative(NOW - ago, NOW, NEW_YORK) == words


def test_the_exact_moment_names_its_zone() -> None:
    assert absolute(NOW, NEW_YORK) == "Thu 1 Jan 2026, 22:04 EST (America/New_York)"
