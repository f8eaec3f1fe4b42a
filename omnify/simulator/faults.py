"""Scripted misbehaviour: rules that say which request goes wrong, and how.

A rule is `{"match": {provider, op, to?, nth?, every?, probability?}, "do": "accept_then_timeout" | {name: value, ...},
"times": n?}`. Every request draws a plan; all rules that match it are merged into that plan.

Operations: twilio create, get, list, cancel, lookup, inbound · vapi create, get, list, cancel, inbound · postmark
create, list, inbound · sendgrid create, list,
inbound · ses create, list, inbound · smtp create, inbound · openai chat, models. `inbound` is a person's answer on its way to us.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from omnify.simulator.people import normal


@dataclass(frozen=True)
class Plan:
    """What happens to one request. The default is: nothing unusual."""

    latency_ms: int = 0
    status: int = 0  # answered with this HTTP status, nothing accepted
    refuse: str = ""  # answered with the provider's own error code, nothing accepted
    before: str = ""  # "timeout" | "reset": the request is lost, nothing accepted
    after: str = ""  # "timeout" | "reset" | "500" | "truncate": accepted, but the answer does not say so
    hang_s: float = 60.0
    duplicate_callbacks: int = 0
    reorder_callbacks: bool = False
    drop_callbacks: bool = False
    forged_callback: bool = False
    listing_lag_s: float = 0.0
    dwell_s: float = 0.0  # the provider sits on the message this long before the person gets it


def _seconds(value: Any, default: float = 60.0) -> float:
    return min(default if value is True else float(value), 600.0)


ACTIONS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "latency_ms": lambda v: {"latency_ms": min(int(v), 600_000)},
    "accept_then_timeout": lambda v: {"after": "timeout", "hang_s": _seconds(v)},
    "accept_then_reset": lambda _: {"after": "reset"},
    "accept_then_500": lambda _: {"after": "500"},
    "accept_then_truncate": lambda _: {"after": "truncate"},
    "timeout": lambda v: {"before": "timeout", "hang_s": _seconds(v)},
    "reset": lambda _: {"before": "reset"},
    "status_500": lambda _: {"status": 500},
    "status_503": lambda _: {"status": 503},
    "rate_limit_429": lambda _: {"status": 429},
    "refuse": lambda v: {"refuse": str(v["code"] if isinstance(v, dict) else v)},
    "duplicate_callbacks": lambda v: {"duplicate_callbacks": 1 if v is True else min(int(v), 100)},
    "reorder_callbacks": lambda v: {"reorder_callbacks": bool(v)},
    "drop_callbacks": lambda v: {"drop_callbacks": bool(v)},
    "forged_callback": lambda v: {"forged_callback": bool(v)},
    "listing_lag_s": lambda v: {"listing_lag_s": _seconds(v)},
    "dwell_s": lambda v: {"dwell_s": float(v)},
}


@dataclass
class Rule:
    """One scripted fault and how often it matched and fired so far."""

    match: dict[str, Any]
    do: dict[str, Any]
    times: int | None
    changes: dict[str, Any]
    seen: int = field(default=0)
    fired: int = field(default=0)

    @classmethod
    def parse(cls, given: dict[str, Any]) -> "Rule":
        """Raises ValueError with the reason when the rule is not understood."""
        if not isinstance(given, dict) or "do" not in given:
            raise ValueError("a rule is an object with 'match' and 'do'")
        do = {given["do"]: True} if isinstance(given["do"], str) else dict(given["do"])
        times = do.pop("times", given.get("times"))
        match = dict(given.get("match") or {})
        if "to" in match:
            match["to"] = normal(str(match["to"]))
        unknown = set(match) - {"provider", "op", "to", "nth", "every", "probability"}
        if unknown:
            raise ValueError(f"unknown match fields: {sorted(unknown)}")
        changes: dict[str, Any] = {}
        for name, value in do.items():
            if name not in ACTIONS:
                raise ValueError(f"unknown fault {name!r}; known: {', '.join(ACTIONS)}")
            try:
                changes |= ACTIONS[name](value)
            except (TypeError, ValueError, KeyError) as wrong:
                raise ValueError(f"fault {name!r} does not take {value!r}") from wrong
        return cls(match=match, do=do, times=None if times is None else int(times), changes=changes)

    def fires(self, provider: str, op: str, to: str, chance: random.Random) -> bool:
        """Count this request and say whether the fault happens to it."""
        if self.match.get("provider", provider) not in (provider, "*") or self.match.get("op", op) not in (op, "*"):
            return False
        if self.match.get("to", to) != to:
            return False
        self.seen += 1
        if self.times is not None and self.fired >= self.times:
            return False
        if "nth" in self.match and self.seen != int(self.match["nth"]):
            return False
        if "every" in self.match and self.seen % int(self.match["every"]) != 0:
            return False
        if "probability" in self.match and chance.random() >= float(self.match["probability"]):
            return False
        self.fired += 1
        return True


class FaultBook:
    """The rules in force. The same seed and the same requests give the same faults."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
        self.rules: list[Rule] = []

    def add(self, rules: list[dict[str, Any]]) -> None:
        """All or none: raises ValueError at the first rule that is not understood."""
        self.rules += [Rule.parse(rule) for rule in rules]

    def clear(self) -> None:
        self.rules = []

    def draw(self, provider: str, op: str, to: str = "") -> Plan:
        plan = Plan()
        for rule in self.rules:
            if rule.fires(provider, op, to, self._chance):
                plan = replace(plan, **rule.changes)
        return plan

    def describe(self) -> list[dict[str, Any]]:
        return [{"match": r.match, "do": r.do, "times": r.times, "seen": r.seen, "fired": r.fired} for r in self.rules]
