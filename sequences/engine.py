"""The tick: claim → load facts → plan → apply, in one transaction a batch, with a number of queries that does not grow."""

import gc
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
from django.db import DataError, IntegrityError, connection, connections, transaction
from psycopg.rows import namedtuple_row

from sequences import claims, facts, writing
from sequences.columns import register
from sequences.decisions import Entry, Handoff, Reason, Turn
from sequences.plan import plan
from sequences.statements import keep_plans

BATCH = 500
# Threads of one process that tick at the same time. A third would find Python taken.
HANDS = 2
Clock = Callable[[], datetime]
Stopwatch = Callable[[], float]

# PostgreSQL says no to a value. Anything else (it is gone, it is full) is nobody's row's fault and goes up.
REFUSED = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did: how many it claimed, each enrolment's turn, and the latest moment that any of them was due at."""

    claimed: int
    turns: tuple[tuple[int, Turn], ...]
    reached: datetime = claims.BEGINNING

    @property
    def decided(self) -> int:
        return len(self.turns)


def tick(now: datetime, limit: int = BATCH, since: datetime = claims.BEGINNING) -> Tick:
    """Decides for up to `limit` enrolments due from `since` to `now` and stores the result. Safe to run in any number of
    processes at once.

    A row that PostgreSQL refuses stops only itself: the batch is halved until the row stands alone, and is parked.
    """
    try:
        return _batch(now, limit, since)
    except REFUSED:
        if limit == 1:
            raise
        logger.warning("A batch of %d could not be stored; trying %d.", limit, limit // 2)
        return tick(now, max(limit // 2, 1), since)


def drain(now_of: Clock, *, seconds: float, monotonic: Stopwatch, limit: int = BATCH, hands: int = HANDS) -> int:
    """Ticks until nothing is due or `seconds` have passed; returns how many enrolments were decided.

    `now_of` reads the clock for each batch, `monotonic` measures the budget. As soon as a batch is full, `hands` threads
    work side by side, each with a connection of its own: while PostgreSQL is at the one's batch, Python is at the other's.
    Nothing is agreed between them; they pass over each other's rows as those of any other process.
    """
    until = monotonic() + seconds
    first = tick(now_of(), limit)
    if not first.decided:
        return 0
    go_on = partial(_sweep, now_of, until, monotonic, limit, first.reached)
    if first.claimed < limit or hands == 1:
        return first.decided + go_on()
    with ThreadPoolExecutor(hands - 1, thread_name_prefix="tick") as pool:
        others = [pool.submit(_by_another_hand, go_on) for _ in range(hands - 1)]
        return first.decided + go_on() + sum(other.result() for other in others)


def _sweep(now_of: Clock, until: float, monotonic: Stopwatch, limit: int, since: datetime) -> int:
    """Batch by batch, each beginning where the one before ended, so that none walks through the index entries that this sweep
    has left behind. What came to be due behind it, or was locked when it passed, is found by the next sweep: the last one
    begins at the beginning and finds nothing."""
    decided = 0
    while monotonic() < until:
        done = tick(now_of(), limit, since)
        decided += done.decided
        if done.decided:
            since = done.reached
        elif since == claims.BEGINNING:
            break
        else:
            since = claims.BEGINNING
    return decided


def _by_another_hand(work: Callable[[], int]) -> int:
    try:
        return work()
    finally:
        connections.close_all()


def _batch(now: datetime, limit: int, since: datetime) -> Tick:
    with transaction.atomic(), uncollected():
        cursor = _cursor()
        rows = claims.due(cursor, now, limit, since)
        if not rows:
            return Tick(0, ())
        known = facts.load(cursor, rows, now)
        turns = _stored_alone(cursor, rows, known, now) if limit == 1 else _stored(cursor, rows, known, now)
        writing.write_rest(cursor, turns, now)
    return Tick(len(rows), tuple((row.id, turn) for row, turn in turns), max(row.next_run_at for row in rows))


@contextmanager
def uncollected() -> Iterator[None]:
    """Without Python's search for cycles, which walks through all of Django at the pace at which a batch makes values; those
    have no cycles, and go as they are let go."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _stored(cursor: Any, rows: list[Any], known: facts.BatchFacts, now: datetime) -> list[writing.Decided]:
    """Decides and stores in parts: while PostgreSQL writes one, the next is decided.

    It needs about twice the time for a row, so each part is twice as large as the one before and neither waits for long.
    """
    turns: list[writing.Decided] = []
    with cursor.connection.pipeline():
        # The keys are checked with each part, too, and not all of them after the last.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for part in _doubling(rows):
            decided = [(row, _decide(row, known, now)) for row in part]
            writing.write(cursor, decided, known.windows_json, now)
            turns += decided
    return turns


def _doubling(rows: list[Any]) -> Iterator[list[Any]]:
    """Three parts as 1 : 2 : 4; without the empty ones."""
    seventh = len(rows) // 7
    for part in (rows[:seventh], rows[seventh : 3 * seventh], rows[3 * seventh :]):
        if part:
            yield part


def _decide(row: Any, known: facts.BatchFacts, now: datetime) -> Turn:
    try:
        return plan(
            facts.standing(row),
            facts.person(row, known, now),
            facts.readable(known.sequences[row.sequence_id]),
            facts.readable(known.graphs[row.version_id]),
            now,
        )
    except Exception as error:  # noqa: BLE001 (one person's odd data must not stop the other 499; it is parked in sight)
        logger.exception("Enrolment %s could not be decided; parking it.", row.id)
        return parked(row, f"{type(error).__name__}: {error}")


def parked(row: Any, error: str) -> Turn:
    """The turn of an enrolment that the machine cannot carry on: visible, waiting for a person."""
    entry = Entry(row.step_id, row.visit, Handoff(Reason.CRASHED, {"error": error[:400]}))
    return Turn((entry,), "failed", Reason.CRASHED, row.step_id, row.visit, False, None)


def _stored_alone(cursor: Any, rows: list[Any], known: facts.BatchFacts, now: datetime) -> list[writing.Decided]:
    """Stores one turn, or, where PostgreSQL refuses it, that its enrolment is parked: under the same lock, so that no other
    row can be taken for the refused one."""
    turns = [(row, _decide(row, known, now)) for row in rows]
    try:
        with transaction.atomic():
            writing.write(cursor, turns, known.windows_json, now)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return turns
    except REFUSED:
        logger.exception("An enrolment could not be stored; parking it.")
    turns = [(row, parked(row, "PostgreSQL refused what was to be stored; the log has its words.")) for row in rows]
    writing.write(cursor, turns, {}, now)
    return turns


def _cursor() -> Any:
    """A psycopg cursor on Django's own connection: binary results and arrays, which Django's cursor does not speak."""
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    register(raw)
    keep_plans(raw)
    return psycopg.Cursor(raw, row_factory=namedtuple_row)
