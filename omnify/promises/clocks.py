"""G12: the clocks of the machines jump between any two looks at them; people must get what is due, never before it is due."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

from omnify.lib import clock
from omnify.promises import pretending, scene
from omnify.promises.outcome import Outcome
from omnify.tenants.context import tenant_context
from sequences import tasks, timekeeping
from sequences.models import Enrollment

# 18 November 2026, 00:00 in New York; a week holds each edge of the window seven times.
START = datetime(2026, 11, 18, 5, 0, tzinfo=UTC)
JUMPS = (1.0, 60.0, 3600.0, 86_400.0)
WAIT = {"days": 1}
NEW_YORK = ZoneInfo("America/New_York")
SIZES = {"quick": (40, 120), "full": (600, 2_000)}


def prove_jumps(scale: str, seed: int) -> Outcome:
    """Tried: tasks on machines whose clocks are wrong. Failed: what was accepted at night, before its wait was over, or twice, and
    people who never got what was due."""
    people, rounds = SIZES[scale]
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    here = World(chance, START)
    made = scene.make(START)
    steps = ({"kind": "sms", "body": "First"}, {"kind": "wait", "config": WAIT}, {"kind": "sms", "body": "Second"})
    sequence = made.sequence(*steps)
    made.enrolled(sequence, made.people(people))
    provider = pretending.Provider(now=lambda: here.true)
    with here.clocks_that_lie(), pretending.in_place_of_all(provider):
        for _ in range(rounds):
            here.pass_time()
            for task in (tasks.run_tick, partial(tasks.dispatch_ready, "sms"), tasks.reconcile_unsettled):
                here.jump()
                task()
    wrong = _wrong(provider, made.tenant.pk, here.true)
    print(*wrong, sep="\n", flush=True)
    told = f"tasks on clocks up to a day wrong, {len(provider.ledger)} sends"
    return Outcome(3 * rounds, len(wrong), f"{told} {wrong[0] if wrong else ''}".strip())


class World:
    """The true time, and machines whose clocks are wrong by something else each time they are read."""

    def __init__(self, chance: random.Random, start: datetime) -> None:
        self.chance, self.true, self.wrong = chance, start, timedelta(0)

    def pass_time(self) -> None:
        """On to the next moment: often a small step, so that the edges of the window are met from both sides."""
        self.true += timedelta(seconds=self.chance.choice((1, 20, 90, 900, 6000)) * self.chance.random() * 2)

    def jump(self) -> None:
        """Another machine, or the same after somebody has set its clock."""
        self.wrong = timedelta(seconds=self.chance.uniform(-1, 1) * self.chance.choice(JUMPS))

    def lying(self) -> datetime:
        """What the machine says; a step of up to a second between two looks on top."""
        return self.true + self.wrong + timedelta(seconds=self.chance.uniform(-1, 1))

    @contextmanager
    def clocks_that_lie(self) -> Iterator[None]:
        """The machine's clock lies whoever reads it, by whatever name; the database's is true."""
        machine = type("Machine", (datetime,), {"now": classmethod(lambda _, tz=None: self.lying())})

        class Server:
            """The database's answer to the one question about time, at this world's time."""

            def __enter__(self) -> "Server":
                return self

            def __exit__(self, *_: Any) -> None:
                pass

            def execute(self, statement: str) -> None:
                assert statement == "SELECT clock_timestamp()"

            def fetchone(self) -> tuple[datetime]:
                return (here.true,)

        here = self
        server = mock.Mock(cursor=Server)
        with mock.patch.object(clock, "datetime", machine), mock.patch.object(timekeeping, "connection", server):
            yield


def _wrong(provider: pretending.Provider, tenant_id: int, ended: datetime) -> list[str]:
    found = [f"twice: {mark}" for mark in provider.twice()]
    first: dict[str, datetime] = {}
    for got in provider.ledger:
        local = got.at.astimezone(NEW_YORK)
        if not 8 <= local.hour < 21:
            found.append(f"at night: {local}")
        if got.latest.astimezone(NEW_YORK).hour >= 21 or got.latest.astimezone(NEW_YORK).date() != local.date():
            found.append(f"may arrive at night: {got.latest}")
        if got.text.startswith("First"):
            first[got.to] = got.at
        elif got.at.astimezone(NEW_YORK).replace(tzinfo=None) < _a_day_later(first[got.to]):
            found.append(f"before its wait was over: {got.at}, first {first[got.to]}")
    with tenant_context(tenant_id):
        late = Enrollment.objects.filter(status="active", next_run_at__lt=ended - timedelta(days=1)).count()
    return found + ["somebody waits since yesterday"] * late


def _a_day_later(moment: datetime) -> datetime:
    """A day later on the wall's clock, less the minutes between a decision and its send."""
    return moment.astimezone(NEW_YORK).replace(tzinfo=None) + timedelta(days=1) - timedelta(hours=4)
