"""What retention removes of messages and of providers' raw reports. See omnify.tenants.clearing and contacts.clearing.

A message keeps its address, times, state, provider's id, permit and receipt: that it was sent, and why it was allowed. The database
lets its words go only when the workspace's term is over and nothing more is to be done with it (migration 0018).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from contacts.clearing import erased, of_people
from omnify.tenants.clearing import AT_ONCE, SECONDS, Cleared, rows_of, sweep
from omnify.tenants.retention import Term
from sequences.models.message import OVER, WAITING, EventState

MESSAGES, ERASED, REPORTS, PARKED = "messages", "erased messages", "reports", "parked reports"

_SPAN = "tenant_id = ANY(%(tenants)s) AND created_at < %(upto)s AND (%(after)s::timestamptz IS NULL OR created_at >= %(after)s)"
_WORDY = "(body <> '' OR subject <> '')"
# What waits for its turn although its time was over long ago (sending was switched off, a sequence rests) is not sent any more,
# whatever is switched on again.
_FORGOTTEN = "(state = ANY(%(waiting)s) AND expires_at < now() - interval '24 hours')"
_MAY_GO = f"{_WORDY} AND (state = ANY(%(over)s) OR {_FORGOTTEN})"
# messages_of_age: walks a span of the index message_by_day. Whoever holds a row just now is not waited for.
OF_AGE = f"""
SELECT id, created_at FROM sequences_message WHERE {_SPAN} AND {_MAY_GO} ORDER BY created_at LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608 (our own constants)
OF_AGE_LEFT = f"SELECT tenant_id, min(created_at) FROM sequences_message WHERE {_SPAN} AND {_WORDY} GROUP BY tenant_id"  # noqa: S608
OF_PEOPLE = f"""
SELECT id FROM sequences_message WHERE contact_id = ANY(%(contacts)s) AND {_MAY_GO} LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608
OF_PEOPLE_LEFT = f"SELECT DISTINCT contact_id FROM sequences_message WHERE contact_id = ANY(%(contacts)s) AND {_WORDY}"  # noqa: S608
# wordless: by their ids, which we hold.
WORDLESS = """
WITH gone AS (
    UPDATE sequences_message SET body = '', subject = '',
        state_reason = CASE WHEN state = ANY(%(waiting)s) THEN 'expired' ELSE state_reason END,
        state_at = CASE WHEN state = ANY(%(waiting)s) THEN now() ELSE state_at END,
        state = CASE WHEN state = ANY(%(waiting)s) THEN 'expired' ELSE state END
    WHERE id = ANY(%(ids)s) RETURNING tenant_id
)
SELECT tenant_id, count(*) FROM gone GROUP BY tenant_id
"""
# What was kept with their enrolments, and the tasks about them.
BESIDES = """
WITH enrolled AS (
    UPDATE sequences_enrollment SET custom_variables = NULL, objections_detected = NULL
    WHERE contact_id = ANY(%(contacts)s) AND (custom_variables IS NOT NULL OR objections_detected IS NOT NULL)
)
UPDATE sequences_task SET title = 'Removed with the contact', body = ''
WHERE contact_id = ANY(%(contacts)s) AND (body <> '' OR title <> 'Removed with the contact')
"""
# reports_of_age: by when they were applied or parked, so that one parked for a year and then decided is kept as long as any other.
REPORTS_OF_AGE = """
SELECT id, applied_at FROM sequences_providerevent
WHERE tenant_id = ANY(%(tenants)s) AND state = %(state)s AND (body <> '' OR problem <> '')
  AND applied_at < %(upto)s AND (%(after)s::timestamptz IS NULL OR applied_at >= %(after)s)
ORDER BY applied_at LIMIT %(most)s
"""
# A report that was parked so long is not tried again: nobody knows its words any more.
REPORTS_WORDLESS = """
WITH gone AS (
    UPDATE sequences_providerevent SET body = '', headers = '{}', state = 'done',
        problem = CASE WHEN state = 'parked' THEN 'Its words are no longer kept.' ELSE '' END
    WHERE id = ANY(%(ids)s) AND state = %(state)s RETURNING tenant_id
)
SELECT tenant_id, count(*) FROM gone GROUP BY tenant_id
"""


def clear(*, seconds: float = SECONDS) -> int:
    """Everything of this floor that is over its term, for so long a kind; returns how many rows lost their words."""
    return (
        sweep(MESSAGES, Term.WORDS, _by_age, seconds=seconds)
        + sweep(ERASED, Term.ERASED, _erased, seconds=seconds)
        + sweep(REPORTS, Term.RAW, _reports, seconds=seconds)
        + sweep(PARKED, Term.WORDS, _parked, seconds=seconds)
    )


def _by_age(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    span = {"tenants": list(tenants), "after": after, "upto": upto}
    found = rows_of(OF_AGE, {**span, **STATES, "most": AT_ONCE})
    reached = found[-1][1] if len(found) == AT_ONCE else None
    return Cleared(_wordless(found), dict(rows_of(OF_AGE_LEFT, {**span, "upto": reached or upto})), reached)


def _erased(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    gone, reached = erased(tenants, after, upto)
    if not gone:
        return Cleared({})
    whose: dict[str, Any] = {"contacts": list(gone), **STATES}
    with connection.cursor() as cursor:
        cursor.execute(BESIDES, whose)
    found = rows_of(OF_PEOPLE, {**whose, "most": AT_ONCE})
    return of_people(gone, reached, _wordless(found), rows_of(OF_PEOPLE_LEFT, whose), full=len(found) == AT_ONCE)


def _reports(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    return _reports_in(EventState.DONE, tenants, after, upto)


def _parked(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    return _reports_in(EventState.PARKED, tenants, after, upto)


def _reports_in(state: str, tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    span = {"tenants": list(tenants), "after": after, "upto": upto, "state": state}
    found = rows_of(REPORTS_OF_AGE, {**span, "most": AT_ONCE})
    rows = dict(rows_of(REPORTS_WORDLESS, {"ids": [row[0] for row in found], "state": state})) if found else {}
    return Cleared(rows, reached=found[-1][1] if len(found) == AT_ONCE else None)


STATES = {"over": list(OVER), "waiting": list(WAITING)}


def _wordless(found: list[tuple[Any, ...]]) -> dict[int, int]:
    return dict(rows_of(WORDLESS, {"ids": [row[0] for row in found], **STATES})) if found else {}
