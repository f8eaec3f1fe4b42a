"""The provider took it: the message, the touch in the conversation and the person's memory, in one statement.

What sequences.outcome.apply_report, sequences.touches.note_touch and contacts.memory.remember do one after the other, for the
one case that every send goes through. Whichever word about the message comes first writes the touch: the rank, read under
the message's lock, says whether this is it.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from contacts.memory import in_a_line, storable
from omnify.lib import live
from omnify.lib.ids import public_id
from sequences import states
from sequences.statements import run
from sequences.transports.base import Receipt

# message_accepted: what the provider has, it has, in whatever state we had put the message meanwhile.
ACCEPTED = """
WITH old AS (
    SELECT id, status_rank FROM sequences_message WHERE id = %(id)s AND tenant_id = %(tenant)s FOR NO KEY UPDATE
), moved AS (
    UPDATE sequences_message AS m
    SET state = CASE WHEN old.status_rank < %(rank)s THEN %(state)s ELSE m.state END,
        state_at = CASE WHEN old.status_rank < %(rank)s THEN %(now)s ELSE m.state_at END,
        state_reason = CASE WHEN old.status_rank < %(rank)s THEN %(reason)s ELSE m.state_reason END,
        failure_type = CASE WHEN old.status_rank < %(rank)s THEN '' ELSE m.failure_type END,
        error_code = CASE WHEN old.status_rank < %(rank)s THEN '' ELSE m.error_code END,
        error_text = CASE WHEN old.status_rank < %(rank)s THEN '' ELSE m.error_text END,
        permanent = CASE WHEN old.status_rank < %(rank)s THEN NULL ELSE m.permanent END,
        status_rank = greatest(old.status_rank, %(rank)s),
        provider = CASE WHEN m.provider_id = '' THEN %(provider)s ELSE m.provider END,
        provider_id = CASE WHEN m.provider_id = '' THEN %(provider_id)s ELSE m.provider_id END,
        cost = coalesce(%(cost)s, m.cost), segments = coalesce(%(segments)s, m.segments)
    FROM old WHERE m.id = old.id
    RETURNING old.status_rank AS was, m.id, m.tenant_id, m.contact_id, m.enrollment_id, m.step_id, m.estimate
), touch AS (
    INSERT INTO contacts_interaction (
        tenant_id, public_id, contact_id, enrollment_id, step_id, message_id, channel, direction, at, content_subject,
        content_body, content_summary, outcome, sentiment, intent, call_disposition, appointment_booked, objections_raised,
        key_topics, provider_id)
    SELECT tenant_id, %(public_id)s, contact_id, enrollment_id, step_id, id, %(channel)s, 'outbound', %(now)s, %(subject)s,
           %(body)s, '', 'sent', '', '', '', false, '[]', '[]', %(provider_id)s
    FROM moved WHERE was = 0
    RETURNING contact_id, tenant_id
), remembered AS (
    UPDATE contacts_contact AS c
    SET interaction_count = c.interaction_count + 1,
        first_contacted_at = least(coalesce(c.first_contacted_at, %(now)s), %(now)s),
        last_outbound_at = greatest(coalesce(c.last_outbound_at, %(now)s), %(now)s),
        last_interaction_summary = CASE
            WHEN greatest(c.last_inbound_at, c.last_outbound_at) > %(now)s THEN c.last_interaction_summary ELSE %(summary)s END
    FROM touch WHERE c.id = touch.contact_id AND c.tenant_id = touch.tenant_id
    RETURNING c.id
)
SELECT moved.was, moved.estimate,
       CASE WHEN %(hint)s::text <> '' AND remembered.id IS NOT NULL THEN pg_notify(%(to)s, %(hint)s)::text END
FROM moved LEFT JOIN remembered ON true
"""


def accepted(claim: Any, receipt: Receipt, report: states.Report, now: datetime) -> tuple[int, Decimal | None] | None:
    """Writes down that the provider has the message behind this claim. (rank before, estimate); None: there is no such row."""
    message, topic = claim.message, f"contact:{claim.known.contact_public_id}"
    subject, body = storable(message.subject)[:998], storable(message.body)
    row = run(
        ACCEPTED,
        {
            "id": claim.id,
            "tenant": claim.tenant_id,
            "state": report.state,
            "rank": report.rank,
            "reason": receipt.note[:60],
            "now": now,
            "provider": claim.known.provider,
            "provider_id": receipt.provider_id[:120],
            "cost": receipt.cost,
            "segments": receipt.segments,
            "public_id": public_id(),
            "channel": message.channel,
            "subject": subject,
            "body": body,
            "summary": in_a_line(message.channel, "outbound", subject or body),
            "to": live.CHANNEL,
            "hint": "" if settings.REDIS_URL else live.payload(claim.tenant_id, topic),
        },
    ).fetchone()
    if row is None:
        return None
    if settings.REDIS_URL and row[0] == 0:
        live.hint(claim.tenant_id, topic)
    return row[0], row[1]
