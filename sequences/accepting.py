"""The provider took it: the message, the touch in the conversation and the person's memory, in one statement for one message or
for many that were taken at the same time.

What sequences.outcome.apply_report, sequences.touches.note_touch and contacts.memory.remember do one after the other, for the
one case that every send goes through. Whichever word about the message comes first writes the touch: the rank, read under
the message's lock, says whether this is it.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from contacts.memory import in_a_line, storable
from omnify.lib import live
from omnify.lib.ids import public_id
from sequences import states
from sequences.columns import Bigints, Ints, Texts, Timestamps, Uuids
from sequences.statements import run
from sequences.transports.base import Receipt

# message_accepted: what the provider has, it has, in whatever state we had put the message meanwhile. The person before the
# message, as everybody locks them. `skip` and `held`: of many, none whose person or message somebody else holds.
_ACCEPTED = """
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(
        %(ids)b, %(tenants)b, %(contacts)b, %(states)b, %(ranks)b, %(reasons)b, %(times)b, %(providers)b, %(provider_ids)b,
        %(costs)s::numeric[], %(segments)b, %(public_ids)b, %(channels)b, %(subjects)b, %(bodies)b, %(summaries)b, %(hints)b
    ) AS g (id, tenant_id, contact_id, state, rank, reason, now, provider, provider_id, cost, segments, public_id, channel, subject, body,
            summary, hint)
), person AS MATERIALIZED (
    SELECT c.id FROM given JOIN contacts_contact AS c ON c.id = given.contact_id AND c.tenant_id = given.tenant_id
    ORDER BY c.id FOR NO KEY UPDATE OF c {skip}
), old AS MATERIALIZED (
    SELECT m.id, m.status_rank FROM given JOIN sequences_message AS m ON m.id = given.id AND m.tenant_id = given.tenant_id
    WHERE {held} FOR NO KEY UPDATE OF m {skip}
), moved AS (
    UPDATE sequences_message AS m
    SET state = CASE WHEN old.status_rank < g.rank THEN g.state ELSE m.state END,
        state_at = CASE WHEN old.status_rank < g.rank THEN g.now ELSE m.state_at END,
        state_reason = CASE WHEN old.status_rank < g.rank THEN g.reason ELSE m.state_reason END,
        failure_type = CASE WHEN old.status_rank < g.rank THEN '' ELSE m.failure_type END,
        error_code = CASE WHEN old.status_rank < g.rank THEN '' ELSE m.error_code END,
        error_text = CASE WHEN old.status_rank < g.rank THEN '' ELSE m.error_text END,
        permanent = CASE WHEN old.status_rank < g.rank THEN NULL ELSE m.permanent END,
        status_rank = greatest(old.status_rank, g.rank),
        provider = CASE WHEN m.provider_id = '' THEN g.provider ELSE m.provider END,
        provider_id = CASE WHEN m.provider_id = '' THEN g.provider_id ELSE m.provider_id END,
        cost = coalesce(g.cost, m.cost), segments = coalesce(g.segments, m.segments)
    FROM old JOIN given AS g ON g.id = old.id WHERE m.id = old.id AND m.tenant_id = g.tenant_id
    RETURNING old.status_rank AS was, m.id, m.tenant_id, m.contact_id, m.enrollment_id, m.step_id, m.estimate
), touch AS (
    INSERT INTO contacts_interaction (
        tenant_id, public_id, contact_id, enrollment_id, step_id, message_id, channel, direction, at, content_subject,
        content_body, content_summary, outcome, sentiment, intent, call_disposition, appointment_booked, objections_raised,
        key_topics, provider_id)
    SELECT moved.tenant_id, g.public_id, moved.contact_id, enrollment_id, step_id, moved.id, g.channel, 'outbound', g.now, g.subject,
           g.body, '', 'sent', '', '', '', false, '[]', '[]', g.provider_id
    FROM moved JOIN given AS g ON g.id = moved.id WHERE was = 0
    RETURNING message_id, contact_id, tenant_id
), remembered AS (
    UPDATE contacts_contact AS c
    SET interaction_count = c.interaction_count + 1,
        first_contacted_at = least(coalesce(c.first_contacted_at, g.now), g.now),
        last_outbound_at = greatest(coalesce(c.last_outbound_at, g.now), g.now),
        last_interaction_summary = CASE
            WHEN greatest(c.last_inbound_at, c.last_outbound_at) > g.now THEN c.last_interaction_summary ELSE g.summary END
    FROM touch JOIN given AS g ON g.id = touch.message_id WHERE c.id = touch.contact_id AND c.tenant_id = touch.tenant_id
    RETURNING touch.message_id AS id
)
SELECT moved.id, moved.was, moved.estimate,
       CASE WHEN g.hint <> '' AND remembered.id IS NOT NULL THEN pg_notify(%(to)s, g.hint)::text END
FROM moved JOIN given AS g ON g.id = moved.id LEFT JOIN remembered ON remembered.id = moved.id
"""
ACCEPTED = _ACCEPTED.format(skip="", held="(SELECT count(*) FROM person) >= 0")
ACCEPTED_ALL = _ACCEPTED.format(skip="SKIP LOCKED", held="given.contact_id IN (SELECT id FROM person)")

# A claim, what the provider said, and when.
Accepted = tuple[Any, Receipt, datetime]


def report_of(claim: Any, receipt: Receipt) -> states.Report:
    """What the provider's word means."""
    return states.report(claim.known.provider, receipt.status) or states.Report(states.ACCEPTED, 10)


def accepted(claim: Any, receipt: Receipt, now: datetime) -> tuple[int, Decimal | None] | None:
    """Writes down that the provider has the message behind this claim. (rank before, estimate); None: there is no such row."""
    return _write(ACCEPTED, [(claim, receipt, now)]).get(claim.id)


def accepted_all(written: Sequence[Accepted]) -> dict[int, Decimal | None]:
    """The same for many messages to different people, in one commit: (estimate) by message id. Who is missing was locked by
    somebody else, or is gone, and is to be written by itself. One row that the database refuses, and nothing is written."""
    return {message_id: estimate for message_id, (_, estimate) in _write(ACCEPTED_ALL, written).items()}


def _write(statement: str, written: Sequence[Accepted]) -> dict[int, tuple[int, Decimal | None]]:
    reports = [report_of(claim, receipt) for claim, receipt, _ in written]
    topics = [f"contact:{claim.known.contact_public_id}" for claim, _, _ in written]
    subjects = [storable(claim.message.subject)[:998] for claim, _, _ in written]
    bodies = [storable(claim.message.body) for claim, _, _ in written]
    channels = [claim.message.channel for claim, _, _ in written]
    given = {
        "ids": Bigints(claim.id for claim, _, _ in written),
        "tenants": Bigints(claim.tenant_id for claim, _, _ in written),
        "contacts": Bigints(claim.message.contact_id for claim, _, _ in written),
        "states": Texts(report.state for report in reports),
        "ranks": Ints(report.rank for report in reports),
        "reasons": Texts(receipt.note[:60] for _, receipt, _ in written),
        "times": Timestamps(now for _, _, now in written),
        "providers": Texts(claim.known.provider for claim, _, _ in written),
        "provider_ids": Texts(receipt.provider_id[:120] for _, receipt, _ in written),
        "costs": [receipt.cost for _, receipt, _ in written],
        "segments": Ints(receipt.segments for _, receipt, _ in written),
        "public_ids": Uuids(public_id().bytes for _ in written),
        "channels": Texts(channels),
        "subjects": Texts(subjects),
        "bodies": Texts(bodies),
        "summaries": Texts(
            in_a_line(channel, "outbound", subject or body)
            for channel, subject, body in zip(channels, subjects, bodies, strict=True)
        ),
        "to": live.CHANNEL,
        "hints": Texts(
            "" if settings.REDIS_URL else live.payload(claim.tenant_id, topic)
            for (claim, _, _), topic in zip(written, topics, strict=True)
        ),
    }
    found = {row[0]: (row[1], row[2]) for row in run(statement, given).fetchall()}
    if settings.REDIS_URL:
        for (claim, _, _), topic in zip(written, topics, strict=True):
            if claim.id in found and found[claim.id][0] == 0:
                live.hint(claim.tenant_id, topic)
    return found
