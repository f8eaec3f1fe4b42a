"""The real processes of a running Omnify (web, pulse, the three clusters), kept alive by the real supervisor.

Run as `python -m omnify.commands.chaos.cast <web port> <state folder> <note>`: writes each child's pid to the note.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from omnify.commands import instance, processes, sessions, supervisor
from omnify.commands.processes import Ports

ROOT = Path(__file__).resolve().parents[3]
ROLES = ("web", "pulse", *processes.CLUSTERS)
# Main, sentinel, monitor, pusher, and at least one worker.
WHOLE_CLUSTER = 5
COMING_UP = 120.0
STOPPING = 40.0


def main(port: int, state: Path, note: Path) -> None:
    """Runs until it is told to stop. A child that is killed every few seconds is not held back like one that crashes."""
    supervisor.STEADY_SECONDS, supervisor.GRACE_SECONDS = 1.0, 4.0
    cast = processes.children(dict(os.environ), Ports(web=port, simulator=0, mail=0), ROOT, state)
    boss = supervisor.Supervisor(cast, state)
    boss.run(each_round=lambda now: write(note, boss.living()))


def write(note: Path, living: Mapping[str, int]) -> None:
    aside = note.with_suffix(".new")
    aside.write_text(json.dumps(living))
    aside.replace(note)


@dataclass
class Cast:
    """The running cast as the killer sees it."""

    note: Path
    port: int

    def pids(self) -> dict[str, int]:
        """role -> pid of the leader of its processes."""
        try:
            known: dict[str, int] = json.loads(self.note.read_text())
        except FileNotFoundError:
            return {}
        return known

    def family(self, role: str) -> dict[int, str]:
        """pid -> what it is: web, pulse, or a member of a cluster (main, sentinel, worker, pusher, monitor). Empty when away."""
        leader = self.pids().get(role)
        if leader is None:
            return {}
        found = {}
        for pid in sessions.members({leader}):
            with contextlib.suppress(psutil.NoSuchProcess):
                kind = kind_of(pid, leader, psutil.Process(pid).cmdline()) if role in processes.CLUSTERS else ""
                if kind is not None:
                    found[pid] = f"{role} {kind}".strip()
        return found

    def stands(self, role: str) -> bool:
        """Whether it is up again: the page answers, the cluster is whole."""
        family = self.family(role)
        if role == "web":
            return bool(family) and instance.answers(self.port)
        return len(family) >= WHOLE_CLUSTER if role in processes.CLUSTERS else bool(family)

    def wait_until_whole(self) -> None:
        """Raises RuntimeError with the missing roles when they do not stand within two minutes."""
        until = time.monotonic() + COMING_UP
        while missing := [role for role in ROLES if not self.stands(role)]:
            if time.monotonic() > until:
                raise RuntimeError(f"These did not come up: {', '.join(missing)}.")
            time.sleep(0.2)


def kind_of(pid: int, leader: int, command: list[str]) -> str | None:
    """Which member of a django-q2 cluster this is, by the title it gives itself; None for what is not its own."""
    if pid == leader:
        return "main"
    words = " ".join(command).split()
    if "resource_tracker" in " ".join(words) or not words:
        return None
    for word, kind in (("monitor", "monitor"), ("pusher", "pusher"), ("idle", "worker"), ("processing", "worker")):
        if word in words[2:3]:
            return kind
    return "sentinel"


@contextlib.contextmanager
def running_cast(port: int, state: Path, folder: Path, environment: Mapping[str, str]) -> Iterator[Cast]:
    """The whole cast, up; stopped at the end, whatever was killed meanwhile. Its words are in <folder>/cast.log."""
    note = folder / "cast.json"
    command = [sys.executable, "-m", "omnify.commands.chaos.cast", str(port), str(state), str(note)]
    with (folder / "cast.log").open("w") as log:
        boss = subprocess.Popen(
            command, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            cast = Cast(note, port)
            cast.wait_until_whole()
            yield cast
        finally:
            boss.terminate()
            try:
                boss.wait(STOPPING)
            except subprocess.TimeoutExpired:
                boss.kill()  # its warden then kills what is left
                boss.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
