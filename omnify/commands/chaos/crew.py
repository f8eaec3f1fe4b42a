"""The workers that are killed. Run as `python -m omnify.commands.chaos.crew`: loads Omnify once, then forks a worker a line.

Each worker does everything an Omnify does about sending (tick, dispatch, reconcile, read again), for ever. It obeys its parent through a
pipe: "spawn" forks one and answers its pid; the end of the pipe ends the parent, and with it, all of them.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omnify.commands import sessions

CHANNELS = ("sms", "email", "voice")
# What a worker calls itself to the database, by its pid.
NAME = "crew {}"
ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Crew:
    """The running crew as the killer sees it. `size`: so many are there at the least; those that were frozen and went on come on
    top, until they are killed."""

    parent: "subprocess.Popen[str]"
    log: Path
    size: int = 1
    pids: list[int] = field(default_factory=list)
    frozen: list[int] = field(default_factory=list)

    def spawn(self) -> None:
        """One more worker. Raises RuntimeError with the crew's last words when it ended."""
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        self.parent.stdin.write("spawn\n")
        self.parent.stdin.flush()
        answer = self.parent.stdout.readline()
        if not answer.strip():
            raise RuntimeError(f"The crew ended:\n{self.log.read_text()[-3000:]}")
        self.pids.append(int(answer))

    def kill_one(self, chance: random.Random) -> int:
        """kill -9 of one worker, no good-bye, no flush; another takes its place when too few are left. The pid of the dead."""
        pid = self.pids.pop(chance.randrange(len(self.pids)))
        sessions.send(pid, signal.SIGKILL)
        self.fill()
        return pid

    def freeze_one(self, chance: random.Random) -> int:
        """Stops one worker wherever it is, as a machine that is paused would; another takes its place. Its pid."""
        pid = self.pids.pop(chance.randrange(len(self.pids)))
        sessions.send(pid, signal.SIGSTOP)
        self.frozen.append(pid)
        self.fill()
        return pid

    def thaw(self, pid: int) -> bool:
        """Lets a frozen worker go on where it was, beside the one that took its place; False when the kernel has ended it."""
        self.frozen.remove(pid)
        if not sessions.send(pid, signal.SIGCONT):
            return False
        self.pids.append(pid)
        return True

    def fill(self) -> None:
        """As many as there should be."""
        while len(self.pids) < self.size:
            self.spawn()

    def replace(self) -> int:
        """Others take the places of those that ended by themselves (a send that was not over in time ends its process: see
        sequences.deadman), as the supervisor of a cluster does it. Returns how many had."""
        alive = [pid for pid in self.pids if sessions.alive(pid)]
        ended = len(self.pids) - len(alive)
        self.pids[:] = alive
        self.fill()
        return ended

    def end(self) -> None:
        """kill -9 of everyone."""
        for pid in (*self.pids, *self.frozen):
            sessions.send(pid, signal.SIGKILL)
        self.pids.clear()
        self.frozen.clear()


@contextmanager
def running_crew(workers: int, folder: Path, environment: Mapping[str, str]) -> Iterator[Crew]:
    """A crew of so many workers; its words are in <folder>/crew.log."""
    path = folder / "crew.log"
    with path.open("w") as log:
        parent = subprocess.Popen(
            [sys.executable, "-m", "omnify.commands.chaos.crew"],
            cwd=ROOT,
            env={**environment, "OMNIFY_DB_ROLE": "system"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        crew = Crew(parent, path, workers)
        try:
            crew.fill()
            yield crew
        finally:
            crew.end()
            parent.kill()
            for pipe in (parent.stdin, parent.stdout):
                if pipe is not None:
                    pipe.close()
            parent.wait()


def main() -> None:
    import django

    django.setup()
    _warm()
    for line in sys.stdin:
        if line.strip() != "spawn":
            continue
        pid = os.fork()
        if pid == 0:
            work()
        print(pid, flush=True)
        _bury()


def work() -> None:
    """One worker's life. The kernel ends it when its parent dies: nothing of this test outlives it."""
    _die_with_parent()
    from django.db import DatabaseError, InterfaceError, connection, connections

    from sequences.delivery import dispatch
    from sequences.engine import tick
    from sequences.inbound import apply_waiting
    from sequences.polling import poll
    from sequences.reconcile import reconcile
    from sequences.timekeeping import database_clock

    connection.settings_dict["OPTIONS"]["application_name"] = NAME.format(os.getpid())
    turns: list[Any] = [
        lambda: tick(database_clock()(), 10),
        lambda: dispatch(CHANNELS, now=database_clock(), budget_seconds=1.0, threads=3),
        lambda: reconcile(database_clock()(), batch=20),
        # No webhook reaches a crew without a web process: how calls ended is read from the providers' lists alone.
        lambda: poll(database_clock()(), budget_seconds=2.0),
        lambda: apply_waiting(database_clock()(), budget_seconds=1.0),
    ]
    while True:
        for turn in turns:
            try:
                turn()
            except (DatabaseError, InterfaceError, OSError) as error:
                print(f"worker {os.getpid()}: {type(error).__name__}", file=sys.stderr)
                connections.close_all()
                time.sleep(0.2)
        time.sleep(0.02)


def _warm() -> None:
    from sequences.transports import transport_for

    for provider in ("twilio", "vapi", "smtp"):
        transport_for(provider).warm()


def _bury() -> None:
    """Takes note of the dead, so that none stays a zombie."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _die_with_parent() -> None:
    import ctypes

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(0)


if __name__ == "__main__":
    main()
