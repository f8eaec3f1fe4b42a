"""The kill test: its own PostgreSQL, its own simulator, a crew of workers, and a killer with a seed.

The judge is the simulator's ledger, what people received, never our own tables; those only say what we admit not to know.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omnify.lib import postgres
from omnify.simulator.running import RunningSimulator, running_simulator

ROOT = Path(__file__).resolve().parents[3]
SETTLED_BY = 180.0
# What providers do meanwhile, each with its share of requests.
FAULTS: tuple[dict[str, Any], ...] = (
    {"match": {"op": "create"}, "do": {"latency_ms": 120, "listing_lag_s": 2}},
    {"match": {"op": "create", "probability": 0.08}, "do": {"accept_then_timeout": 4}},
    {"match": {"op": "create", "probability": 0.08}, "do": "accept_then_reset"},
    {"match": {"op": "create", "provider": "twilio", "probability": 0.05}, "do": "accept_then_500"},
    {"match": {"op": "create", "provider": "twilio", "probability": 0.05}, "do": "status_500"},
    {"match": {"op": "list", "probability": 0.1}, "do": "status_500"},
)


@dataclass(frozen=True)
class Verdict:
    """How it went. duplicates and lost must be 0; held is what a person was asked to decide, unsettled must be 0."""

    seed: int
    kills: int
    restarts: int
    messages: int
    received: int
    duplicates: int
    lost: tuple[str, ...]
    held: int
    notified: int
    unsettled: tuple[str, ...]
    expected: int
    resent: int
    found: int
    seconds: float

    @property
    def passed(self) -> bool:
        complete = self.messages == self.expected and not self.unsettled
        return self.duplicates == 0 and not self.lost and complete and self.held <= self.notified

    def table(self) -> str:
        rows = [
            ("seed", self.seed),
            ("workers killed with -9", self.kills),
            ("PostgreSQL crashed", self.restarts),
            ("messages", f"{self.messages} of {self.expected}"),
            ("received by people", self.received),
            ("received twice", self.duplicates),
            ("accepted for us but never received", len(self.lost)),
            ("unknown, found at the provider", self.found),
            ("proven absent, sent once more", self.resent),
            ("held for a person, with a notification", self.held),
            ("not settled", len(self.unsettled)),
            ("seconds", round(self.seconds)),
        ]
        return "\n".join(f"{name:<40} {value!s:>12}" for name, value in rows)


@dataclass
class Arena:
    """The scene of one run, in `folder`. Nothing outside it is touched."""

    folder: Path
    seed: int
    people: int
    workers: int = 3
    say: Callable[[str], None] = print
    environment: dict[str, str] = field(default_factory=dict)
    pids: list[int] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def run(self, kills: int, restarts: int, pause: float) -> Verdict:
        """`kills` workers are killed, about `pause` seconds apart, and the database crashes `restarts` times in between."""
        began = time.monotonic()
        chance = random.Random(self.seed)  # noqa: S311 (repeatable on purpose)
        with self._database(), running_simulator(self.folder / "simulator", seed=self.seed) as simulator:
            self._prepare_environment(simulator)
            prepared = self._stage("prepare", str(self.people), str(kills * pause))
            simulator.client.configure(prepared["accounts"])
            simulator.client.faults(list(FAULTS))
            with self._crew() as crew:
                self.say(f"Ready after {time.monotonic() - began:.0f} s; the killing begins.")
                self._kill(crew, chance, kills, restarts, pause)
                self.say("No more kills; waiting until everything is settled.")
                simulator.client.clear()
                ours = self._wait_until_settled(crew)
            return self._judge(simulator, ours, prepared["expected"], kills, restarts, time.monotonic() - began)

    @contextmanager
    def _database(self) -> Iterator[None]:
        self.state.mkdir(parents=True)
        for folder in (self.folder, self.state):
            folder.chmod(0o755)  # PostgreSQL runs as an account of its own where we are root
        postgres.start(self.state)
        try:
            yield
        finally:
            postgres.stop(self.state, mode="immediate")

    def _prepare_environment(self, simulator: RunningSimulator) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE")}
        self.environment = {
            **inherited,
            "DJANGO_SETTINGS_MODULE": "omnify.settings",
            "OMNIFY_STATE_DIR": str(self.state),
            "SIMULATOR_URL": simulator.base_url,
            "SIMULATOR_SMTP_PORT": str(simulator.smtp_port),
            "PUBLIC_URL": "http://127.0.0.1:9",
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "ERROR",
        }
        for command in (["migrate", "--verbosity", "0"], ["db", "roles"]):
            self._python(str(ROOT / "manage.py"), *command, role="owner")

    def _python(self, *arguments: str, role: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**self.environment, "OMNIFY_DB_ROLE": role},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def _stage(self, *arguments: str) -> dict[str, Any]:
        lines = self._python("-m", "omnify.commands.chaos.stage", *arguments, role="system").splitlines()
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer

    @contextmanager
    def _crew(self) -> Iterator[subprocess.Popen[str]]:
        with (self.folder / "crew.log").open("w") as log:
            crew = subprocess.Popen(
                [sys.executable, "-m", "omnify.commands.chaos.crew"],
                cwd=ROOT,
                env={**self.environment, "OMNIFY_DB_ROLE": "system"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            try:
                for _ in range(self.workers):
                    self._spawn(crew)
                yield crew
            finally:
                for pid in self.pids:
                    _end(pid)
                crew.kill()
                for pipe in (crew.stdin, crew.stdout):
                    if pipe is not None:
                        pipe.close()
                crew.wait()

    def _spawn(self, crew: subprocess.Popen[str]) -> None:
        assert crew.stdin is not None
        assert crew.stdout is not None
        crew.stdin.write("spawn\n")
        crew.stdin.flush()
        answer = crew.stdout.readline()
        if not answer.strip():
            raise RuntimeError(f"The crew ended:\n{(self.folder / 'crew.log').read_text()[-3000:]}")
        self.pids.append(int(answer))

    def _kill(
        self, crew: subprocess.Popen[str], chance: random.Random, kills: int, restarts: int, pause: float
    ) -> None:
        crash_at = set(chance.sample(range(kills), min(restarts, kills)))
        for n in range(kills):
            time.sleep(chance.uniform(0.2, 1.8) * pause)
            if n in crash_at:
                self.say("Crashing PostgreSQL.")
                postgres.restart(self.state, mode="immediate")
            victim = self.pids.pop(chance.randrange(len(self.pids)))
            _end(victim)
            self._spawn(crew)
            if (n + 1) % 50 == 0:
                self.say(f"{n + 1} of {kills} kills.")

    def _wait_until_settled(self, crew: subprocess.Popen[str]) -> dict[str, Any]:
        until = time.monotonic() + SETTLED_BY
        while True:
            ours = self._stage("settle")
            if (not ours["waiting"] and not ours["due"]) or time.monotonic() > until:
                return ours
            time.sleep(1.0)

    def _judge(
        self,
        simulator: RunningSimulator,
        ours: dict[str, Any],
        expected: int,
        kills: int,
        restarts: int,
        seconds: float,
    ) -> Verdict:
        received: dict[str, int] = {}
        for record in simulator.client.ledger():
            received[record["mark"]] = received.get(record["mark"], 0) + 1
        by_mark = {mark: state for mark, state, *_ in ours["messages"]}
        strangers = [mark for mark in received if mark not in by_mark]
        claimed = [mark for mark, state in by_mark.items() if state in ("accepted", "sent", "delivered")]
        admitted = ("held", "unknown", *UNSENT)
        lost = [mark for mark in claimed if mark not in received]
        lost += [
            mark
            for mark, state in by_mark.items()
            if state not in admitted and mark not in received and mark not in lost
        ]
        return Verdict(
            seed=self.seed,
            kills=kills,
            restarts=restarts,
            messages=len(by_mark),
            received=len(received),
            duplicates=sum(count - 1 for count in received.values()) + len(strangers),
            lost=tuple(lost),
            held=sum(state == "held" for state in by_mark.values()),
            notified=ours["notified"],
            unsettled=(*ours["waiting"], *["due"] * ours["due"]),
            expected=expected,
            resent=sum(attempt > 1 for *_, attempt in ours["messages"]),
            found=sum(reason == "found_at_provider" for _, _, reason, *_ in ours["messages"]),
            seconds=seconds,
        )


# States in which a message was never on anybody's handset, and says so.
UNSENT = ("ready", "deferred", "claimed", "sending", "expired", "suppressed", "cancelled", "rejected")


def _end(pid: int) -> None:
    """kill -9: no good-bye, no flush."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
