"""What is true around messages at the wire: one statement, and the plain facts that the guards judge."""

import json
from collections import namedtuple
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from contacts.addresses import normalised
from sequences.columns import Bigints, Texts
from sequences.guards import WireFacts
from sequences.limits import LONGEST, Touch, limits_of
from sequences.statements import run
from sequences.touched import MAY_HAVE_ARRIVED

# wire_facts: read by a statement of its own, begun after the locks were taken: its snapshot has what was committed until then.
# touches: of the last week, counted against the caps: the person's, and what went to their number in another contact's name. The
# law's limits are of the person called, and two contacts with one number may well be one.
SAME_NUMBER = """
    m.channel IN ('sms', 'voice') AND o.channel IN ('sms', 'voice')
    AND o.tenant_id = m.tenant_id AND o.to_address = m.to_address AND o.contact_id <> m.contact_id
"""
FACTS = f"""
SELECT m.id, t.name AS tenant_name, t.sending_enabled, t.sending_mode, t.timezone, t.business_hours::text, t.postal_address,
       c.deleted_at, c.zones, c.places, c.public_id AS contact_public_id, c.first_name, c.last_name, company.name AS company,
       e.status AS enrollment_status, e.status_reason AS enrollment_reason, e.needs_human_intervention, q.status AS sequence_status,
       s.id AS sender_id, s.provider, s.address AS sender_address, s.config::text AS sender_config, s.sealed_credentials,
       s.webhook_key, s.simulated, s.paused_until, s.per_second, s.per_day, s.max_concurrent, t.caps::text,
       (SELECT x.key FROM sequences_switch AS x WHERE x.off AND x.key IN ('all', m.channel) ORDER BY x.key LIMIT 1) AS switched_off,
       coalesce((SELECT max(epoch) FROM sequences_sendepoch), 1) AS epoch,
       EXISTS (SELECT 1 FROM contacts_suppression AS x
               WHERE x.tenant_id = m.tenant_id AND x.channel = m.channel AND x.lifted_at IS NULL
                 AND x.address IN (m.to_address, g.normalised)) AS suppressed,
       ARRAY(SELECT k.kind FROM contacts_consent AS k
             WHERE k.contact_id = m.contact_id AND k.channel = m.channel AND k.revoked_at IS NULL
               AND (k.expires_at IS NULL OR k.expires_at > %(now)s)
               AND k.address IN (m.to_address, g.normalised, '')) AS consents,
       coalesce(
           (SELECT o.state FROM sequences_message AS o
            WHERE o.contact_id = m.contact_id AND o.state IN ('claimed', 'sending', 'unknown') LIMIT 1),
           (SELECT o.state FROM sequences_message AS o
            WHERE {SAME_NUMBER} AND o.state IN ('claimed', 'sending', 'unknown') LIMIT 1)) AS in_flight,
       (SELECT json_agg(json_build_array(o.channel, o.purpose, extract(epoch FROM o.sending_started_at), o.state, o.status_rank))::text
        FROM (SELECT o.* FROM sequences_message AS o
              WHERE o.contact_id = m.contact_id AND o.tenant_id = m.tenant_id AND o.id <> m.id
              UNION ALL
              SELECT o.* FROM sequences_message AS o WHERE {SAME_NUMBER}) AS o
        WHERE o.sending_started_at > %(since)s AND {MAY_HAVE_ARRIVED}) AS touches
FROM unnest(%(ids)b, %(addresses)b) AS g (id, normalised)
JOIN sequences_message AS m ON m.id = g.id
JOIN tenants_tenant AS t ON t.id = m.tenant_id
JOIN contacts_contact AS c ON c.id = m.contact_id AND c.tenant_id = m.tenant_id
LEFT JOIN contacts_company AS company ON company.id = c.company_id AND company.tenant_id = c.tenant_id
LEFT JOIN sequences_enrollment AS e ON e.id = m.enrollment_id AND e.tenant_id = m.tenant_id
LEFT JOIN sequences_sequence AS q ON q.id = e.sequence_id AND q.tenant_id = e.tenant_id
LEFT JOIN sequences_sender AS s ON s.tenant_id = m.tenant_id AND s.channel = m.channel
     AND (s.id = m.sender_id OR (m.sender_id IS NULL AND s.is_default))
WHERE m.tenant_id = %(tenant)s
"""  # noqa: S608 (a condition of ours)

# message_again: the same columns of one unknown message, and what the reconciler needs.
AGAIN = """
SELECT id, tenant_id, public_id, enrollment_id, contact_id, step_id, channel, purpose, sender_id, to_address, subject, body,
       expires_at, send_window::text, attempt, crashes, claim_token, provider, sending_started_at, lookups, account
FROM sequences_message WHERE id = %(id)s AND tenant_id = %(tenant)s AND state = 'unknown'
"""

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


def around(message_id: int, tenant_id: int, to_address: str, now: datetime) -> Any:
    """The row of FACTS for one message. Call it in a statement of its own, after the locks were taken."""
    return _around([(message_id, to_address)], tenant_id, now).get(message_id)


def around_all(taken: Sequence[Any], tenant_id: int, now: datetime) -> dict[int, Any]:
    """The rows of FACTS for these messages of one tenant, by id."""
    return _around([(row.id, row.to_address) for row in taken], tenant_id, now)


def _around(addressed: Sequence[tuple[int, str]], tenant_id: int, now: datetime) -> dict[int, Any]:
    given = {
        "ids": Bigints(message_id for message_id, _ in addressed),
        "addresses": Texts(normalised(address) for _, address in addressed),
        "tenant": tenant_id,
        "now": now,
        "since": now - LONGEST,
    }
    return {row.id: row for row in rows_of(FACTS, run(FACTS, given))}


def reload(message_id: int, tenant_id: int, now: datetime) -> tuple[Any, Any] | None:
    """An unknown message and what is known around it now, as claim_one reads them; None when it was settled meanwhile."""
    message = one(AGAIN, {"id": message_id, "tenant": tenant_id})
    if message is None:
        return None
    return message, around(message_id, tenant_id, message.to_address, now)


def facts_of(taken: Any, known: Any) -> WireFacts:
    """The plain facts of these two rows. A row that lacks what a guard needs raises, and so is not sent."""
    own = json.loads(taken.send_window) if taken.send_window else None
    return WireFacts(
        channel=taken.channel,
        purpose=taken.purpose,
        expires_at=taken.expires_at,
        sending_on=settings.SENDING,
        tenant_enabled=known.sending_enabled,
        tenant_mode=known.sending_mode,
        tenant_zone=known.timezone,
        sequence_status=known.sequence_status or "",
        enrollment_status=known.enrollment_status or "",
        enrollment_reason=known.enrollment_reason or "",
        contact_deleted=known.deleted_at is not None,
        zones=tuple(known.zones),
        places=tuple(known.places or ()),
        window=own or json.loads(known.business_hours),
        suppressed=known.suppressed,
        consents=frozenset(known.consents),
        has_sender=known.sender_id is not None,
        sender_simulated=bool(known.simulated),
        sender_paused_until=known.paused_until,
        in_flight=known.in_flight or "",
        human_hold=bool(known.needs_human_intervention),
        postal_address=bool(known.postal_address.strip()),
        switched_off=known.switched_off or "",
        epoch=known.epoch,
        expected_epoch=settings.SEND_EPOCH,
        limits=limits_of(known.caps),
        touches=_touches(known.touches),
        lot=taken.enrollment_id,
    )


def _touches(text: str | None) -> tuple[Touch, ...]:
    return tuple(
        Touch(channel, purpose, _UNIX + timedelta(seconds=at), state, rank)
        for channel, purpose, at, state, rank in json.loads(text or "[]")
    )


def one(statement: str, parameters: dict[str, Any]) -> Any:
    """The first row as a named tuple, or None. `statement` is one of ours: its columns are looked at once."""
    return next(iter(rows_of(statement, run(statement, parameters))), None)


def rows_of(statement: str, cursor: Any) -> list[Any]:
    """What the cursor brought for this statement of ours, as named tuples."""
    rows = cursor.fetchall()
    if rows and statement not in _rows:
        _rows[statement] = namedtuple("Row", [column.name for column in cursor.description or ()])
    return [_rows[statement](*row) for row in rows]


_rows: dict[str, Any] = {}
