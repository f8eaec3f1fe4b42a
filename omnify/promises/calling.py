"""G19: several sequences want to call the same people; how calls ended is told twice, too early, or never."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from omnify.promises import pretending, scene
from omnify.promises.outcome import Outcome
from omnify.tenants.context import tenant_context
from sequences.delivery import dispatch
from sequences.engine import tick
from sequences.inbound import apply_waiting
from sequences.models import ProviderEvent
from sequences.reconcile import reconcile
from sequences.transports.base import Outbound

NOON = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
SIZES = {"quick": (12, 60), "full": (200, 400)}
# What became of a request to place a call, and how often its end is told.
MOODS = ("accept", "accept", "accept", "accept_then_timeout", "timeout", "busy")
TOLD = ("once", "once", "twice", "never", "early")


def prove_calls(scale: str, seed: int) -> Outcome:
    """Tried: requests to place a call. Failed: calls placed while another of the same person was going on, and any call whose
    mark was dialled twice."""
    people, rounds = SIZES[scale]
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    made = scene.make(NOON)
    contacts = made.people(people)
    for n in range(3):
        call = {"kind": "voice", "subject": "Hello", "body": "Ask how they are."}
        made.enrolled(made.sequence(call, {"kind": "wait", "config": {"hours": 2}}, call, name=f"Calls {n}"), contacts)
    line = Line(chance, made)
    provider = pretending.Provider(now=lambda: line.now, mood=line.mood)
    with pretending.in_place_of_all(provider):
        for _ in range(rounds):
            tick(line.now)
            dispatch(["voice"], now=lambda: line.now, budget_seconds=20, threads=4)
            line.go_on(provider)
            apply_waiting(line.now)
            reconcile(line.now)
            line.now += timedelta(seconds=chance.choice((1, 10, 60, 400)))
            if line.now.hour >= 23:  # six in the evening in New York: on to the next morning
                line.now = line.now.replace(hour=15) + timedelta(days=1)
    wrong = line.overlapping + [f"dialled twice: {mark}" for mark in provider.twice()]
    print(*wrong, sep="\n", flush=True)
    told = f"requests for calls by 3 sequences, {len(provider.ledger)} placed"
    return Outcome(sum(provider.requests.values()), len(wrong), f"{told} {wrong[0] if wrong else ''}".strip())


class Line:
    """The telephone network: who is on the phone, until when, and what is said about it to us afterwards."""

    def __init__(self, chance: random.Random, made: scene.Scene) -> None:
        self.chance, self.made, self.now = chance, made, NOON
        self.seen = 0
        self.busy_until: dict[str, datetime] = {}
        self.overlapping: list[str] = []
        self.to_tell: list[tuple[datetime, dict[str, Any], str]] = []
        self.keys = 0

    def mood(self, outbound: Outbound) -> str:
        return self.chance.choice(MOODS)

    def go_on(self, provider: pretending.Provider) -> None:
        """What was accepted since the last look is a call now; what was to be told by now is told."""
        for got in provider.ledger[self.seen :]:
            if self.busy_until.get(got.to, got.at) > got.at:
                self.overlapping.append(f"a second call to {got.to} at {got.at} while one lasts")
            lasts = timedelta(seconds=self.chance.choice((5, 60, 500)))
            self.busy_until[got.to] = got.at + lasts
            self._plan_words(got, lasts)
        self.seen = len(provider.ledger)
        for moment, body, mark in [each for each in self.to_tell if each[0] <= self.now]:
            self._tell(body, mark)
            self.to_tell.remove((moment, body, mark))

    def _plan_words(self, got: pretending.Got, lasts: timedelta) -> None:
        call = {"id": got.provider_id, "name": got.mark, "metadata": {"m": got.mark}}
        end = {"message": {"type": "end-of-call-report", "endedReason": "customer-ended-call", "call": call}}
        rings = {"message": {"type": "status-update", "status": "in-progress", "call": call}}
        told = self.chance.choice(TOLD)
        if told == "never":
            return
        over = got.at + lasts
        self.to_tell.append((over if told == "early" else got.at, rings, got.mark))
        self.to_tell.append((over, end, got.mark))
        if told == "twice":
            self.to_tell.append((over + timedelta(seconds=30), end, got.mark))

    def _tell(self, body: dict[str, Any], mark: str) -> None:
        self.keys += 1
        with tenant_context(self.made.tenant.pk):
            ProviderEvent.objects.create(
                sender=self.made.senders["voice"], provider="vapi", kind="call", event_key=f"proof-{self.keys}",
                mark=mark, body=json.dumps(body), received_at=self.now,
            )  # fmt: skip
