"""A simulator of one's own for a test or a benchmark: a real process on free ports, that can be killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from omnify.simulator.client import SimulatorClient

ROOT = Path(__file__).resolve().parents[2]


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on right now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@dataclass
class RunningSimulator:
    """One simulator process. `kill` and `start` keep its ports and its ledger."""

    folder: Path
    port: int
    smtp_port: int
    pace: float = 0.0
    seed: int = 1
    public_base: str = ""
    process: subprocess.Popen[bytes] | None = None
    client: SimulatorClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = SimulatorClient(self.base_url)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ledger_path(self) -> Path:
        return self.folder / "ledger.jsonl"

    def start(self, timeout: float = 15.0) -> None:
        """Start the process and wait until it answers. Raises RuntimeError with its output if it does not."""
        command = [
            sys.executable, "-m", "omnify.simulator", "--port", str(self.port), "--smtp-port", str(self.smtp_port),
            "--ledger", str(self.ledger_path), "--pace", str(self.pace), "--seed", str(self.seed),
            "--public-base", self.public_base,
        ]  # fmt: skip
        log = self.folder / "simulator.log"
        with log.open("ab") as output:
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, env=environment)
        end = time.monotonic() + timeout
        while not self.client.healthy():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"the simulator did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9: no good-bye, no flush."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, signum: int) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(signum)
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process = None


@contextlib.contextmanager
def running_simulator(
    folder: Path, *, pace: float = 0.0, seed: int = 1, public_base: str = ""
) -> Iterator[RunningSimulator]:
    """A started simulator that keeps its ledger in `folder` and is stopped at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    port, smtp_port = free_ports(2)
    simulator = RunningSimulator(folder, port, smtp_port, pace=pace, seed=seed, public_base=public_base)
    try:
        simulator.start()
        yield simulator
    finally:
        simulator.stop()
        simulator.client.close()
