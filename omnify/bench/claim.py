"""What claiming 500 due enrolments costs in a small and in a large table, and what it costs the advance when vacuum is held up.

The large table goes through ten rounds in which a tenth of it is due and moves on, without a vacuum: the index entries that
each round leaves behind lie before those that are due. Then people are advanced as fast as they can be, first with nothing in
the way, then while some transaction is held open, as a forgotten session would, so that nothing left behind can be removed.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.db import connection, transaction

from omnify.bench import scratch
from omnify.bench.measured import Measure, Size, compared
from omnify.bench.tick import daytime, prepare_people
from omnify.lib.clock import now as read_clock
from sequences import claims
from sequences.engine import _cursor, drain

ROUNDS = 10
TRIES = 15
GROWTH, PINNED = 2.0, 0.6

# More enrolments of the same people in sequences that nobody will ask for: the claim reads none. Their keys are not checked,
# which would take most of the time and is not what is measured.
FILL = """
INSERT INTO sequences_enrollment (tenant_id, public_id, sequence_id, version_id, contact_id, step_id, status, status_reason,
    next_run_at, turn, visit, waited, enrolled_at, engagement_score, sentiment_trend, needs_human_intervention, last_emotion,
    recommended_tone, is_hot_lead, is_at_risk, conversion_type)
SELECT e.tenant_id, gen_random_uuid(), e.sequence_id + n, e.version_id, e.contact_id, e.step_id, 'active', '',
    %(at)s::timestamptz - make_interval(hours => 2 + (n %% 10)::int) + make_interval(secs => (n / 10 * %(people)s + e.id) * 0.005),
    0, 0, false, %(at)s, 50, '', false, '', '', false, false, ''
FROM generate_series(%(first)s, %(last)s) AS n CROSS JOIN sequences_enrollment AS e WHERE e.sequence_id = %(sequence)s
"""
# The ten thousand as they are before the others come, with the same indexes and the same policy.
SMALL = """
CREATE SCHEMA small;
CREATE TABLE small.sequences_enrollment (LIKE sequences_enrollment INCLUDING ALL) WITH (fillfactor = 85);
GRANT USAGE ON SCHEMA small TO omnify_system;
GRANT ALL ON small.sequences_enrollment TO omnify_system, CURRENT_USER;
SET ROLE omnify_system;
INSERT INTO small.sequences_enrollment SELECT * FROM public.sequences_enrollment;
SET ROLE NONE;
ALTER TABLE small.sequences_enrollment ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system_rows ON small.sequences_enrollment TO omnify_system
    USING ((SELECT nullif(current_setting('app.tenant_id', true), '')::bigint) IS NULL);
ANALYZE small.sequences_enrollment
"""
# The indexes besides the primary key, and how each is made.
INDEXES = """
SELECT c.relname, k.oid IS NOT NULL, coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid))
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype = 'u'
WHERE i.indrelid = 'sequences_enrollment'::regclass AND NOT i.indisprimary
"""
MOVE_ON = """
UPDATE sequences_enrollment SET next_run_at = next_run_at + interval '90 days'
WHERE sequence_id > %(sequence)s AND sequence_id %% 10 = %(round)s AND next_run_at <= %(at)s
"""


def measure(size: Size) -> list[Measure]:
    """The small table is the tick's own people; `--rows` is the size of the large one."""
    people, rows = size.of(size.people, 10_000, 10_000), size.of(size.rows, 500_000, 5_000_000)
    at = daytime(read_clock())
    prepare_people(people, at, days=6)
    _without_keys()
    scratch.as_owner(SMALL)
    sequence = _value("SELECT max(sequence_id) FROM sequences_enrollment")
    _fill(sequence, people, max(rows // people, 1), at)
    grown, _ = _both(at, size.batch)
    each, beside = [], []
    for number in range(ROUNDS):
        with connection.cursor() as cursor:
            cursor.execute(MOVE_ON, {"sequence": sequence, "round": number, "at": at})
        large, small = _both(at, size.batch)
        each.append(large)
        beside.append(small)
    settled, small = statistics.median(each[-3:]), statistics.median(beside[-3:])
    return [
        compared(
            f"Claim of {size.batch} of {rows:,} enrolments after ten rounds of updates, beside {people:,}",
            settled, small, "ms", goal=f"≤ {GROWTH:g} times", met=settled <= GROWTH * small,
            before_the_rounds=grown, rounds=each, beside=beside, rows=_value("SELECT count(*) FROM sequences_enrollment"),
        ),
        _pinned(people, at, size),
    ]  # fmt: skip


def _both(at: datetime, limit: int) -> tuple[float, float]:
    """Milliseconds of a claim in the large and in the small table, the medians of some, each undone; raises when one was not
    full. In turns, so that whatever else the machine does is in the way of both."""
    taken: dict[str, list[float]] = {"public": [], "small": []}
    for number in range(TRIES):
        for schema, milliseconds in taken.items():
            for again in range(2):  # the first plans for this table
                spent = _claim(schema, at, limit)
                if again and number:
                    milliseconds.append(spent)
    return round(statistics.median(taken["public"]), 3), round(statistics.median(taken["small"]), 3)


def _claim(schema: str, at: datetime, limit: int) -> float:
    with transaction.atomic():
        cursor = _cursor()
        cursor.execute(f"SET LOCAL search_path = {schema}, public")
        began = time.perf_counter()
        rows = claims.due(cursor, at, limit)
        spent = (time.perf_counter() - began) * 1000
        transaction.set_rollback(True)
    if len(rows) < limit:
        raise RuntimeError(f"Only {len(rows)} of {limit} were due.")
    return spent


def _pinned(people: int, at: datetime, size: Size) -> Measure:
    """People advanced a second, healthy and with a snapshot held open."""
    rates: list[float] = []

    def advance(day: int) -> None:
        moment, began = at + timedelta(days=day), time.perf_counter()
        done = drain(lambda: moment, seconds=scratch.LONGEST, monotonic=time.monotonic, limit=size.batch)
        if done != people:
            raise RuntimeError(f"The bench expected {people} rows and saw {done}: the numbers would mean nothing.")
        rates.append(done / (time.perf_counter() - began))

    advance(0)  # fills the caches
    advance(1)
    with held_snapshot():
        advance(2)
        advance(3)
        advance(4)
    _, healthy, *pinned = rates
    return compared(
        "People advanced while a transaction is held open, beside none", pinned[-1], healthy, "/s",
        goal=f"≥ {PINNED:g} of the healthy rate", met=pinned[-1] >= PINNED * healthy, pinned=[round(rate) for rate in pinned],
    )  # fmt: skip


@contextmanager
def held_snapshot() -> Iterator[None]:
    """A session that looked at the database once and then forgot to end its transaction."""
    parameters = connection.get_connection_params()
    for name in ("pool", "cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    with psycopg.connect(**parameters) as forgotten:
        forgotten.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        forgotten.execute("SELECT count(*) FROM sequences_sequence")
        yield
        forgotten.rollback()


def _fill(sequence: int, people: int, times: int, at: datetime) -> None:
    """`times` further enrolments of each person, by statements of about 100,000 rows.

    The indexes are made anew afterwards, each by one sort: row by row they would take most of the time of five million rows.
    """
    step = max(100_000 // people, 1)
    with _indexes_made_afterwards():
        for first in range(1, times + 1, step):
            with connection.cursor() as cursor:
                last = min(first + step - 1, times)
                cursor.execute(FILL, {"first": first, "last": last, "at": at, "sequence": sequence, "people": people})
    scratch.as_owner("ANALYZE sequences_enrollment")


@contextmanager
def _indexes_made_afterwards() -> Iterator[None]:
    """Inside, the enrolments have their primary key alone."""
    with connection.cursor() as cursor:
        cursor.execute(INDEXES)
        found = cursor.fetchall()
    for name, constraint, _ in found:
        scratch.as_owner(
            f'ALTER TABLE sequences_enrollment DROP CONSTRAINT "{name}"' if constraint else f'DROP INDEX "{name}"'
        )
    yield
    scratch.as_owner("SET maintenance_work_mem = '512MB'")
    for name, constraint, definition in found:
        made = f'ALTER TABLE sequences_enrollment ADD CONSTRAINT "{name}" {definition}' if constraint else definition
        scratch.as_owner(made)


def _without_keys() -> None:
    """No foreign keys, and no vacuum of its own accord, which would tidy up in the middle of a measurement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'sequences_enrollment'::regclass AND contype = 'f'"
        )
        names = [name for (name,) in cursor.fetchall()]
    dropped = ", ".join(f'DROP CONSTRAINT "{name}"' for name in names)
    scratch.as_owner(f"ALTER TABLE sequences_enrollment {dropped}")
    scratch.as_owner("ALTER TABLE sequences_enrollment SET (autovacuum_enabled = false)")


def _value(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
