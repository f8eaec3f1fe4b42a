"""Writes the turns of one batch: enrolments, receipts and messages, in one statement whatever the batch's size."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from omnify.lib import ids, live
from sequences.columns import Bigints, Bools, Column, Ints, Texts, Timestamps, Uuids
from sequences.decisions import WORD, Entry, Handoff, Send, Task, Turn
from sequences.models import Task as TaskRow
from sequences.receipts import sentence

# Receipts of a turn besides its last are rare: their ids are asked for when there are any.
IDS = "SELECT nextval('sequences_execution_id_seq') FROM generate_series(1, %s)"

# turns_write: the rows were locked by claims.due in this transaction, so the update cannot race. One array element is one
# enrolment with its turn's last receipt and, where that is a send (message_id is not NULL), its message.
TURNS = """
WITH advanced AS (
    UPDATE sequences_enrollment AS e
    SET status = t.status, status_reason = t.status_reason, step_id = t.next_step, visit = t.next_visit, waited = t.waited,
        turn = t.turn, next_run_at = t.next_run_at, last_step_at = %(now)s,
        finished_at = CASE WHEN t.status IN ('completed', 'exited') THEN %(now)s ELSE e.finished_at END
    FROM unnest(%(id)b::bigint[], %(status)b::text[], %(status_reason)b::text[], %(next_step)b::bigint[], %(next_visit)b::int[],
                %(waited)b::bool[], %(turn)b::int[], %(next_run_at)b::timestamptz[],
                %(execution_id)b::bigint[], %(step_id)b::bigint[], %(visit)b::int[], %(decision)b::text[], %(reason)b::text[],
                %(facts)b::text[], %(receipt_next)b::timestamptz[],
                %(message_id)b::bigint[], %(public_id)b::uuid[], %(channel)b::text[], %(sender_id)b::bigint[],
                %(to_address)b::text[], %(subject)b::text[], %(body)b::text[], %(expires_at)b::timestamptz[],
                %(send_window)b::int[])
        AS t(id, status, status_reason, next_step, next_visit, waited, turn, next_run_at,
             execution_id, step_id, visit, decision, reason, facts, receipt_next,
             message_id, public_id, channel, sender_id, to_address, subject, body, expires_at, send_window)
    WHERE e.id = t.id
    RETURNING e.tenant_id, e.sequence_id, e.contact_id, t.*
), receipts AS (
    INSERT INTO sequences_execution (id, tenant_id, enrollment_id, sequence_id, step_id, turn, visit, at, decision, reason,
                                     channel, facts, next_run_at)
    SELECT execution_id, tenant_id, id, sequence_id, step_id, turn, visit, %(now)s, decision, reason,
           coalesce(channel, ''), facts::jsonb, receipt_next
    FROM advanced
)
INSERT INTO sequences_message (id, tenant_id, public_id, enrollment_id, contact_id, execution_id, step_id, visit, channel,
                               purpose, sender_id, to_address, subject, body, state, state_reason, state_at, created_at,
                               not_before, expires_at, send_window, attempt, crashes, lookups, provider, provider_id,
                               status_rank, failure_type, error_code, error_text)
SELECT message_id, tenant_id, public_id, id, contact_id, execution_id, step_id, visit, channel,
       'marketing', sender_id, to_address, subject, body, 'ready', '', %(now)s, %(now)s,
       %(now)s, expires_at, (%(windows)s::jsonb[])[send_window], 0, 0, 0, '', '', 0, '', '', ''
FROM advanced WHERE message_id IS NOT NULL
"""
COLUMNS: Mapping[str, type[Column]] = {
    "id": Bigints, "status": Texts, "status_reason": Texts, "next_step": Bigints, "next_visit": Ints, "waited": Bools,
    "turn": Ints, "next_run_at": Timestamps,
    "execution_id": Bigints, "step_id": Bigints, "visit": Ints, "decision": Texts, "reason": Texts, "facts": Texts,
    "receipt_next": Timestamps,
    "message_id": Bigints, "public_id": Uuids, "channel": Texts, "sender_id": Bigints, "to_address": Texts, "subject": Texts,
    "body": Texts, "expires_at": Timestamps, "send_window": Ints,
}  # fmt: skip

# The receipts of a turn before its last: steps that were skipped or became a task on the way.
PASSED = """
INSERT INTO sequences_execution (id, tenant_id, enrollment_id, sequence_id, step_id, turn, visit, at, decision, reason,
                                 channel, facts)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '', %s::jsonb)
"""

_NO_MESSAGE: tuple[Any, ...] = (None,) * 9

Decided = tuple[Any, Turn]


def write(cursor: Any, turns: Sequence[Decided], windows_json: Mapping[int, str], now: datetime) -> None:
    """Stores these (claimed row, turn) pairs in one statement; with a pipeline open it returns while PostgreSQL is at it.

    What is rare is left to write_rest: a walk past other steps, and what a person must do.
    """
    windows = list(dict.fromkeys(windows_json.values()))
    place_of = {sequence_id: windows.index(text) + 1 for sequence_id, text in windows_json.items()}
    marks = iter(ids.public_ids(len(turns)))
    rows: list[tuple[Any, ...]] = []
    for row, turn in turns:
        last = turn.entries[-1]
        decision = last.decision
        message = _NO_MESSAGE
        if type(decision) is Send:
            message = (
                row.message_id, next(marks), decision.channel, decision.sender_id, decision.to, decision.subject,
                decision.body, decision.expires_at, place_of[row.sequence_id],
            )  # fmt: skip
        rows.append(
            (
                row.id, turn.status, turn.status_reason, turn.step_id, turn.visit, turn.waited,
                row.turn + len(turn.entries), turn.next_run_at, row.execution_id, last.step_id, last.visit,
                WORD[type(decision)], decision.reason, _json(decision.facts), last.next_run_at, *message,
            )
        )  # fmt: skip
    parameters: dict[str, Any] = {"now": now, "windows": windows}
    for (name, column), values in zip(COLUMNS.items(), zip(*rows, strict=True), strict=True):
        parameters[name] = column(values)
    cursor.execute(TURNS, parameters, prepare=True)


def write_rest(cursor: Any, turns: Sequence[Decided], now: datetime) -> None:
    """What few turns have besides their last receipt, and the wake-up of whoever waits for the outcome."""
    # Nearly every turn is a single send, and has nothing more to write.
    further = [
        (row, turn) for row, turn in turns if len(turn.entries) > 1 or type(turn.entries[0].decision) is not Send
    ]
    passed = [
        (row, entry, row.turn + place)
        for row, turn in further
        for place, entry in enumerate(turn.entries[:-1], start=1)
    ]
    if passed:
        given = cursor.execute(IDS, [len(passed)]).fetchall()
        cursor.executemany(PASSED, [_passed(*each, number, now) for each, (number,) in zip(passed, given, strict=True)])
    by_hand = [
        (row, entry.decision)
        for row, turn in further
        for entry in turn.entries
        if isinstance(entry.decision, (Task, Handoff))
    ]
    if by_hand:
        _make_tasks(by_hand, now)
    ready = {entry.decision.channel for _, turn in turns if type((entry := turn.entries[-1]).decision) is Send}
    wake = ",".join(f"dispatch-{channel}" for channel in sorted(ready))
    live.announce({row.tenant_id for row, _ in turns}, "sequences", wake=wake)


def _json(facts: dict[str, Any]) -> str:
    return json.dumps(facts) if facts else "{}"


def _passed(row: Any, entry: Entry, turn: int, execution_id: int, now: datetime) -> tuple[Any, ...]:
    decision = entry.decision
    return (
        execution_id, row.tenant_id, row.id, row.sequence_id, entry.step_id, turn, entry.visit, now, WORD[type(decision)],
        decision.reason.value, _json(decision.facts),
    )  # fmt: skip


def _make_tasks(by_hand: Sequence[tuple[Any, Task | Handoff]], now: datetime) -> None:
    """A manual step, or an enrolment the machine cannot carry on, becomes a task somebody sees."""
    TaskRow.objects.bulk_create(
        TaskRow(
            tenant_id=row.tenant_id,
            enrollment_id=row.id,
            contact_id=row.contact_id,
            title=(decision.title if isinstance(decision, Task) else "A sequence stopped for this person")[:200],
            body=decision.body
            if isinstance(decision, Task)
            else sentence("handoff", decision.reason.value, decision.facts),
            created_at=now,
        )
        for row, decision in by_hand
    )
