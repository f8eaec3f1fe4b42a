"""Counters for /metrics: kept in memory while a task runs, added to a row each when it ends.

The rows outlive every process, so the numbers need no shared folder and survive restarts; a worker that is killed takes the
counts of its last task with it, at most some seconds of them. Labels are words of our own lists, never a tenant or a person.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Seconds, upper bounds of a duration's buckets.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# tally_add: in the order of the keys, so that two writers cannot wait for each other; a lost one is a few counts, so nobody
# waits for the disk.
ADD = """
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS set)
INSERT INTO sequences_tally AS t (key, value)
SELECT key, value FROM quick, unnest(%s::text[], %s::float8[]) AS added (key, value) WHERE quick.set = 'off' ORDER BY key
ON CONFLICT (key) DO UPDATE SET value = t.value + EXCLUDED.value
"""

_lock = threading.Lock()
_waiting: Counter[str] = Counter()


def count(name: str, *labels: str, by: float = 1) -> None:
    """Adds to `name` with these labels. Costs no query."""
    with _lock:
        _waiting["|".join((name, *labels))] += by  # type: ignore[assignment]


def took(name: str, seconds: float) -> None:
    """One duration: into its bucket, the sum and the number."""
    bound = next((str(each) for each in BUCKETS if seconds <= each), "+Inf")
    with _lock:
        _waiting[f"{name}|le|{bound}"] += 1
        _waiting[f"{name}|sum"] += seconds  # type: ignore[assignment]


@contextmanager
def timed(name: str) -> Iterator[None]:
    """The duration of what runs inside, also when it raises; written down with everything else that waits."""
    began = time.monotonic()
    try:
        yield
    finally:
        took(name, time.monotonic() - began)
        write_down()


def write_down() -> int:
    """Adds what waits to the rows; returns how many rows. Outside any transaction of the work it counts."""
    with _lock:
        taken = dict(_waiting)
        _waiting.clear()
    if not taken:
        return 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(ADD, [list(taken), [float(value) for value in taken.values()]])
    except Exception:
        with _lock:
            _waiting.update(taken)
        raise
    return len(taken)
