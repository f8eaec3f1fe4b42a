"""What retention removes of messages and of providers' raw reports. See omnify.tenants.clearing and contacts.clearing.

A message keeps its address, times, state, provider's id, permit and receipt: that it was sent, and why it was allowed. The database
lets its words go only when the workspace's term is over and nothing more is to be done with it (migration 0018).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from contacts.clearing import erased
from omnify.tenants.clearing import Cleared, sweep
from omnify.tenants.retention import Term
from sequences.models.message import OVER, EventState

MESSAGES, ERASED, REPORTS = "messages", "erased messages", "reports"

_SPAN = "tenant_id = ANY(%(tenants)s) AND created_at < %(upto)s AND (%(after)s::timestamptz IS NULL OR created_at >= %(after)s)"
_WORDY = "(body <> '' OR subject <> '')"
# messages_by_age: walks a span of the index message_by_day. Whoever holds a row just now is not waited for.
BY_AGE = f"""
WITH old AS (
    SELECT id FROM sequences_message WHERE {_SPAN} AND {_WORDY} AND state = ANY(%(over)s) FOR NO KEY UPDATE SKIP LOCKED
), gone AS (
    UPDATE sequences_message AS m SET body = '', subject = '' FROM old WHERE m.id = old.id RETURNING m.tenant_id
)
SELECT tenant_id, count(*) FROM gone GROUP BY tenant_id
"""  # noqa: S608 (our own constants)
LEFT = f"SELECT tenant_id, min(created_at) FROM sequences_message WHERE {_SPAN} AND {_WORDY} GROUP BY tenant_id"  # noqa: S608
# messages_of: everything of these people, their tasks, and what was kept with their enrolments.
BY_PERSON = f"""
WITH enrolled AS (
    UPDATE sequences_enrollment SET custom_variables = NULL, objections_detected = NULL
    WHERE tenant_id = ANY(%(tenants)s) AND contact_id = ANY(%(contacts)s)
      AND (custom_variables IS NOT NULL OR objections_detected IS NOT NULL)
), tasks AS (
    UPDATE sequences_task SET title = 'Removed with the contact', body = ''
    WHERE tenant_id = ANY(%(tenants)s) AND contact_id = ANY(%(contacts)s)
      AND (body <> '' OR title <> 'Removed with the contact')
), old AS (
    SELECT id FROM sequences_message
    WHERE tenant_id = ANY(%(tenants)s) AND contact_id = ANY(%(contacts)s) AND {_WORDY} AND state = ANY(%(over)s)
    FOR NO KEY UPDATE SKIP LOCKED
), gone AS (
    UPDATE sequences_message AS m SET body = '', subject = '' FROM old WHERE m.id = old.id RETURNING m.tenant_id
)
SELECT tenant_id, count(*) FROM gone GROUP BY tenant_id
"""  # noqa: S608
LEFT_OF = f"SELECT DISTINCT contact_id FROM sequences_message WHERE contact_id = ANY(%(contacts)s) AND {_WORDY}"  # noqa: S608
# reports_by_age: by when they were applied, so that one parked for a year and then decided is kept as long as any other.
REPORTS_GONE = """
WITH gone AS (
    UPDATE sequences_providerevent SET body = '', headers = '{}'
    WHERE tenant_id = ANY(%(tenants)s) AND state = %(done)s AND body <> ''
      AND applied_at < %(upto)s AND (%(after)s::timestamptz IS NULL OR applied_at >= %(after)s)
    RETURNING tenant_id
)
SELECT tenant_id, count(*) FROM gone GROUP BY tenant_id
"""


def clear() -> int:
    """Everything of this floor that is over its term; returns how many rows lost their words."""
    return (
        sweep(MESSAGES, Term.WORDS, _by_age) + sweep(ERASED, Term.ERASED, _erased) + sweep(REPORTS, Term.RAW, _reports)
    )


def _by_age(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    span = {"tenants": list(tenants), "after": after, "upto": upto, "over": list(OVER)}
    return Cleared(dict(_run(BY_AGE, span)), dict(_run(LEFT, span)))


def _erased(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    gone = erased(tenants, after, upto)
    if not gone:
        return Cleared({})
    whose = {"tenants": list(tenants), "contacts": list(gone), "over": list(OVER)}
    rows, left = dict(_run(BY_PERSON, whose)), dict[int, datetime]()
    for (contact_id,) in _run(LEFT_OF, whose):
        tenant_id, at = gone[contact_id]
        left[tenant_id] = min(at, left.get(tenant_id, at))
    return Cleared(rows, left)


def _reports(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    span = {"tenants": list(tenants), "after": after, "upto": upto, "done": EventState.DONE}
    return Cleared(dict(_run(REPORTS_GONE, span)))


def _run(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
