"""Worker processes for proofs that kill them: forked from the proof, each with a connection of its own."""

import os
import random
import signal
import time
import traceback
from collections.abc import Callable

from django.db import connections

DIED, ENDED = "died", "ended"


def forked(work: Callable[[], object]) -> int:
    """The pid of a child that does `work` and ends: with 0, or with 1 and a traceback in the proof's words."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 (a child must end here, whatever it met)
        traceback.print_exc()
        os._exit(1)


def outlived(pid: int) -> str:
    """Waits for a child: ENDED by itself, or DIED by a kill. Raises RuntimeError when it raised."""
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return DIED
    if os.WEXITSTATUS(status):
        raise RuntimeError("A worker ended with an error; its traceback is above.")
    return ENDED


def killed_within(work: Callable[[], object], longest: float, chance: random.Random) -> str:
    """Runs `work` in a child and kills it with -9 after a part of `longest` seconds, unless it has ended by then."""
    pid = forked(work)
    until = time.monotonic() + chance.uniform(0, longest)
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
                raise RuntimeError("A worker ended with an error; its traceback is above.")
            return ENDED
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    return outlived(pid)
