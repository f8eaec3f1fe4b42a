"""G15: the secret key changes while wake-ups wait in the queue, and the workers are told to stop, one after the other, all the time.

The queue throws away what another key has signed. That must not matter: the rows say what is to be done.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django_q.models import OrmQ
from django_q.tasks import async_task

from omnify.commands import processes, sessions
from omnify.commands.chaos.stage import noon_zone
from omnify.lib.clock import now as clock
from omnify.promises import scene
from omnify.promises.outcome import Outcome
from omnify.simulator.client import SimulatorClient
from omnify.simulator.wiring import simulated_accounts
from omnify.tenants.context import tenant_context
from sequences.models import Message

# (people, wake-ups in the queue, restarts)
SIZES = {"quick": (12, 40, 2), "full": (300, 1_000, 40)}
ROLES = ("default", "dispatch", "pulse")
STOP_WITHIN = 45.0
GIVE_UP = {"quick": 60.0, "full": 1_800.0}


def prove_rotation(scale: str, seed: int) -> Outcome:
    """Tried: wake-ups that the new key makes worthless, and restarts. Failed: messages that were not received, or twice, and
    processes that took longer than 45 seconds to stop."""
    people, queued, restarts = SIZES[scale]
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    simulator = SimulatorClient(settings.SIMULATOR_URL)
    made = scene.make(clock(), word="rotating")
    simulator.configure(simulated_accounts())
    contacts = made.people(people, zones=[noon_zone(clock())], places=["US-CA"])
    made.enrolled(made.sequence(), contacts)
    for _ in range(queued):  # signed with the key that nobody will know any more
        async_task("sequences.tasks.run_tick", cluster="default")
        async_task("sequences.tasks.dispatch_ready", "sms", cluster="dispatch")
    expected = {contact.phone for contact in contacts}
    with at_work() as workers:
        late = [workers.restart(chance.choice(ROLES)) for _ in range(restarts)]
        received = _until_all_have_it(simulator, expected, GIVE_UP[scale])
        left = OrmQ.objects.count()
    with tenant_context(made.tenant.pk):
        states = Counter(Message.objects.values_list("state", flat=True))
    wrong = [f"{phone} has nothing" for phone in expected if not received[phone]]
    wrong += [f"{phone} has it {times} times" for phone, times in received.items() if times > 1]
    wrong += [f"a stop took {seconds:.0f} s" for seconds in late if seconds > STOP_WITHIN]
    print(*wrong, dict(states), f"{left} left in the queue", sep="\n", flush=True)
    simulator.close()
    told = f"wake-ups under a lost key, {restarts} restarts, {len(expected)} people"
    return Outcome(2 * queued + restarts, len(wrong), f"{told} {wrong[0] if wrong else ''}".strip())


def _until_all_have_it(simulator: SimulatorClient, expected: set[str], longest: float) -> Counter[str]:
    until = time.monotonic() + longest
    while True:
        received = Counter(record["to"] for record in simulator.ledger(kind="sms"))
        if expected <= received.keys() or time.monotonic() > until:
            time.sleep(1.0)  # whoever would send a second time is at it now
            return Counter(record["to"] for record in simulator.ledger(kind="sms"))
        time.sleep(0.2)


@dataclass
class Workers:
    """Real processes under a new key. Their words are in `folder`."""

    folder: Path
    environment: Mapping[str, str]
    living: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, role: str) -> None:
        ports = processes.Ports(web=0, simulator=0, mail=0)
        (child,) = [
            each
            for each in processes.children(self.environment, ports, settings.BASE_DIR, self.folder)
            if each.name == role
        ]
        with (self.folder / f"{role}.log").open("ab") as log:
            self.living[role] = subprocess.Popen(
                child.command, cwd=settings.BASE_DIR, env=dict(child.environ), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    def restart(self, role: str) -> float:
        """Stops one as a deployment would, and starts it again; how long it took to stop, in seconds."""
        time.sleep(1.5)
        began = time.monotonic()
        sessions.stop({self.living[role].pid}, STOP_WITHIN)
        self.living.pop(role).wait()
        took = time.monotonic() - began
        self.start(role)
        return took


@contextmanager
def at_work() -> Iterator[Workers]:
    """The pulse and two clusters, on this proof's database, with a secret key of their own."""
    owner = os.environ["DATABASE_URL"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "omnify.commands.chaos.settings",
        "SECRET_KEY": "a new key that has signed nothing of what is waiting in the queue",
        "CREDENTIALS_KEY": settings.CREDENTIALS_KEY,
        "DATABASE_SYSTEM_URL": f"{owner}?options=-c%20role%3Domnify_system",
        "PUBLIC_URL": settings.PUBLIC_URL,
        "PYTHONPATH": str(settings.BASE_DIR),
        "LOG_LEVEL": "ERROR",
        "OMNIFY_STATE_DIR": str(settings.STATE_DIR),
    }
    with tempfile.TemporaryDirectory(prefix="omnify-rotating-") as folder:
        workers = Workers(Path(folder), environment)
        try:
            for role in ROLES:
                workers.start(role)
            yield workers
        finally:
            sessions.kill({process.pid for process in workers.living.values()})
            for process in workers.living.values():
                process.wait()
            for log in sorted(Path(folder).glob("*.log")):
                sys.stdout.write(f"{log.name}: {log.read_text(errors='replace')[-1500:]}\n")
