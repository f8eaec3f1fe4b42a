"""A whole Omnify for a test: the web process under its own database role, the simulator, and the workers' work done in turn.

Nothing of ours is replaced. Only time is ours: every process stands at the same moment, which the test moves.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from omnify.lib import clock
from omnify.simulator.client import SimulatorClient
from omnify.simulator.running import ROOT, RunningSimulator, free_ports
from sequences import pulse
from sequences.delivery import dispatch
from sequences.engine import tick
from sequences.inbound import apply_waiting
from tests.journeys.served import CLOCK

CHANNELS = ("sms", "email", "voice")


@dataclass
class WebProcess:
    """uvicorn with the real application, as the web role, on the test's database."""

    folder: Path
    simulator: RunningSimulator
    port: int = field(default_factory=lambda: free_ports(1)[0])
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATABASE_WEB_URL": database_url("omnify_web"),
            "OMNIFY_DB_ROLE": "web",
            "OMNIFY_STATE_DIR": str(settings.STATE_DIR),
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "SIMULATOR_URL": self.simulator.base_url,
            "SIMULATOR_SMTP_PORT": str(self.simulator.smtp_port),
        }
        command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "tests.journeys.served:application", "--port", str(self.port),
                   "--lifespan", "off", "--ws", "websockets-sansio", "--log-level", "warning"]  # fmt: skip
        log = self.folder / "web.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        end = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"the web process did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/accounts/login/", timeout=10, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def log(self) -> str:
        return (self.folder / "web.log").read_text()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


def database_url(role: str) -> str:
    """The test's own database, acting as this role."""
    given = connection.settings_dict
    user, password = quote(given["USER"], safe=""), quote(given["PASSWORD"], safe="")
    options = quote(f"-c role={role}", safe="")
    return f"postgresql://{user}:{password}@{given['HOST']}:{given['PORT']}/{given['NAME']}?options={options}"


@dataclass
class House:
    """What a test does with a running Omnify: move time, let the workers work, look at what people received."""

    web: WebProcess
    simulator: SimulatorClient
    now: datetime
    began: int = 0  # the ledger's last line before this test

    def stand_at(self, moment: datetime) -> None:
        """Every process of the house reads this moment from now on (and time runs on from there)."""
        self.now = moment
        clock._OFFSET = moment - datetime.now(UTC)
        answer = httpx.post(f"{self.web.url}{CLOCK}", json={"offset": clock._OFFSET.total_seconds()}, trust_env=False)
        answer.raise_for_status()

    def advance(self, **by: float) -> None:
        self.stand_at(self.now + timedelta(**by))

    def decide(self) -> int:
        """Ticks until nobody is due any more; returns how many decisions were taken."""
        decided = 0
        while done := tick(clock.now()).decided:
            decided += done
        return decided

    def deliver(self) -> int:
        """Puts everything ready on the wire; returns how many requests went out."""
        return dispatch(CHANNELS, now=clock.now, budget_seconds=30, threads=4)

    def hear(self) -> int:
        """Waits until the providers have called back, and applies what they told us."""
        assert self.simulator.settled(20), "The simulator still has callbacks under way."
        return apply_waiting(clock.now())

    def run_queued(self) -> list[str]:
        """Does what stands in django-q2's queues, as its clusters would; returns the tasks' names."""
        done = []
        while (row := OrmQ.objects.order_by("id").first()) is not None:
            task = SignedPackage.loads(row.payload)
            row.delete()
            function = import_string(task["func"]) if isinstance(task["func"], str) else task["func"]
            function(*task["args"], **task.get("kwargs", {}))
            done.append(f"{function.__module__}.{function.__name__}")
        return done

    def work(self, rounds: int = 20) -> None:
        """Decide, deliver, hear, until all three have nothing to do."""
        for _ in range(rounds):
            if not (self.decide() + self.deliver() + self.hear() + len(self.run_queued())):
                return
        raise AssertionError("The house does not come to rest.")

    def due(self) -> pulse.Due:
        """The pulse's own question: when is anything due next?"""
        with connection.cursor() as cursor:
            cursor.execute(pulse.QUESTION)
            return pulse.Due(*cursor.fetchone())

    def received(self, address: str = "", kind: str = "") -> list[dict[str, Any]]:
        """The simulator's ledger, the judge: what people's devices got."""
        return self.simulator.ledger(to=address, kind=kind, after=self.began)
