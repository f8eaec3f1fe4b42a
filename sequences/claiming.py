"""Taking one message for the wire: its row and its person's row locked, every guard asked, and the claim committed.

Three statements in one short transaction, and one more for each allowance that is kept. The person's row is the one an
opt-out locks first too: whichever commits first is seen by the other. Nothing here opens a socket.
"""

import json
import logging
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from sequences import alarms, epochs, states
from sequences.addressing import fingerprint_of
from sequences.guards import Stop, WireFacts, judge, latest_arrival, verdict_of
from sequences.limits import caps_for
from sequences.spending import Spent, Waits, refund, spend
from sequences.statements import run
from sequences.transports.base import Refused
from sequences.wirefacts import around, facts_of, one

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
WHERE t.sending_enabled
  AND NOT EXISTS (SELECT 1 FROM sequences_switch WHERE off AND key IN ('all', %(channel)s))
  AND coalesce((SELECT max(epoch) FROM sequences_sendepoch), 1) = %(epoch)s
  AND EXISTS (
    SELECT 1 FROM sequences_message AS m
    WHERE m.channel = %(channel)s AND m.tenant_id = waiting.tenant_id AND m.state IN ('ready', 'deferred')
      AND m.not_before <= %(now)s
)
"""

# message_take: the tenant's message longest due. A person somebody else holds just now is passed over, not waited for, so
# this can be part of no deadlock. NO KEY UPDATE: the conversation may go on being written about a locked person. `free`:
# nobody is just forbidding this address, nor many of the tenant's at once (the keys of contacts.locks.lock_addresses);
# whoever wants to now waits for this claim. `gate`: whoever stops sending waits for it too (omnify.lib.gate), and a claim
# that comes later reads what was switched. `skip`: senders of which nothing may leave just now; 0 is the default one.
# `lazy`: a claim that a crash forgets never happened, for nothing was sent; and the commit of `sending`, which waits for the
# disk before the socket opens, brings everything before it to the disk too.
TAKE = """
SELECT m.id, m.tenant_id, m.public_id, m.enrollment_id, m.contact_id, m.step_id, m.channel, m.purpose, m.sender_id,
       m.to_address, m.subject, m.body, m.expires_at, m.send_window::text, m.attempt, m.crashes,
       m.estimate, m.permit::text, pg_advisory_xact_lock_shared(-2) AS gate,
       set_config('synchronous_commit', 'off', true) AS lazy,
       pg_try_advisory_xact_lock_shared(7301, hashtext(m.tenant_id::text))
       AND pg_try_advisory_xact_lock_shared(7301, hashtext(m.tenant_id || ':' || lower(m.to_address))) AS free
FROM sequences_message AS m
JOIN contacts_contact AS c ON c.id = m.contact_id AND c.tenant_id = m.tenant_id
WHERE m.channel = %(channel)s AND m.tenant_id = %(tenant)s AND m.state IN ('ready', 'deferred') AND m.not_before <= %(now)s
  AND coalesce(m.sender_id, 0) <> ALL(%(skip)s::bigint[])
ORDER BY m.not_before
LIMIT 1
FOR NO KEY UPDATE OF m, c SKIP LOCKED
"""

# message_again: the same columns of one unknown message, and what the reconciler needs.
AGAIN = """
SELECT id, tenant_id, public_id, enrollment_id, contact_id, step_id, channel, purpose, sender_id, to_address, subject, body,
       expires_at, send_window::text, attempt, crashes, claim_token, provider, sending_started_at, lookups, account
FROM sequences_message WHERE id = %(id)s AND tenant_id = %(tenant)s AND state = 'unknown'
"""

CLAIM = """
UPDATE sequences_message
SET state = 'claimed', state_reason = '', state_at = %(now)s, claim_token = %(token)s, sending_started_at = NULL,
    sender_id = %(sender)s, provider = %(provider)s, looked_up_at = NULL, lookups = 0,
    permit = %(permit)s::jsonb, estimate = %(estimate)s, account = %(account)s
WHERE id = %(id)s AND tenant_id = %(tenant)s
"""

# message_waits: its place in the queue stays; only why it waits is written, once.
WAITS = """
UPDATE sequences_message SET state_reason = %(reason)s
WHERE id = %(id)s AND tenant_id = %(tenant)s AND state_reason <> %(reason)s
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


@dataclass(frozen=True, slots=True)
class Paced:
    """Of this sender nothing may leave before `until` (0: the channel's default one); its messages keep their places."""

    sender_id: int
    reason: str
    until: datetime


def tenants_with_work(channel: str, now: datetime) -> list[int]:
    """Tenants that have a message of this channel due now and may send it, by id: nobody, while a switch is off or the
    database is of another epoch. Their messages stay as they are."""
    if not settings.SENDING:
        return []
    given = {"channel": channel, "now": now, "epoch": settings.SEND_EPOCH}
    found = [tenant_id for (tenant_id,) in run(TENANTS, given).fetchall()]
    if not found:
        epochs.say_if_frozen(now)
    return found


def claim_one(
    channel: str, tenant_id: int, now: datetime, skip: Collection[int] = ()
) -> Claim | Stopped | Paced | None:
    """Takes the tenant's message of this channel that is longest due, of any sender but those in `skip`.

    A Claim is committed and may be sent; a Stopped did not pass a guard and carries its new state; Paced: its sender has to
    wait, others may go on; None: nothing is due, or what is due is locked, or the database is frozen. Whatever raises on
    the way means that the message is not sent: it is parked, the others go on.
    """
    taken: Any = None
    try:
        with transaction.atomic():
            taken = one(TAKE, {"channel": channel, "tenant": tenant_id, "now": now, "skip": list(skip)})
            if taken is None or not taken.free:
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
            skip: set[int] = set()
            found = claim_one(channel, tenant_id, now)
            while isinstance(found, Stopped | Paced):
                if isinstance(found, Paced):
                    skip.add(found.sender_id)
                found = claim_one(channel, tenant_id, now, skip)
            if found is not None:
                return found
    return None


def park(message_id: int, tenant_id: int, reason: str, now: datetime) -> Stopped:
    """Puts a message aside that made its handling crash, before anything was sent: for a minute, then for a person."""
    with transaction.atomic():
        row = one(
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
        refund(message_id, tenant_id)
    return Stopped(message_id, row.state if row is not None else "", reason)


def reload(message_id: int, tenant_id: int, now: datetime) -> tuple[Any, Any] | None:
    """An unknown message and what is known around it now, as claim_one reads them; None when it was settled meanwhile."""
    message = one(AGAIN, {"id": message_id, "tenant": tenant_id})
    if message is None:
        return None
    return message, around(message_id, tenant_id, message.to_address, now)


def _decide(taken: Any, now: datetime) -> Claim | Stopped | Paced | None:
    known = around(taken.id, taken.tenant_id, taken.to_address, now)
    if known.epoch != settings.SEND_EPOCH:
        return None  # frozen as it is: nothing about it is written
    facts = facts_of(taken, known)
    stop = judge(facts, now)
    if stop is not None:
        return _stop(taken, stop, now)
    config = json.loads(known.sender_config)
    spent = spend(taken, known, facts.limits, config, now)
    if isinstance(spent, Stop):
        return _stop(taken, spent, now)
    if isinstance(spent, Waits):
        run(WAITS, {"id": taken.id, "tenant": taken.tenant_id, "reason": spent.reason})
        return Paced(taken.sender_id or 0, spent.reason, spent.until)
    token, arrives_by = uuid.uuid4(), latest_arrival(facts, now)
    run(
        CLAIM,
        {
            "id": taken.id,
            "tenant": taken.tenant_id,
            "now": now,
            "token": token,
            "sender": known.sender_id,
            "provider": known.provider,
            "permit": permit(facts, spent, arrives_by, now),
            "estimate": spent.estimate,
            "account": _account(known, taken.tenant_id),
        },
    )
    return Claim(taken.id, taken.tenant_id, taken.public_id, token, taken, known, facts, arrives_by)


def permit(facts: WireFacts, spent: Spent, arrives_by: datetime, now: datetime) -> str:
    """Why it was let through, as Message.permit keeps it: rules asked, consents and places known, until when, which epoch,
    and the day it was paid for where a day's allowance is kept."""
    rules = [*verdict_of(facts, now).rule_ids]
    if facts.marketing:
        rules += [cap.id for cap in caps_for(facts.limits, facts.places, facts.channel, now)]
    kept: dict[str, Any] = {
        "rules": rules,
        "until": arrives_by.isoformat(),
        "consents": sorted(facts.consents),
        "places": list(facts.places),
        "epoch": facts.epoch,
    }
    if spent.day is not None:
        kept["day"] = spent.day.isoformat()
    return json.dumps(kept)


def _account(known: Any, tenant_id: int) -> str:
    """Which account it leaves from; "" where the secrets cannot be opened, which deliver() will say."""
    try:
        return fingerprint_of(known, tenant_id)
    except Refused:
        return ""


def _stop(taken: Any, stop: Stop, now: datetime) -> Stopped:
    run(
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
    if taken.estimate is not None:
        refund(taken.id, taken.tenant_id)
    return Stopped(taken.id, stop.state, stop.reason)
