"""Who is due, and is nobody else's just now: the only place that takes the engine's row locks."""

from datetime import UTC, datetime
from typing import Any

from contacts.variables import COLUMNS

# Every column of the contact that a decision or a template may need; ids come first.
_CONTACT = ", ".join(
    f"c.{name}" for name in COLUMNS if name not in {"engagement_score", "sentiment_trend", "custom_fields"}
)

# due_claim: the enrolments longest due, locked for this transaction; those another tick holds are passed over. The partial
# index enrollment_due holds only those that wait for a moment, so the cost does not grow with the table. The advisory lock
# makes one writer a person: two enrolments of one contact are never decided at the same time. Each comes with the ids that its
# receipt and its message will have, so that a message can name its receipt without joining one INSERT's rows to another's.
DUE = f"""
WITH due AS MATERIALIZED (
    SELECT id, tenant_id, sequence_id, version_id, contact_id, step_id, status, status_reason, next_run_at, turn, visit, waited,
           needs_human_intervention, custom_variables
    FROM sequences_enrollment
    WHERE next_run_at BETWEEN %(since)s AND %(now)s
    ORDER BY next_run_at
    LIMIT {{limit:d}}
    FOR UPDATE SKIP LOCKED
)
SELECT due.id, due.tenant_id, due.sequence_id, due.version_id, due.contact_id, due.step_id, due.status, due.status_reason,
       due.next_run_at, due.turn, due.visit, due.waited, due.needs_human_intervention, due.custom_variables::text AS custom_variables,
       c.deleted_at, c.email_valid, c.phone_valid, c.phone_type, c.zones, c.places, c.custom_fields::text AS custom_fields,
       c.sentiment_trend, c.engagement_score, {_CONTACT}, company.name AS company,
       nextval('sequences_execution_id_seq') AS execution_id, nextval('sequences_message_id_seq') AS message_id
FROM due
JOIN contacts_contact AS c ON c.id = due.contact_id AND c.tenant_id = due.tenant_id
LEFT JOIN contacts_company AS company ON company.id = c.company_id AND company.tenant_id = c.tenant_id
WHERE pg_try_advisory_xact_lock(due.contact_id)
"""  # noqa: S608 (column names of ours)


# Before everything: a sweep begins here.
BEGINNING = datetime.min.replace(tzinfo=UTC)


def due(cursor: Any, now: datetime, limit: int, since: datetime = BEGINNING) -> list[Any]:
    """Up to `limit` enrolments due from `since` to `now`, with their contacts' columns, as named tuples, locked until the
    transaction ends.

    A person appears once: a second enrolment of the same contact stays due for the next sweep. `since` spares a sweep the
    entries it left behind: while some transaction is held open elsewhere, vacuum cannot remove them.
    """
    # The limit stands in the text, so that the plan PostgreSQL keeps knows how few rows are wanted.
    cursor.execute(DUE.format(limit=limit), {"since": since, "now": now}, binary=True, prepare=True)
    once: dict[int, Any] = {}
    for row in cursor.fetchall():
        once.setdefault(row.contact_id, row)
    return list(once.values())
