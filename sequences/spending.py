"""What a claim spends, in its own transaction: a sender's tokens, its day, the tenant's money, a line for a call.

Every allowance is spent by one conditional statement, never checked first: no row back means that nothing was left. They
come last in the claim and always in this order, so that claims queue behind each other and never in a ring; what is given
back is given back after everything else, for the same reason. Without an allowance there is no statement.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from sequences import limits, states
from sequences.guards import Stop

# A token is asked for a little after it is there: two floats may disagree about the instant.
ROUNDING = timedelta(milliseconds=1)
LINE_AGAIN = timedelta(seconds=5)

# pace_spend: refills by the time passed and takes one, or nothing. A clock that ran ahead and was set back does not stop
# the sender for as long as it was wrong: more than a minute ahead counts as now.
PACE = """
INSERT INTO sequences_pace AS p (tenant_id, sender_id, tokens, at)
VALUES (%(tenant)s, %(sender)s, %(burst)s::float8 - 1, %(now)s)
ON CONFLICT (sender_id) DO UPDATE
SET tokens = greatest(1, least(%(burst)s, p.tokens + greatest(0, extract(epoch FROM %(now)s - p.at))::float8 * %(rate)s)) - 1,
    at = CASE WHEN p.at > %(now)s + interval '1 minute' THEN %(now)s ELSE greatest(p.at, %(now)s) END
WHERE least(%(burst)s, p.tokens + greatest(0, extract(epoch FROM %(now)s - p.at))::float8 * %(rate)s) >= 1
   OR p.at > %(now)s + interval '1 minute'
RETURNING tokens
"""
PACE_LEFT = "SELECT tokens, at FROM sequences_pace WHERE sender_id = %(sender)s AND tenant_id = %(tenant)s"

# spending_spend: one more of the day's allowance, or no row.
SPEND = """
UPDATE sequences_spending SET used = used + 1, amount = amount + %(amount)s
WHERE tenant_id = %(tenant)s AND scope = %(scope)s AND scope_id = %(scope_id)s AND day = %(day)s
  AND (%(most_used)s::int IS NULL OR used < %(most_used)s)
  AND (%(most_amount)s::numeric IS NULL OR amount + %(amount)s <= %(most_amount)s)
RETURNING used
"""
# spending_open: the day's row, begun with what already left that day: an allowance set at noon counts the morning. What nobody
# knows the price of is counted at about what limits.estimate would have said.
OPEN = """
INSERT INTO sequences_spending (tenant_id, scope, scope_id, day, used, amount)
SELECT %(tenant)s, %(scope)s, %(scope_id)s, %(day)s, count(*), coalesce(sum(coalesce(m.cost, m.estimate,
    CASE WHEN s.config->>'price' ~ '^[0-9]+([.][0-9]+)?$' THEN (s.config->>'price')::numeric
         ELSE (%(prices)s::jsonb->>m.channel)::numeric END
    * CASE m.channel WHEN 'sms' THEN coalesce(m.segments, greatest(1, ceil(char_length(m.body) / 153.0)))
                     WHEN 'voice' THEN %(minutes)s ELSE 1 END)), 0)
FROM sequences_message AS m LEFT JOIN sequences_sender AS s ON s.id = m.sender_id AND s.tenant_id = m.tenant_id
WHERE m.tenant_id = %(tenant)s AND (%(scope)s = 'tenant' OR m.sender_id = %(scope_id)s)
  AND m.created_at >= %(begins)s - interval '1 day'
  AND ((m.sending_started_at >= %(begins)s AND m.state NOT IN ('ready', 'deferred', 'claimed', 'rejected'))
       OR (m.state = 'claimed' AND m.state_at >= %(begins)s AND m.estimate IS NOT NULL))
ON CONFLICT (tenant_id, scope, scope_id, day) DO NOTHING
"""
PRICES = json.dumps({channel: str(price) for channel, price in limits.PRICES.items()})
KNOWN = """
SELECT 1 FROM sequences_spending
WHERE tenant_id = %(tenant)s AND scope = %(scope)s AND scope_id = %(scope_id)s AND day = %(day)s
"""

ANEW = """
DELETE FROM sequences_spending
WHERE tenant_id = %(tenant)s AND scope = %(scope)s AND scope_id = %(scope_id)s AND day = %(day)s
"""

# voice_slot: the sender's row is locked first, so that two claims do not both see the last free line.
LINES = "SELECT 1 FROM sequences_sender WHERE id = %(sender)s AND tenant_id = %(tenant)s FOR NO KEY UPDATE"
SLOT = """
INSERT INTO sequences_voiceslot (tenant_id, sender_id, message_id, taken_at, expires_at)
SELECT %(tenant)s, %(sender)s, %(id)s, %(now)s, %(until)s
WHERE (SELECT count(*) FROM sequences_voiceslot
       WHERE sender_id = %(sender)s AND expires_at > %(now)s AND message_id <> %(id)s) < %(most)s
ON CONFLICT (sender_id, message_id) DO UPDATE SET taken_at = EXCLUDED.taken_at, expires_at = EXCLUDED.expires_at
RETURNING id
"""
FREE = "DELETE FROM sequences_voiceslot WHERE message_id = %(id)s AND tenant_id = %(tenant)s"
# voice_slot_unused: the same, unless another claim has the call in hand by now.
UNUSED = """
DELETE FROM sequences_voiceslot AS v WHERE v.message_id = %(id)s AND v.tenant_id = %(tenant)s AND NOT EXISTS (
    SELECT 1 FROM sequences_message AS m WHERE m.id = v.message_id AND m.tenant_id = v.tenant_id
      AND m.state IN ('claimed', 'sending', 'unknown', 'accepted', 'sent'))
"""
REAP = "DELETE FROM sequences_voiceslot WHERE expires_at <= %(now)s"

# spending_refund: what a message took from a day goes back, once: `estimate` says that it took something. The books are
# locked in the order in which a claim takes them, the sender's before the tenant's.
REFUND = """
WITH back AS (
    SELECT id, tenant_id, sender_id, estimate, (permit->>'day')::date AS day FROM sequences_message
    WHERE id = %(id)s AND tenant_id = %(tenant)s AND estimate IS NOT NULL
      AND (status_rank = 0 OR state = 'cancelled') AND state NOT IN ('claimed', 'sending', 'unknown')
    FOR NO KEY UPDATE
), books AS (
    SELECT s.id, s.tenant_id, back.estimate AS amount
    FROM sequences_spending AS s JOIN back ON s.tenant_id = back.tenant_id AND s.day = back.day
         AND s.scope_id = CASE s.scope WHEN 'sender' THEN back.sender_id ELSE back.tenant_id END
    ORDER BY s.scope FOR NO KEY UPDATE OF s
), cleared AS (
    UPDATE sequences_message AS m SET estimate = NULL FROM back WHERE m.id = back.id
)
UPDATE sequences_spending AS s SET used = greatest(0, s.used - 1), amount = greatest(0, s.amount - books.amount)
FROM books WHERE s.id = books.id AND s.tenant_id = books.tenant_id
"""
# spending_correct: the provider's price takes the place of the estimate.
CORRECT = """
WITH told AS (
    SELECT id, tenant_id, sender_id, cost, estimate, (permit->>'day')::date AS day FROM sequences_message
    WHERE id = %(id)s AND tenant_id = %(tenant)s AND estimate IS NOT NULL AND cost IS NOT NULL AND cost <> estimate
    FOR NO KEY UPDATE
), books AS (
    SELECT s.id, s.tenant_id, told.cost - told.estimate AS more
    FROM sequences_spending AS s JOIN told ON s.tenant_id = told.tenant_id AND s.day = told.day
         AND s.scope_id = CASE s.scope WHEN 'sender' THEN told.sender_id ELSE told.tenant_id END
    ORDER BY s.scope FOR NO KEY UPDATE OF s
), noted AS (
    UPDATE sequences_message AS m SET estimate = told.cost FROM told WHERE m.id = told.id
)
UPDATE sequences_spending AS s SET amount = greatest(0, s.amount + books.more)
FROM books WHERE s.id = books.id AND s.tenant_id = books.tenant_id
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the sender and the tenant of one message may spend, as the claim read it."""

    per_second: float | None
    per_day: int | None
    max_concurrent: int | None
    money_per_day: Decimal | None

    @property
    def any(self) -> bool:
        return not (self.per_second is None and self.max_concurrent is None and not self.daily)

    @property
    def daily(self) -> bool:
        return not (self.per_day is None and self.money_per_day is None)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was taken: the estimate and its day where a day's allowance is kept."""

    estimate: Decimal | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """Nothing is left just now, for no message of this sender: the queue stays in its order until `until`."""

    reason: str
    until: datetime


class _Nothing(Exception):
    def __init__(self, why: Stop | Waits) -> None:
        super().__init__(why.reason)
        self.why = why


def spend(message: Any, known: Any, own: limits.Limits, config: Any, now: datetime) -> Spent | Stop | Waits:
    """Takes everything this message needs, or nothing at all. Run in the claim's transaction, after every guard.

    `message`: the claimed row, with estimate and permit from an earlier claim: a day that was paid for is not paid again.
    `known`: what is true around it, with the sender's allowances and the tenant's zone, whose midnight begins a day.
    """
    allowance = _allowance(known, own)
    sender_id, zone = known.sender_id, known.timezone
    if not allowance.any:
        return Spent()
    try:
        with transaction.atomic():  # a savepoint: what was taken before the one that had nothing left goes back with it
            if allowance.per_second is not None:
                _pace(message, sender_id, allowance.per_second, now)
            if message.channel == "voice" and allowance.max_concurrent is not None:
                _line(message, sender_id, allowance.max_concurrent, now)
            return _day(message, sender_id, allowance, config, zone, now) if allowance.daily else Spent()
    except _Nothing as nothing:
        return nothing.why


def keeps_books(known: Any, own: limits.Limits) -> bool:
    """Whether anything is counted for this message: then spend() locks rows of its sender and its tenant."""
    return _allowance(known, own).any


def refund(message_id: int, tenant_id: int) -> None:
    """Gives back what this message took, if it provably did not leave; a second time changes nothing. The line with it. Not
    while somebody has claimed it anew: then what it took is in use.

    The last statement of its transaction: whoever holds a day's row must not wait for anybody.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(UNUSED, {"id": message_id, "tenant": tenant_id})
        cursor.execute(REFUND, {"id": message_id, "tenant": tenant_id})


def correct(message_id: int, tenant_id: int) -> None:
    """Puts the provider's price in the estimate's place, in a transaction of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CORRECT, {"id": message_id, "tenant": tenant_id})


def hang_up_line(message_id: int, tenant_id: int) -> None:
    """Frees the line of a call that is over; once or often, the same."""
    with connection.cursor() as cursor:
        cursor.execute(FREE, {"id": message_id, "tenant": tenant_id})


def count_anew(tenant_id: int, scope: str, scope_id: int, day: date) -> None:
    """Lets the next claim begin this day's book again, with everything that left: of an allowance that was lifted for a while
    the book does not know what went meanwhile. Senders' before the tenant's, last in its transaction."""
    with connection.cursor() as cursor:
        cursor.execute(ANEW, {"tenant": tenant_id, "scope": scope, "scope_id": scope_id, "day": day})


def reap_lines(now: datetime) -> int:
    """Frees the lines of calls whose end nobody told; returns how many. They count as free from that moment on anyway."""
    with connection.cursor() as cursor:
        cursor.execute(REAP, {"now": now})
        return int(cursor.rowcount)


def _allowance(known: Any, own: limits.Limits) -> Allowance:
    return Allowance(known.per_second, known.per_day, known.max_concurrent, own.money_per_day)


def _pace(message: Any, sender_id: int, rate: float, now: datetime) -> None:
    if rate <= 0:
        raise _Nothing(Waits("cap:sender_second", now + limits.NONE_AT_ALL))
    given = {"tenant": message.tenant_id, "sender": sender_id, "rate": rate, "burst": limits.burst(rate), "now": now}
    if _row(PACE, given) is None:
        tokens, at = _row(PACE_LEFT, given) or (0.0, now)
        raise _Nothing(Waits("cap:sender_second", max(limits.next_token(tokens, at, rate), now) + ROUNDING))


def _line(message: Any, sender_id: int, most: int, now: datetime) -> None:
    given = {"tenant": message.tenant_id, "sender": sender_id, "id": message.id, "most": most, "now": now}
    if most == 0:
        raise _Nothing(Waits("cap:sender_calls", now + limits.NONE_AT_ALL))
    _row(LINES, given)
    if _row(SLOT, given | {"until": now + limits.CALL_OVER_AFTER}) is None:
        raise _Nothing(Waits("cap:sender_calls", now + LINE_AGAIN))


def _day(message: Any, sender_id: int, allowance: Allowance, config: Any, zone: str, now: datetime) -> Spent:
    local = now.astimezone(ZoneInfo(zone))
    day = local.date()
    if message.estimate is not None and json.loads(message.permit or "{}").get("day") == day.isoformat():
        return Spent(message.estimate, day)
    begins = datetime.combine(day, datetime.min.time(), local.tzinfo)
    tomorrow = datetime.combine(day + timedelta(days=1), datetime.min.time(), local.tzinfo)
    amount = limits.estimate(message.channel, message.body, config)
    for cap, scope, scope_id, most_used, most_amount in (
        ("cap:sender_day", "sender", sender_id, allowance.per_day, None),
        ("cap:tenant_money", "tenant", message.tenant_id, None, allowance.money_per_day),
    ):
        if most_used is None and most_amount is None:
            continue
        given = {
            "tenant": message.tenant_id, "scope": scope, "scope_id": scope_id, "day": day, "begins": begins, "amount": amount,
            "most_used": most_used, "most_amount": most_amount, "prices": PRICES, "minutes": limits.CALL_MINUTES,
        }  # fmt: skip
        # 0 is explicit: nothing leaves, also what costs nothing.
        if most_used == 0 or most_amount == 0 or not _take(given):
            raise _Nothing(_until_tomorrow(message, cap, tomorrow, now))
    return Spent(amount, day)


def _take(given: dict[str, Any]) -> bool:
    if _row(SPEND, given) is not None:
        return True
    if _row(KNOWN, given) is not None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(OPEN, given)
    return _row(SPEND, given) is not None


def _until_tomorrow(message: Any, cap: str, tomorrow: datetime, now: datetime) -> Stop:
    if tomorrow >= message.expires_at:
        return Stop(states.EXPIRED, cap)
    return Stop(states.DEFERRED, cap, max(tomorrow, now))


def _row(statement: str, given: dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return cursor.fetchone()
