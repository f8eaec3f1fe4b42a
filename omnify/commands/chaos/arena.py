"""The kill test: its own PostgreSQL, its own simulator, processes that do the work, and a killer with a seed.

Two casts. "real": web, pulse and clusters as `make up` runs them, under the real supervisor. "crew": plain workers that do
nothing but send, and are there again a moment after a kill. "both": one beside the other; the real ones settle the rest.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from omnify.commands.chaos import cast, watch
from omnify.commands.chaos.cast import running_cast
from omnify.commands.chaos.crew import Crew, running_crew
from omnify.commands.chaos.killer import CREW_SHARE, FREEZES, WORKER, Killer
from omnify.commands.chaos.stage import STEPS
from omnify.commands.chaos.verdict import LISTED, Ours, Theirs, Verdict, judge
from omnify.commands.chaos.voices import SHARES, Voices
from omnify.lib import postgres
from omnify.simulator.client import SimulatorClient
from omnify.simulator.running import RunningSimulator, free_ports, running_simulator

ROOT = Path(__file__).resolve().parents[3]
CASTS = ("crew", "real", "both")
ROLES = (WORKER, *cast.ROLES)
# Waiting for the end: given up when nothing has moved for so long, and in any case after so long. Seconds.
NOTHING_MOVES, SETTLED_BY = 180.0, 900.0
# How long the simulator may take to answer us while processes are started all the time, in seconds.
PATIENCE = 180.0
# What providers do meanwhile, each with its share of requests.
FAULTS: tuple[dict[str, Any], ...] = (
    {"match": {"op": "create"}, "do": {"latency_ms": 120, "listing_lag_s": 2}},
    {"match": {"op": "create", "probability": 0.08}, "do": {"accept_then_timeout": 4}},
    {"match": {"op": "create", "probability": 0.08}, "do": "accept_then_reset"},
    {"match": {"op": "create", "provider": "twilio", "probability": 0.05}, "do": "accept_then_500"},
    {"match": {"op": "create", "provider": "twilio", "probability": 0.05}, "do": "status_500"},
    {"match": {"op": "list", "probability": 0.1}, "do": "status_500"},
    {"match": {"op": "create", "probability": 0.15}, "do": {"duplicate_callbacks": 2}},
    {"match": {"op": "create", "probability": 0.15}, "do": {"reorder_callbacks": True}},
    {"match": {"op": "create", "probability": 0.1}, "do": {"dwell_s": 3}},
    {"match": {"op": "create", "probability": 0.1}, "do": {"forged_callback": True}},
    {"match": {"op": "create", "provider": "twilio", "probability": 0.05}, "do": {"drop_callbacks": True}},
    {"match": {"op": "inbound", "probability": 0.2}, "do": {"duplicate_callbacks": 1}},
    {"match": {"op": "inbound", "provider": "twilio", "probability": 0.15}, "do": {"drop_callbacks": True}},
)
# By how many seconds the clocks of our processes are wrong, and out of how many blows one sets them anew.
CLOCK_JUMPS, JUMP_EVERY = (1.0, 60.0, 3600.0, 86_400.0), 5


@dataclass
class Arena:
    """The scene of one run, in `folder`. Nothing outside it is touched. `roles`: who is killed; all of the cast when empty.
    `crew_share`: of the kills of a mixed run, such a share falls on the crew. `crew_stays`: it also helps to settle the rest."""

    folder: Path
    seed: int
    people: int
    cast: str = "crew"
    roles: Sequence[str] = ()
    workers: int = 3
    crew_share: float = CREW_SHARE
    crew_stays: bool = False
    say: Callable[[str], None] = print
    environment: dict[str, str] = field(default_factory=dict)
    jumps: int = 0

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def clock(self) -> Path:
        return self.folder / "clock"

    @property
    def victims(self) -> list[str]:
        present = {"crew": (WORKER,), "real": cast.ROLES, "both": ROLES}[self.cast]
        return [role for role in present if not self.roles or role in self.roles]

    def run(self, kills: int, restarts: int, pause: float) -> Verdict:
        """`kills` processes are killed, about `pause` seconds apart, and the database crashes `restarts` times in between."""
        if not self.victims:
            raise ValueError(f"The cast {self.cast!r} has none of {', '.join(self.roles)}.")
        began = time.monotonic()
        port = free_ports(1)[0]
        base = f"http://127.0.0.1:{port}"
        with (
            self._database(),
            running_simulator(self.folder / "simulator", seed=self.seed, public_base=base) as simulator,
        ):
            self._prepare_environment(simulator, base, port)
            prepared = self._stage("prepare", str(self.people), str(kills * pause))
            watch.install(self.state)
            client = SimulatorClient(simulator.base_url, timeout=PATIENCE)
            client.configure(prepared["accounts"])
            client.faults(list(FAULTS))
            killer, taken, left_open = self._act(client, port, kills, restarts, pause)
            theirs = Theirs(client.ledger(), client.ledger(record="inbound"), taken, LISTED)
            ours = self._stage("settle")
            noted, requests = watch.notes(self.state), watch.requests(self.state)
            return judge(
                Ours(**ours),
                theirs,
                len(STEPS),
                seed=self.seed,
                kills=killer.kills,
                zombies=killer.zombies,
                jumps=self.jumps,
                restarts=restarts,
                unsettled=tuple(f"{number} {what}" for what, number in sorted(left_open.items())),
                claims=sum(what == "claimed" for what, *_ in noted),
                after_stop=tuple(watch.claimed_after_stop(noted)),
                seconds=time.monotonic() - began,
                in_a_request=watch.cut_off(requests, killer.killed),
                unknowns=watch.were_unknown(requests),
            )

    def _act(
        self, client: SimulatorClient, port: int, kills: int, restarts: int, pause: float
    ) -> tuple[Killer, set[str], Counter[str]]:
        """The run itself; who was killed, what people said and we took, and what was still open at the end."""
        real, crowd = self.cast != "crew", self.cast != "real"
        chance = random.Random(self.seed)  # noqa: S311 (repeatable on purpose)
        with ExitStack() as scene:
            real_cast = (
                scene.enter_context(running_cast(port, self.state, self.folder, self.environment)) if real else None
            )
            crew = scene.enter_context(running_crew(self.workers, self.folder, self.environment)) if crowd else None
            voices = Voices(client, self.seed)
            if real:
                client.set_shares(**SHARES)
                voices.start()
            self.say("All stand; the killing begins.")
            killer = Killer(chance, self.victims, real_cast, crew, self.say, self.crew_share)
            self._kill(killer, chance, kills, restarts, pause)
            killer.thaw(all_of_them=True)
            self._jump(None)
            self.say("No more kills; waiting until everything is settled.")
            if real:
                voices.hush()
            client.clear()
            if real and crew is not None and not self.crew_stays:
                crew.end()
            left_open = self._wait_until_settled(client, crew)
            if real:
                voices.note()
            return killer, voices.taken, left_open

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

    def _prepare_environment(self, simulator: RunningSimulator, base: str, port: int) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "OMNIFY_"))}
        loading = (
            self.cast != "crew"
        )  # a worker of a cluster loads the providers' SDKs when it has claimed its first message
        self.environment = {
            **inherited,
            "DJANGO_SETTINGS_MODULE": "omnify.commands.chaos.settings",
            "OMNIFY_STATE_DIR": str(self.state),
            "OMNIFY_CHAOS_CLAIM_STALE": "30" if loading else "6",
            "OMNIFY_CHAOS_GRACE": "15" if loading else "10",
            "SIMULATOR_URL": simulator.base_url,
            "SIMULATOR_SMTP_PORT": str(simulator.smtp_port),
            "PUBLIC_URL": base,
            "PORT": str(port),
            "OMNIFY_CHAOS_CLOCK": str(self.clock),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
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

    def _kill(self, killer: Killer, chance: random.Random, kills: int, restarts: int, pause: float) -> None:
        crash_at = set(chance.sample(range(kills), min(restarts, kills)))
        for n in range(kills):
            time.sleep(chance.uniform(0.2, 1.8) * pause)
            if n in crash_at:
                self.say("Crashing PostgreSQL.")
                postgres.restart(self.state, mode="immediate")
            killer.thaw()
            if WORKER in killer.roles and chance.random() < FREEZES:
                killer.freeze()
            if chance.randrange(JUMP_EVERY) == 0:
                self._jump(chance.choice((-1, 1)) * chance.choice(CLOCK_JUMPS))
            killer.strike()
            if (n + 1) % 25 == 0:
                self.say(f"{n + 1} of {kills} kills.")

    def _unheard(self, client: SimulatorClient) -> int:
        """How many answers our tables do not know yet: those whose webhook met a dead process are read from the lists."""
        said = {record["provider_id"] for record in client.ledger(record="inbound") if record["kind"] in LISTED}
        return len(said - watch.heard(self.state))

    def _jump(self, seconds: float | None) -> None:
        """Sets the clocks of our processes wrong by so much; None: right again. See haste.lie."""
        aside = self.clock.with_suffix(".new")
        aside.write_text("" if seconds is None else str(seconds))
        aside.replace(self.clock)
        self.jumps += seconds is not None

    def _wait_until_settled(self, client: SimulatorClient, crew: Crew | None) -> Counter[str]:
        """What is still open at the end: nothing, or what no longer moves. Says what it waits for when that changes."""
        began = moved = time.monotonic()
        before = Counter[str]()
        while True:
            if crew is not None and crew.pids and (ended := crew.replace()):
                self.say(f"{ended} of the crew ended by themselves; others take their places.")
            try:
                settled = client.settled(5)
            except httpx.TimeoutException:
                settled = False  # a busy machine: asked again until SETTLED_BY
            now_open = watch.still_open(self.state)
            if not settled:
                now_open["consequences at the simulator"] = 1
            if self.cast != "crew" and (unheard := self._unheard(client)):
                now_open["answers that nobody has read from the provider's list yet"] = unheard
            now = time.monotonic()
            if not now_open or now - moved > NOTHING_MOVES or now - began > SETTLED_BY:
                return now_open
            if now_open != before:
                moved = now
                self.say("Open: " + ", ".join(f"{number} {what}" for what, number in sorted(now_open.items())))
            before = now_open
            time.sleep(1.0)
