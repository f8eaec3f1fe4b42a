"""Taking messages for the wire: their rows and their persons' rows locked, every guard asked, and the claims committed.

Four statements in one short transaction, for one message or for a handful of them, and some more for each allowance that is
kept. The person's row is the one an opt-out locks first too: whichever commits first is seen by the other. What is locked is
passed over, never waited for. Nothing here opens a socket.
"""

import json
import logging
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction

from sequences.addressing import fingerprint_of
from sequences.aside import park
from sequences.columns import Bigints, Texts, Timestamps, Uuids
from sequences.guards import Stop, WireFacts, judge, latest_arrival
from sequences.permits import permit
from sequences.spending import Spent, Waits, keeps_books, refund, spend
from sequences.statements import run
from sequences.taking import alone, chosen, take
from sequences.transports.base import Refused
from sequences.turns import tenants_with_work
from sequences.wirefacts import around_all, facts_of

__all__ = [
    "Batch", "Claim", "Paced", "Stopped", "claim_next", "claim_one", "claim_some", "tenants_with_work",
]  # fmt: skip

# message_claim: of rows that are locked already, so it waits for nobody.
CLAIM = """
UPDATE sequences_message AS m
SET state = 'claimed', state_reason = '', state_at = %(now)s, claim_token = g.token, sending_started_at = NULL,
    sender_id = g.sender, provider = g.provider, looked_up_at = NULL, lookups = 0,
    permit = g.permit::jsonb, estimate = g.estimate, account = g.account
FROM unnest(%(ids)b, %(tokens)b, %(senders)b, %(providers)b, %(permits)b, %(estimates)s::numeric[], %(accounts)b)
     AS g (id, token, sender, provider, permit, estimate, account)
WHERE m.id = g.id AND m.tenant_id = %(tenant)s
"""

# message_waits: its place in the queue stays; only why it waits is written, once.
WAITS = """
UPDATE sequences_message SET state_reason = %(reason)s
WHERE id = %(id)s AND tenant_id = %(tenant)s AND state_reason <> %(reason)s
"""

STOP = """
UPDATE sequences_message AS m
SET state = g.state, state_reason = g.reason, state_at = %(now)s, not_before = coalesce(g.not_before, m.not_before),
    claim_token = NULL
FROM unnest(%(ids)b, %(states)b, %(reasons)b, %(later)b) AS g (id, state, reason, not_before)
WHERE m.id = g.id AND m.tenant_id = %(tenant)s
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


@dataclass(slots=True)
class Batch:
    """What one look at a tenant's queue brought. Without any of the three there was nothing to take."""

    claims: list[Claim] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)
    paced: list[Paced] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.claims or self.stopped or self.paced)

    def add(self, other: "Batch") -> None:
        self.claims += other.claims
        self.stopped += other.stopped
        self.paced += other.paced


def claim_one(
    channel: str, tenant_id: int, now: datetime, skip: Collection[int] = ()
) -> Claim | Stopped | Paced | None:
    """Takes the tenant's message of this channel that is longest due, of any sender but those in `skip`.

    A Claim is committed and may be sent; a Stopped did not pass a guard and carries its new state; Paced: its sender has to
    wait, others may go on; None: nothing is due, or what is due is locked, or the database is frozen. Whatever raises on
    the way means that the message is not sent: it is parked, the others go on.
    """
    found = claim_some(channel, tenant_id, now, skip, most=1)
    every: list[Claim | Stopped | Paced] = [*found.claims, *found.stopped, *found.paced]
    return every[0] if every else None


def claim_some(channel: str, tenant_id: int, now: datetime, skip: Collection[int] = (), *, most: int) -> Batch:
    """The same for as many messages as can be sent at once, longest due first, one a person, in one transaction.

    Take no more than there are threads to send them with: a claim is made just before its request. Where the database
    refuses the whole (one bad row would spoil the others), they are taken one by one, and the culprit alone is parked.
    """
    taken: list[Any] = []
    broken: list[tuple[Any, str]] = []
    try:
        with transaction.atomic():
            taken = alone(chosen(take(channel, tenant_id, now, skip, most)), tenant_id)
            batch = _decide(taken, tenant_id, now, broken) if taken else Batch()
    except Exception as error:
        if not taken:
            raise  # nothing was taken up: this is the database's trouble, not a message's
        if len(taken) > 1:
            logger.warning(
                "Of %d messages one could not be claimed (%s); one by one.", len(taken), type(error).__name__
            )
            return _one_by_one(channel, tenant_id, now, skip, len(taken))
        logger.exception("Message %s could not be checked; it is not sent.", taken[0].public_id)
        batch, broken = Batch(), [(taken[0], type(error).__name__)]
    for row, kind in broken:
        reason = f"guard_failed: {kind}"
        batch.stopped.append(Stopped(row.id, park(row.id, tenant_id, reason, now), reason))
    return batch


def _one_by_one(channel: str, tenant_id: int, now: datetime, skip: Collection[int], count: int) -> Batch:
    batch, skipped = Batch(), set(skip)
    try:
        for _ in range(count):
            found = claim_some(channel, tenant_id, now, skipped, most=1)
            if not found:
                break
            batch.add(found)
            skipped |= {each.sender_id for each in found.paced}
    except DatabaseError:
        if not batch:
            raise
        logger.exception("The database was lost between two claims; those that are made are sent.")
    return batch


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


def _decide(taken: Sequence[Any], tenant_id: int, now: datetime, broken: list[tuple[Any, str]]) -> Batch:
    """Asks every guard about every row and writes what follows. `broken`: those whose guards raised are added to it."""
    known = around_all(taken, tenant_id, now)
    if any(each.epoch != settings.SEND_EPOCH for each in known.values()):
        return Batch()  # frozen as it is: nothing about it is written
    batch, passed = Batch(), []
    stops: list[tuple[Any, Stop]] = []
    for row in taken:
        try:
            facts = facts_of(row, known[row.id])
            stop = judge(facts, now)
        except Exception as error:
            logger.exception("Message %s could not be checked; it is not sent.", row.public_id)
            broken.append((row, type(error).__name__))
            continue
        if stop is None:
            passed.append((row, known[row.id], facts))
        else:
            stops.append((row, stop))
    spent = _spend(passed, batch, stops, now)
    if stops:
        _stop(stops, tenant_id, now)
        batch.stopped += [Stopped(row.id, stop.state, stop.reason) for row, stop in stops]
    if spent:
        batch.claims = _claim(spent, tenant_id, now)
    # Last: whoever holds a day's books waits for nobody. Only a row that is alone has been paid for before.
    for row, _ in stops:
        if row.estimate is not None:
            refund(row.id, tenant_id)
    return batch


def _spend(
    passed: list[tuple[Any, Any, WireFacts]], batch: Batch, stops: list[tuple[Any, Stop]], now: datetime
) -> list[tuple[Any, Any, WireFacts, Spent]]:
    """Spends for those that passed; returns those for which there was enough.

    One sender's books a batch: two workers that want those of two senders in turns would wait for each other in a ring. The
    others keep their places.
    """
    enough = []
    books: int | None = None
    waiting: set[int] = set()
    for row, known, facts in passed:
        if known.sender_id in waiting:
            continue
        if not keeps_books(known, facts.limits):
            enough.append((row, known, facts, Spent()))
            continue
        if books not in (None, known.sender_id):
            continue
        books = known.sender_id
        spent = spend(row, known, facts.limits, json.loads(known.sender_config), now)
        if isinstance(spent, Stop):
            stops.append((row, spent))
        elif isinstance(spent, Waits):
            waiting.add(known.sender_id)
            run(WAITS, {"id": row.id, "tenant": row.tenant_id, "reason": spent.reason})
            batch.paced.append(Paced(row.sender_id or 0, spent.reason, spent.until))
        else:
            enough.append((row, known, facts, spent))
    return enough


def _claim(enough: list[tuple[Any, Any, WireFacts, Spent]], tenant_id: int, now: datetime) -> list[Claim]:
    claims = [
        Claim(row.id, tenant_id, row.public_id, uuid.uuid4(), row, known, facts, latest_arrival(facts, now))
        for row, known, facts, _ in enough
    ]
    spent = [each[3] for each in enough]
    senders = {each.known.sender_id: each.known for each in claims}
    accounts = {sender_id: _account(known, tenant_id) for sender_id, known in senders.items()}
    run(
        CLAIM,
        {
            "tenant": tenant_id,
            "now": now,
            "ids": Bigints(each.id for each in claims),
            "tokens": Uuids(each.token.bytes for each in claims),
            "senders": Bigints(each.known.sender_id for each in claims),
            "providers": Texts(each.known.provider for each in claims),
            "permits": Texts(
                permit(each.facts, paid, each.must_arrive_by, now) for each, paid in zip(claims, spent, strict=True)
            ),
            "estimates": [paid.estimate for paid in spent],
            "accounts": Texts(accounts[each.known.sender_id] for each in claims),
        },
    )
    return claims


def _account(known: Any, tenant_id: int) -> str:
    """Which account it leaves from; "" where the secrets cannot be opened, which deliver() will say."""
    try:
        return fingerprint_of(known, tenant_id)
    except Refused:
        return ""


def _stop(stops: list[tuple[Any, Stop]], tenant_id: int, now: datetime) -> None:
    run(
        STOP,
        {
            "tenant": tenant_id,
            "now": now,
            "ids": Bigints(row.id for row, _ in stops),
            "states": Texts(stop.state for _, stop in stops),
            "reasons": Texts(stop.reason[:60] for _, stop in stops),
            "later": Timestamps(stop.not_before for _, stop in stops),
        },
    )
