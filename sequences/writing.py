"""Writes the turns of one batch: enrolments, receipts and messages, in one statement whatever the batch's size."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from omnify.lib import ids
from sequences.decisions import WORD, Handoff, Send, Task, Turn
from sequences.models import Task as TaskRow

# Ids are given out by the client so that a message can name its receipt without joining one INSERT's rows to another's.
IDS = """
SELECT nextval('sequences_execution_id_seq') AS execution_id, nextval('sequences_message_id_seq') AS message_id FROM generate_series(1, %b)
"""

# turns_write: the rows were locked by claims.due in this transaction, so the update cannot race.
TURNS = """
WITH advanced AS (
    UPDATE sequences_enrollment AS e
    SET status = t.status, status_reason = t.status_reason, step_id = t.step_id, visit = t.visit, waited = t.waited,
        turn = t.turn, next_run_at = t.next_run_at, last_step_at = %(now)s,
        finished_at = CASE WHEN t.status IN ('completed', 'exited') THEN %(now)s ELSE e.finished_at END
    FROM unnest(%(e_id)b::bigint[], %(e_status)b::text[], %(e_reason)b::text[], %(e_step)b::bigint[], %(e_visit)b::int[],
                %(e_waited)b::bool[], %(e_turn)b::int[], %(e_next)b::timestamptz[])
        AS t(id, status, status_reason, step_id, visit, waited, turn, next_run_at)
    WHERE e.id = t.id
), receipts AS (
    INSERT INTO sequences_execution (id, tenant_id, enrollment_id, sequence_id, step_id, turn, visit, at, decision, reason,
                                     channel, facts, next_run_at)
    SELECT r.id, r.tenant_id, r.enrollment_id, r.sequence_id, r.step_id, r.turn, r.visit, %(now)s, r.decision, r.reason,
           r.channel, r.facts::jsonb, r.next_run_at
    FROM unnest(%(r_id)b::bigint[], %(r_tenant)b::bigint[], %(r_enrollment)b::bigint[], %(r_sequence)b::bigint[],
                %(r_step)b::bigint[], %(r_turn)b::int[], %(r_visit)b::int[], %(r_decision)b::text[], %(r_reason)b::text[],
                %(r_channel)b::text[], %(r_facts)b::text[], %(r_next)b::timestamptz[])
        AS r(id, tenant_id, enrollment_id, sequence_id, step_id, turn, visit, decision, reason, channel, facts, next_run_at)
)
INSERT INTO sequences_message (id, tenant_id, public_id, enrollment_id, contact_id, execution_id, step_id, visit, channel,
                               purpose, sender_id, to_address, subject, body, state, state_reason, state_at, created_at,
                               not_before, expires_at, send_window, attempt, crashes, lookups, provider, provider_id,
                               status_rank, failure_type, error_code, error_text)
SELECT m.id, m.tenant_id, m.public_id, m.enrollment_id, m.contact_id, m.execution_id, m.step_id, m.visit, m.channel,
       'marketing', m.sender_id, m.to_address, m.subject, m.body, 'ready', '', %(now)s, %(now)s,
       %(now)s, m.expires_at, m.send_window::jsonb, 0, 0, 0, '', '', 0, '', '', ''
FROM unnest(%(m_id)b::bigint[], %(m_tenant)b::bigint[], %(m_public)b::uuid[], %(m_enrollment)b::bigint[],
            %(m_contact)b::bigint[], %(m_execution)b::bigint[], %(m_step)b::bigint[], %(m_visit)b::int[],
            %(m_channel)b::text[], %(m_sender)b::bigint[], %(m_to)b::text[], %(m_subject)b::text[], %(m_body)b::text[],
            %(m_expires)b::timestamptz[], %(m_window)b::text[])
    AS m(id, tenant_id, public_id, enrollment_id, contact_id, execution_id, step_id, visit, channel, sender_id, to_address,
         subject, body, expires_at, send_window)
"""

# A hint a tenant for open pages, and one wake-up for the dispatchers: delivered when the transaction commits.
ANNOUNCE = """
SELECT pg_notify(channel, payload) FROM unnest(%b::text[], %b::text[]) AS notice(channel, payload)
"""

_ENROLLMENT = ("e_id", "e_status", "e_reason", "e_step", "e_visit", "e_waited", "e_turn", "e_next")
_RECEIPT = (
    "r_id", "r_tenant", "r_enrollment", "r_sequence", "r_step", "r_turn", "r_visit", "r_decision", "r_reason", "r_channel",
    "r_facts", "r_next",
)  # fmt: skip
_MESSAGE = (
    "m_id", "m_tenant", "m_public", "m_enrollment", "m_contact", "m_execution", "m_step", "m_visit", "m_channel", "m_sender",
    "m_to", "m_subject", "m_body", "m_expires", "m_window",
)  # fmt: skip


def write(cursor: Any, turns: Sequence[tuple[Any, Turn]], windows_json: dict[int, str], now: datetime) -> None:
    """Stores these (claimed row, turn) pairs. Two statements; a third where a turn made tasks or handed somebody over."""
    receipts = sum(len(turn.entries) for _, turn in turns)
    given = iter(cursor.execute(IDS, [receipts], binary=True).fetchall())
    enrollment_rows, receipt_rows, message_rows, by_hand = [], [], [], []
    for row, turn in turns:
        number = row.turn
        for entry in turn.entries:
            decision = entry.decision
            number += 1
            execution_id, message_id = next(given)
            channel = ""
            if isinstance(decision, Send):
                channel = decision.channel
                message_rows.append(
                    (
                        message_id, row.tenant_id, ids.public_id(), row.id, row.contact_id, execution_id, entry.step_id,
                        entry.visit, channel, decision.sender_id, decision.to, decision.subject, decision.body,
                        decision.expires_at, windows_json[row.sequence_id],
                    )
                )  # fmt: skip
            elif isinstance(decision, Task | Handoff):
                by_hand.append((row, decision))
            receipt_rows.append(
                (
                    execution_id, row.tenant_id, row.id, row.sequence_id, entry.step_id, number, entry.visit,
                    WORD[type(decision)], decision.reason.value, channel,
                    json.dumps(decision.facts) if decision.facts else "{}", entry.next_run_at,
                )
            )  # fmt: skip
        enrollment_rows.append(
            (
                row.id,
                turn.status,
                str(turn.status_reason),
                turn.step_id,
                turn.visit,
                turn.waited,
                number,
                turn.next_run_at,
            )
        )
    parameters: dict[str, Any] = {"now": now}
    for names, rows in ((_ENROLLMENT, enrollment_rows), (_RECEIPT, receipt_rows), (_MESSAGE, message_rows)):
        columns = zip(*rows, strict=True) if rows else ((),) * len(names)
        parameters.update(zip(names, map(list, columns), strict=True))
    cursor.execute(TURNS, parameters)
    _announce(cursor, {row.tenant_id for row, _ in turns}, sending=bool(message_rows))
    if by_hand:
        _make_tasks(by_hand, now)


def _announce(cursor: Any, tenant_ids: set[int], *, sending: bool) -> None:
    from omnify.lib import live

    notices = [(live.CHANNEL, live.payload(tenant_id, "sequences")) for tenant_id in tenant_ids]
    if sending:
        notices.append(("omnify_wake", "dispatch"))
    cursor.execute(ANNOUNCE, [[channel for channel, _ in notices], [payload for _, payload in notices]])


def _make_tasks(by_hand: Sequence[tuple[Any, Task | Handoff]], now: datetime) -> None:
    """A manual step, or an enrolment the machine cannot carry on, becomes a task somebody sees."""
    from sequences.receipts import sentence

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
