"""How much may leave: a person's caps, a sender's pace, what a message will cost. Pure: the spending itself is in
sequences.spending, the counting in the claim.

Everywhere an allowance that is missing or null is no limit of ours, and 0 means that nothing may leave.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from sequences import law, segments

CHANNELS = ("sms", "email", "voice")
EVERY = "all"
PERIODS: Mapping[str, timedelta] = {"day": timedelta(hours=24), "week": timedelta(days=7)}
# Nothing older can matter to any cap.
LONGEST = max(PERIODS.values())
# Texts sent by themselves in answer to a person's: two machines that answer each other are stopped by the fourth.
MOST_ANSWERS, ANSWERS_WITHIN = 3, timedelta(hours=1)
# US dollars: a segment, a mail, a minute. What providers ask on their public lists (2026-11), carriers' fees included; a
# sender's config may say "price". Only the day's budget reads it, and the provider's own price replaces it when it is told.
PRICES: Mapping[str, Decimal] = {"sms": Decimal("0.0113"), "email": Decimal("0.0010"), "voice": Decimal("0.15")}
# What a call is taken to last before anybody knows.
CALL_MINUTES = 3
# A call whose end nobody tells: as long as one may last (VAPI ends it after 10 minutes unless its assistant says more; an
# hour is the most anybody here lets it), and a margin for the report.
CALL_OVER_AFTER = timedelta(hours=1, minutes=5)
# The rank of "ended" and of everything that says how (sequences.states).
CALL_ENDED_RANK = 40
# After a call of which nobody knows whether it was placed, no other is placed for so long.
NO_CALL_AFTER_UNKNOWN = timedelta(hours=24)
# How often a cap of 0 is looked at again, in case somebody raises it.
NONE_AT_ALL = timedelta(hours=1)
CENT_OF_A_CENT = Decimal("0.00001")


class BadLimits(ValueError):
    """What is stored as caps cannot be understood. Nobody may guess: the message is not sent."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` marketing messages to one person, on `channels` together, in any stretch as long as `per`."""

    id: str
    most: int
    per: timedelta
    channels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Limits:
    """A tenant's own allowances."""

    person: tuple[Cap, ...] = ()
    money_per_day: Decimal | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Touch:
    """A message that reached the wire, or may have: when its request left, and how far it has come."""

    channel: str
    purpose: str
    at: datetime
    state: str = "sent"
    rank: int = 30


@lru_cache(maxsize=1024)
def limits_of(stored: str) -> Limits:
    """Tenant.caps, as JSON text: {"person": {"all" or channel: {"day": n, "week": n}}, "money_per_day": "12.50"}.

    Raises BadLimits for anything else; "" and {} are no limits.
    """
    found = json.loads(stored) if stored else {}
    if not isinstance(found, dict) or found.keys() - {"person", "money_per_day"}:
        raise BadLimits(f"Caps are an object with person and money_per_day, not {stored[:80]}")
    person = {} if found.get("person") is None else found["person"]
    if not isinstance(person, dict) or person.keys() - {EVERY, *CHANNELS}:
        raise BadLimits(f"A person's caps are for all, sms, email or voice, not {str(person)[:80]}")
    caps = [
        Cap(f"cap:{scope}_{period}", most, PERIODS[period], frozenset(CHANNELS if scope == EVERY else (scope,)))
        for scope in (EVERY, *CHANNELS)
        for period, most in _whole_numbers(scope, person.get(scope)).items()
    ]
    return Limits(tuple(caps), _money(found.get("money_per_day")))


def stored(person: Mapping[str, Mapping[str, int | None]], money_per_day: Decimal | None) -> dict[str, Any]:
    """These allowances as Tenant.caps keeps them; what is None is left out."""
    kept = {
        scope: {period: most for period, most in caps.items() if most is not None} for scope, caps in person.items()
    }
    found: dict[str, Any] = {"person": {scope: caps for scope, caps in kept.items() if caps}}
    if not found["person"]:
        del found["person"]
    if money_per_day is not None:
        found["money_per_day"] = f"{money_per_day:f}"
    return found


def caps_for(limits: Limits, places: Iterable[str], channel: str, now: datetime) -> tuple[Cap, ...]:
    """Every cap that binds a marketing message on this channel: the tenant's and the law's, which counts texts and calls
    together."""
    legal = tuple(
        Cap(rule, most, per, frozenset(("sms", "voice") if channel != "email" else ("email",)))
        for rule, most, per in law.caps(places, channel, now)
    )
    return tuple(cap for cap in limits.person if channel in cap.channels) + legal


def reached(caps: Iterable[Cap], touches: Iterable[Touch], now: datetime) -> tuple[str, datetime | None] | None:
    """(id of the cap, when one more is allowed) of the cap that holds longest; None when no cap is reached.

    The moment is None where the cap is 0: never. `touches`: of this person, on the wire in the last LONGEST, any order.
    """
    times: list[tuple[str, datetime]] = [(each.channel, each.at) for each in touches if each.purpose == "marketing"]
    worst: tuple[str, datetime | None] | None = None
    for cap in caps:
        if cap.most == 0:
            return cap.id, None
        counted = sorted(at for channel, at in times if channel in cap.channels and at > now - cap.per)
        if len(counted) < cap.most:
            continue
        free = counted[len(counted) - cap.most] + cap.per
        if worst is None or worst[1] is None or free > worst[1]:
            worst = cap.id, free
    return worst


def answers_reached(touches: Iterable[Touch], automatic: frozenset[str], now: datetime) -> bool:
    """Whether a person got so many automatic answers within the hour that another is two machines talking."""
    recent = [each for each in touches if each.purpose in automatic and each.at > now - ANSWERS_WITHIN]
    return len(recent) >= MOST_ANSWERS


def call_under_way(touches: Iterable[Touch], now: datetime) -> bool:
    """Whether this person is on the phone with us, as far as anybody has told: placed, its end not told, not too long ago."""
    return any(
        each.channel == "voice"
        and each.state in ("accepted", "sent")
        and each.rank < CALL_ENDED_RANK
        and each.at > now - CALL_OVER_AFTER
        for each in touches
    )


def calls_again(touches: Iterable[Touch], now: datetime) -> datetime | None:
    """When this person may be called again after a call of which nobody knows whether it was placed: it waits for a decision, or
    its time ran out, or it was left without one. None: at once."""
    calls = [each for each in touches if each.channel == "voice"]
    open_ = [
        each.at for each in calls if each.state == "held" or (each.state in ("expired", "cancelled") and each.rank == 0)
    ]
    free = max(open_, default=now - NO_CALL_AFTER_UNKNOWN) + NO_CALL_AFTER_UNKNOWN
    return free if free > now else None


def burst(per_second: float) -> float:
    """How many tokens a sender's bucket holds: a second's worth, and one at the least."""
    return max(1.0, per_second)


def next_token(tokens: float, at: datetime, per_second: float) -> datetime:
    """When a bucket that held `tokens` at `at` holds a whole one."""
    return at + timedelta(seconds=max(0.0, (1.0 - tokens) / per_second))


def estimate(channel: str, body: str, config: Mapping[str, Any]) -> Decimal:
    """US dollars that a message will probably cost: price × segments, × 1 for a mail, × CALL_MINUTES for a call."""
    price = _money(config.get("price"))
    units = {"sms": segments.count(body).segments, "email": 1, "voice": CALL_MINUTES}[channel]
    return ((PRICES[channel] if price is None else price) * max(units, 1)).quantize(CENT_OF_A_CENT)


def _whole_numbers(scope: str, caps: Any) -> dict[str, int]:
    if caps is None:
        return {}
    if not isinstance(caps, dict) or caps.keys() - PERIODS.keys():
        raise BadLimits(f"The caps of {scope} are a number a day and a number a week, not {str(caps)[:80]}")
    found = {period: most for period, most in caps.items() if most is not None}
    if any(type(most) is not int or most < 0 for most in found.values()):
        raise BadLimits(f"The caps of {scope} are whole numbers from 0, not {str(caps)[:80]}")
    return found


def _money(amount: Any) -> Decimal | None:
    if amount is None:
        return None
    try:
        found = Decimal(str(amount))
    except InvalidOperation as error:
        raise BadLimits(f"{str(amount)[:40]!r} is not an amount of money.") from error
    if isinstance(amount, bool) or not found.is_finite() or found < 0:
        raise BadLimits(f"{str(amount)[:40]!r} is not an amount of money.")
    return found
