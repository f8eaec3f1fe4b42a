"""The only place that reads the clock. Callers at the edges read it once and pass `now` on as an argument."""

import os
from datetime import UTC, datetime, timedelta

# Lets a demo or a test stand at another hour of the day without touching the machine: seconds added to the real clock.
_OFFSET = timedelta(seconds=float(os.environ.get("OMNIFY_CLOCK_OFFSET", "0") or 0))


def machine() -> datetime:
    """This machine's own time, without any offset: for measuring it against another's."""
    return datetime.now(UTC)


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC) + _OFFSET


def offset() -> timedelta:
    """How far this process stands from the real time on purpose; nothing outside demos and tests."""
    return _OFFSET
