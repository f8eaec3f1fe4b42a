"""Taking one message for the wire: its row and its person's row locked, every guard asked, and the claim committed.

Three statements in one short transaction. The person's row is the one an opt-out locks first too: whichever commits first
is seen by the other. Nothing here opens a socket.
"""

import json
import logging
import uuid
from collections import namedtuple
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from contacts.addresses import normalised
from sequences import alarms, states
from sequences.guards import Stop, WireFacts, judge, latest_arrival

# After so many crashes a message waits for a person instead of for the next worker.
MOST_CRASHES = 2
PARKED_FOR = timedelta(minutes=1)

# tenants_with_work: one probe of the index message_by_tenant a tenant, however long the queues are.
TENANTS = """
WITH RECURSIVE waiting AS (
    (SELECT tenant_id FROM sequences_message
     WHERE channel = %(channel)s AND state IN ('ready', 'deferred') ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT m.tenant_id FROM sequences_message AS m
            WHERE m.channel = %(channel)s AND m.state IN ('ready', 'deferred') AND m.tenant_id > waiting.tenant_id
            ORDER BY m.tenant_id LIMIT 1)
    FROM waiting WHERE waiting.tenant_id IS NOT NULL
)
SELECT waiting.tenant_id FROM waiting JOIN tenants_tenant AS t ON t.id = waiting.tenant_id
WHERE t.sending_enabled AND EXISTS (
    SELECT 1 FROM sequences_message AS m
    WHERE m.channel = %(channel)s AND m.tenant_id = waiting.tenant_id AND m.state IN ('ready', 'deferred')
      AND m.not_before <= %(now)s
)
"""

# message_take: the tenant's message longest due. A person somebody else holds just now is passed over, not waited for, so
# this can be part of no deadlock. NO KEY UPDATE: the conversation may go on being written about a locked person.
TAKE = """
SELECT m.id, m.tenant_id, m.public_id, m.enrollment_id, m.contact_id, m.step_id, m.channel, m.purpose, m.sender_id,
       m.to_address, m.subject, m.body, m.expires_at, m.send_window::text, m.attempt, m.crashes
FROM sequences_message AS m
JOIN contacts_contact AS c ON c.id = m.contact_id AND c.tenant_id = m.tenant_id
WHERE m.channel = %(channel)s AND m.tenant_id = %(tenant)s AND m.state IN ('ready', 'deferred') AND m.not_before <= %(now)s
ORDER BY m.not_before
LIMIT 1
FOR NO KEY UPDATE OF m, c SKIP LOCKED
"""

# message_again: the same columns of one unknown message, and what the reconciler needs.
AGAIN = """
SELECT id, tenant_id, public_id, enrollment_id, contact_id, step_id, channel, purpose, sender_id, to_address, subject, body,
       expires_at, send_window::text, attempt, crashes, claim_token, provider, sending_started_at, lookups
FROM sequences_message WHERE id = %(id)s AND tenant_id = %(tenant)s AND state = 'unknown'
"""

# wire_facts: read by a statement of its own, begun after the locks were taken: its snapshot has what was committed until then.
FACTS = """
SELECT t.name AS tenant_name, t.sending_enabled, t.sending_mode, t.timezone, t.business_hours::text, t.postal_address,
       c.deleted_at, c.zones, c.places, c.first_name, c.last_name, company.name AS company,
       e.status AS enrollment_status, e.status_reason AS enrollment_reason, e.needs_human_intervention, q.status AS sequence_status,
       s.id AS sender_id, s.provider, s.address AS sender_address, s.config::text AS sender_config, s.sealed_credentials,
       s.webhook_key, s.simulated, s.paused_until,
       EXISTS (SELECT 1 FROM contacts_suppression AS x
               WHERE x.tenant_id = m.tenant_id AND x.channel = m.channel AND x.lifted_at IS NULL
                 AND x.address IN (m.to_address, %(normalised)s)) AS suppressed,
       ARRAY(SELECT k.kind FROM contacts_consent AS k
             WHERE k.contact_id = m.contact_id AND k.channel = m.channel AND k.revoked_at IS NULL
               AND (k.expires_at IS NULL OR k.expires_at > %(now)s)
               AND k.address IN (m.to_address, %(normalised)s, '')) AS consents,
       (SELECT o.state FROM sequences_message AS o
        WHERE o.contact_id = m.contact_id AND o.state IN ('claimed', 'sending', 'unknown') LIMIT 1) AS in_flight
FROM sequences_message AS m
JOIN tenants_tenant AS t ON t.id = m.tenant_id
JOIN contacts_contact AS c ON c.id = m.contact_id AND c.tenant_id = m.tenant_id
LEFT JOIN contacts_company AS company ON company.id = c.company_id AND company.tenant_id = c.tenant_id
LEFT JOIN sequences_enrollment AS e ON e.id = m.enrollment_id AND e.tenant_id = m.tenant_id
LEFT JOIN sequences_sequence AS q ON q.id = e.sequence_id AND q.tenant_id = e.tenant_id
LEFT JOIN sequences_sender AS s ON s.tenant_id = m.tenant_id AND s.channel = m.channel
     AND (s.id = m.sender_id OR (m.sender_id IS NULL AND s.is_default))
WHERE m.id = %(id)s AND m.tenant_id = %(tenant)s
"""

CLAIM = """
UPDATE sequences_message
SET state = 'claimed', state_reason = '', state_at = %(now)s, claim_token = %(token)s, sending_started_at = NULL,
    sender_id = %(sender)s, provider = %(provider)s, looked_up_at = NULL, lookups = 0
WHERE id = %(id)s AND tenant_id = %(tenant)s
"""

STOP = """
UPDATE sequences_message
SET state = %(state)s, state_reason = %(reason)s, state_at = %(now)s, not_before = coalesce(%(not_before)s, not_before),
    claim_token = NULL
WHERE id = %(id)s AND tenant_id = %(tenant)s
"""

# message_park: a message whose handling raised. It is never sent in that state of knowledge; twice, and a person decides.
PARK = """
UPDATE sequences_message
SET crashes = crashes + 1, state = CASE WHEN crashes + 1 >= %(most)s THEN 'held' ELSE 'deferred' END,
    state_reason = %(reason)s, state_at = %(now)s, not_before = %(later)s, claim_token = NULL
WHERE id = %(id)s AND tenant_id = %(tenant)s AND state IN ('ready', 'deferred', 'claimed')
RETURNING state
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is ours to send, once: its row, what is needed to address it, and the token that proves it."""

    id: int
    tenant_id: int
    public_id: uuid.UUID
    token: uuid.UUID
    message: Any
    known: Any
    facts: WireFacts
    must_arrive_by: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """A message that was taken up and did not pass: its new state and why."""

    id: int
    state: str
    reason: str


def tenants_with_work(channel: str, now: datetime) -> list[int]:
    """Tenants that have a message of this channel due now and have not switched sending off, by id."""
    if not settings.SENDING:
        return []
    with connection.cursor() as cursor:
        cursor.execute(TENANTS, {"channel": channel, "now": now})
        return [tenant_id for (tenant_id,) in cursor.fetchall()]


def claim_one(channel: str, tenant_id: int, now: datetime) -> Claim | Stopped | None:
    """Takes the tenant's message of this channel that is longest due.

    A Claim is committed and may be sent; a Stopped did not pass a guard and carries its new state; None: nothing is due, or
    what is due is locked. Whatever raises on the way means that the message is not sent: it is parked, the others go on.
    """
    taken: Any = None
    try:
        with transaction.atomic():
            taken = _one(TAKE, {"channel": channel, "tenant": tenant_id, "now": now})
            if taken is None:
                return None
            return _decide(taken, now)
    except Exception as error:
        if taken is None:
            raise  # nothing was taken up: this is the database's trouble, not a message's
        logger.exception("Message %s could not be checked; it is not sent.", taken.public_id)
        return park(taken.id, tenant_id, f"guard_failed: {type(error).__name__}", now)


def claim_next(channels: Sequence[str], now: datetime) -> Claim | None:
    """The next message that may be sent on one of these channels, claimed; None when none is due. Fair only to one caller."""
    for channel in channels:
        for tenant_id in tenants_with_work(channel, now):
            found = claim_one(channel, tenant_id, now)
            while isinstance(found, Stopped):
                found = claim_one(channel, tenant_id, now)
            if found is not None:
                return found
    return None


def park(message_id: int, tenant_id: int, reason: str, now: datetime) -> Stopped:
    """Puts a message aside that made its handling crash, before anything was sent: for a minute, then for a person."""
    with transaction.atomic():
        row = _one(
            PARK,
            {
                "id": message_id,
                "tenant": tenant_id,
                "reason": reason[:60],
                "now": now,
                "later": now + PARKED_FOR,
                "most": MOST_CRASHES,
            },
        )
        if row is not None and row.state == states.HELD:
            alarms.held(tenant_id, message_id, reason, now)
    return Stopped(message_id, row.state if row is not None else "", reason)


def reload(message_id: int, tenant_id: int, now: datetime) -> tuple[Any, Any] | None:
    """An unknown message and what is known around it now, as claim_one reads them; None when it was settled meanwhile."""
    message = _one(AGAIN, {"id": message_id, "tenant": tenant_id})
    if message is None:
        return None
    known = _one(
        FACTS, {"id": message_id, "tenant": tenant_id, "now": now, "normalised": normalised(message.to_address)}
    )
    return message, known


def _decide(taken: Any, now: datetime) -> Claim | Stopped:
    known = _one(
        FACTS,
        {"id": taken.id, "tenant": taken.tenant_id, "now": now, "normalised": normalised(taken.to_address)},
    )
    facts = facts_of(taken, known)
    stop = judge(facts, now)
    if stop is not None:
        _stop(taken, stop, now)
        return Stopped(taken.id, stop.state, stop.reason)
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "id": taken.id,
                "tenant": taken.tenant_id,
                "now": now,
                "token": token,
                "sender": known.sender_id,
                "provider": known.provider,
            },
        )
    return Claim(taken.id, taken.tenant_id, taken.public_id, token, taken, known, facts, latest_arrival(facts, now))


def _stop(taken: Any, stop: Stop, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            STOP,
            {
                "id": taken.id,
                "tenant": taken.tenant_id,
                "state": stop.state,
                "reason": stop.reason[:60],
                "now": now,
                "not_before": stop.not_before,
            },
        )


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
    )


def _one(statement: str, parameters: dict[str, Any]) -> Any:
    """The first row as a named tuple, or None."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
        return None if row is None else _row(tuple(column.name for column in cursor.description))(*row)


@cache
def _row(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names)
