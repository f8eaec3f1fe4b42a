"""What time it is for everything that decides and sends: the database's time, on every machine and in every worker.

A worker whose own clock is wrong, or is set while it works, would otherwise send early or at night. The one clock all of them
share is the database's, and between two looks at it only the machine's monotonic clock counts, which nobody can set.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection

from omnify.lib import clock


def database_clock() -> Callable[[], datetime]:
    """A clock that stands where the database's stands now, and runs on by itself. One query; made anew for each task."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (there,) = cursor.fetchone()
    since = steady()
    # The offset is how a demo or a test stands at another hour of the day on purpose.
    start = there + clock.offset()
    return lambda: start + timedelta(seconds=steady() - since)


def steady() -> float:
    """Seconds on a clock that nobody can set and that, where the system has one, runs on while the machine sleeps: one that wakes
    in the night must not take it for the evening in which it fell asleep."""
    asleep_too = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if asleep_too is None else time.clock_gettime(asleep_too)
