"""One look at how the machine does, for whoever asks: small rows that hold nothing of any tenant."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from omnify.lib import clock
from omnify.operations.findings import Seen

LOOK = """
SELECT clock_timestamp(), v.beat_at, v.measured_at, v.facts, coalesce((SELECT max(epoch) FROM sequences_sendepoch), 1),
       ARRAY(SELECT key FROM sequences_switch WHERE off ORDER BY key),
       (SELECT json_build_object('sealed_at', sealed_at, 'sealed_upto', sealed_upto, 'last_made', last_made, 'shipped', shipped,
                                 'shipped_at', shipped_at, 'problem', ship_problem) FROM tenants_sealstate WHERE id = 1)
FROM (SELECT 1) AS one LEFT JOIN sequences_vitals AS v ON v.id = 1
"""
TALLIES = "SELECT key, value FROM sequences_tally ORDER BY key LIMIT 2000"


def look() -> Seen:
    """As the pages see it: one query on the request's connection."""
    before = clock.machine()
    with connection.cursor() as cursor:
        cursor.execute(LOOK)
        return seen_in(cursor.fetchone(), before, clock.machine())


def seen_in(row: Any, before: datetime, after: datetime) -> Seen:
    """`row` is LOOK's; `before` and `after` it this machine's clock."""
    there, beat_at, measured_at, facts, epoch, off, seals = row
    # A round trip of more than a second says nothing about the clock within it.
    middle = before + (after - before) / 2
    drift = 0.0 if after - before > timedelta(seconds=1) else (middle - there).total_seconds()
    return Seen(there, beat_at, measured_at, _parsed(facts), epoch, tuple(off), round(drift, 3), _parsed(seals))


def _parsed(facts: Any) -> dict[str, Any]:
    """Django's own connection gives JSON as text, psycopg's as a dictionary."""
    import json

    return json.loads(facts) if isinstance(facts, str) else facts or {}
