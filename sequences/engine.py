"""The tick: claim → load facts → plan → apply, in one transaction a batch, with a number of queries that does not grow."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.db import DataError, IntegrityError, connection, transaction
from psycopg.rows import namedtuple_row

from sequences import claims, facts, writing
from sequences.decisions import Entry, Handoff, Reason, Turn
from sequences.plan import plan

BATCH = 500

# PostgreSQL says no to a value. Anything else (it is gone, it is full) is nobody's row's fault and goes up.
REFUSED = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did: how many it claimed, and each enrolment's turn."""

    claimed: int
    turns: tuple[tuple[int, Turn], ...]

    @property
    def decided(self) -> int:
        return len(self.turns)


def tick(now: datetime, limit: int = BATCH) -> Tick:
    """Decides for up to `limit` due enrolments and stores the result. Safe to run in any number of processes at once.

    A row that PostgreSQL refuses stops only itself: the batch is halved until the row stands alone, and is parked.
    """
    try:
        return _batch(now, limit)
    except REFUSED:
        if limit == 1:
            raise
        logger.warning("A batch of %d could not be stored; trying %d.", limit, limit // 2)
        return tick(now, max(limit // 2, 1))


def drain(now_of: Any, *, seconds: float, monotonic: Any, limit: int = BATCH) -> int:
    """Ticks until nothing is due or `seconds` have passed; returns how many enrolments were decided.

    `now_of` reads the clock for each batch, `monotonic` measures the budget.
    """
    until, decided = monotonic() + seconds, 0
    while monotonic() < until:
        done = tick(now_of(), limit)
        decided += done.decided
        if not done.decided:
            break
    return decided


def _batch(now: datetime, limit: int) -> Tick:
    with transaction.atomic():
        cursor = _cursor()
        rows = claims.due(cursor, now, limit)
        if not rows:
            return Tick(0, ())
        known = facts.load(cursor, rows, now)
        turns = [(row, _decide(row, known, now)) for row in rows]
        if limit == 1:
            turns = _stored_alone(cursor, turns, known, now)
        else:
            writing.write(cursor, turns, dict(known.windows_json), now)
    return Tick(len(rows), tuple((row.id, turn) for row, turn in turns))


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


def _stored_alone(
    cursor: Any, turns: list[tuple[Any, Turn]], known: facts.BatchFacts, now: datetime
) -> list[tuple[Any, Turn]]:
    """Stores one turn, or, where PostgreSQL refuses it, that its enrolment is parked: under the same lock, so that no other
    row can be taken for the refused one."""
    try:
        with transaction.atomic():
            writing.write(cursor, turns, dict(known.windows_json), now)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return turns
    except REFUSED:
        logger.exception("An enrolment could not be stored; parking it.")
    turns = [(row, parked(row, "PostgreSQL refused what was to be stored; the log has its words.")) for row, _ in turns]
    writing.write(cursor, turns, {}, now)
    return turns


def _cursor() -> Any:
    """A psycopg cursor on Django's own connection: binary results and arrays, which Django's cursor does not speak."""
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return psycopg.Cursor(raw, row_factory=namedtuple_row)
