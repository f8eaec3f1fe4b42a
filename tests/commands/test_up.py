"""`manage.py up` as a person runs it: one address, one Ctrl-C, nothing left behind."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from omnify.commands import instance
from omnify.commands.processes import Ports, children, environment
from omnify.lib import postgres
from omnify.lib.ports import free_port
from omnify.lib.postgres_home import home_for
from omnify.lib.postgres_processes import processes

ROOT = Path(__file__).resolve().parents[2]


def eventually(true: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.1)
    return False


def title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def living(family: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


class Up:
    """A running `manage.py up` whose output is collected."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port, self.lines = port, list[str]()
        inherited = {
            k: v for k, v in os.environ.items() if k not in {"OMNIFY_DB_ROLE", "DATABASE_URL", "SIMULATOR_URL"}
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--no-demo", "--port", str(port)],
            cwd=ROOT, env={**inherited, "OMNIFY_STATE_DIR": str(folder)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stdout as pipe:
            self.lines.extend(iter(pipe.readline, ""))

    def said(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def family(self) -> list[psutil.Process]:
        """Everything it has started, directly and not, by what they are now called."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def wait(self, seconds: float = 40) -> int:
        code = self.process.wait(seconds)
        self._reader.join(20)
        return code

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[int], Up]]:
    started: list[Up] = []

    def start(port: int) -> Up:
        started.append(Up(folder, port))
        return started[-1]

    yield start
    for up in started:
        family = up.family() if up.process.poll() is None else []
        up.process.kill()
        up.wait()
        assert eventually(lambda family=family: not living(family), 30)
    postgres.stop(folder, "immediate")


def test_one_command_brings_everything_up_and_one_signal_takes_all_of_it_down(
    start: Callable[[int], Up], folder: Path
) -> None:
    port = free_port()
    up = start(port)
    assert eventually(lambda: up.said(f"Omnify is up: http://127.0.0.1:{port}"), 120), up.lines
    assert up.get("/accounts/login/") == 200
    family = up.family()
    for part in (
        "-m omnify.commands.web",
        "-m omnify.simulator",
        "-m omnify.commands.warden",
        "qcluster",
        "pulse",
    ):
        assert any(part in title(process) for process in family), part

    second = start(free_port())
    assert second.wait() == 1
    assert second.said(f"Omnify already runs at http://127.0.0.1:{port} (process {up.process.pid}")

    up.process.send_signal(signal.SIGTERM)
    assert up.wait() == 0
    assert living(family) == []
    assert processes(home_for(folder)) == []


def test_after_a_kill_the_next_one_takes_over_and_cleans_up(start: Callable[[int], Up], folder: Path) -> None:
    port = free_port()
    up = start(port)
    assert eventually(lambda: up.said("Omnify is up"), 120), up.lines
    assert eventually(lambda: len(up.family()) > 10, 60)  # the clusters' workers come a moment after the address
    family = up.family()
    up.process.kill()
    up.wait()
    assert eventually(lambda: not living(family), 30)
    again = start(port)
    assert eventually(lambda: again.said("Omnify is up"), 60), again.lines
    again.process.send_signal(signal.SIGINT)
    assert again.wait() == 0
    assert processes(home_for(folder)) == [], "the database that the killed one left behind is stopped too"


def test_a_taken_port_is_named_with_a_way_out(start: Callable[[int], Up], folder: Path) -> None:
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        up = start(port)
        assert up.wait() == 1
    assert up.said(f"Port {port} is taken by another program. Choose another: manage.py up --port {port + 1}")


def test_each_process_gets_the_database_role_of_its_work() -> None:
    ports = Ports(web=8000, simulator=8025, mail=8026)
    made = children(environment({}, ports, Path("/s")), ports, Path("/b"), Path("/s"))
    roles = {child.name: child.environ.get("OMNIFY_DB_ROLE") for child in made}
    assert roles == {
        "simulator": None, "web": "web", "default": "system", "dispatch": "system", "slow": "system", "pulse": "system",
    }  # fmt: skip
    assert {child.environ["Q_CLUSTER_NAME"] for child in made if "qcluster" in child.command} == {
        "default", "dispatch", "slow",
    }  # fmt: skip


def test_a_public_address_of_ones_own_is_kept() -> None:
    shared = environment({"PUBLIC_URL": "https://omnify.example"}, Ports(9000, 0, 0), Path("/s"))
    assert (shared["PUBLIC_URL"], shared["PORT"]) == ("https://omnify.example", "9000")
    assert "SIMULATOR_URL" not in shared
    assert environment({}, Ports(9000, 1, 2), Path("/s"))["PUBLIC_URL"] == "http://127.0.0.1:9000"


def test_the_simulator_keeps_its_ports_until_a_stranger_takes_one(folder: Path) -> None:
    first = instance.simulator_ports(folder)
    assert instance.simulator_ports(folder) == first
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", first[1]))
        stranger.listen()
        moved = instance.simulator_ports(folder)
    assert moved[0] == first[0]
    assert moved[1] != first[1]
