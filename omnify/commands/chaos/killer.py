"""Who is killed next: roles by chance, from a seed; a role that is not up again yet is left to come back first."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from omnify.commands import sessions
from omnify.commands.chaos.cast import Cast
from omnify.commands.chaos.crew import NAME, Crew

WORKER = "worker"
# How long a role lives at least between two kills, once it stands again: time to take up work that is then interrupted.
REST = 2.0
# Of the kills of a mixed run, such a share falls on the crew when the real processes are up: it is there within a moment.
CREW_SHARE = 0.6
GIVE_UP = 180.0
# Of the blows that fall on the crew, so many freeze a worker instead of killing it, for longer than the reconciler's grace.
FREEZES, FROZEN_FOR = 0.15, (11.0, 20.0)


@dataclass
class Killer:
    """Kills one process after the other, and counts them by what they were."""

    chance: random.Random
    roles: Sequence[str]
    cast: Cast | None
    crew: Crew | None
    say: Callable[[str], None]
    crew_share: float = CREW_SHARE
    kills: Counter[str] = field(default_factory=Counter)
    killed: list[str] = field(default_factory=list)  # the names of the crew's dead
    stood_since: dict[str, float] = field(default_factory=dict)
    spared: list[str] = field(default_factory=list)
    frozen: dict[int, float] = field(default_factory=dict)  # pid of a worker -> when it goes on, by time.monotonic
    zombies: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.spared = [role for role in self.roles if role != WORKER]
        self.chance.shuffle(self.spared)

    def thaw(self, *, all_of_them: bool = False) -> None:
        """Lets those frozen workers go on whose time has come."""
        for pid, moment in list(self.frozen.items()):
            if all_of_them or moment <= time.monotonic():
                del self.frozen[pid]
                assert self.crew is not None
                went_on = self.crew.thaw(pid)
                self.zombies["frozen, went on" if went_on else "frozen in a send, ended by the kernel"] += 1

    def freeze(self) -> None:
        """A worker of the crew stands still for longer than everybody waits for it."""
        assert self.crew is not None
        pid = self.crew.freeze_one(self.chance)
        self.frozen[pid] = time.monotonic() + self.chance.uniform(*FROZEN_FOR)

    def strike(self) -> None:
        """One kill. Raises RuntimeError when no role comes back within three minutes: then nobody restarts them."""
        until = time.monotonic() + GIVE_UP
        while not (ready := self.ready()):
            if time.monotonic() > until:
                raise RuntimeError(f"None of {', '.join(self.roles)} came back to be killed again.")
            time.sleep(0.1)
        role = self.choose(ready)
        if role == WORKER:
            assert self.crew is not None
            self.crew.replace()  # so that whoever is killed was alive
            self.killed.append(NAME.format(self.crew.kill_one(self.chance)))
            self.kills["worker of the crew"] += 1
            return
        assert self.cast is not None
        family = self.cast.family(role)
        if not family:
            return self.strike()  # it died by itself between the look and the choice
        # Kinds first: a cluster has one sentinel and several workers, and each kind's death is a trap of its own.
        kind = self.chance.choice(sorted(set(family.values())))
        victim = self.chance.choice([pid for pid, each in sorted(family.items()) if each == kind])
        if not sessions.send(victim, signal.SIGKILL):
            return self.strike()
        self.kills[kind] += 1
        self.stood_since.pop(role, None)
        if role in self.spared:
            self.spared.remove(role)
        return None

    def choose(self, ready: list[str]) -> str:
        """Every real role once before any of them twice."""
        real = [role for role in ready if role != WORKER]
        if WORKER in ready and (not real or self.chance.random() < self.crew_share):
            return WORKER
        first = [role for role in self.spared if role in real]
        return first[0] if first else self.chance.choice(sorted(real))

    def ready(self) -> list[str]:
        """The roles that have been standing for a while."""
        now = time.monotonic()
        found = []
        for role in self.roles:
            if role == WORKER:
                found.append(role)
            elif self.cast is not None and self.cast.stands(role):
                if now - self.stood_since.setdefault(role, now) >= REST:
                    found.append(role)
            else:
                self.stood_since.pop(role, None)
        return found
