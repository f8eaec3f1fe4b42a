"""Stopping a child and everything it started. Each child leads a session of its own, which names its whole family.

SIGTERM goes to the leader alone: a django-q2 cluster whose every process gets SIGTERM hangs for ever. What is still
there after the grace period, or is left behind by a leader that crashed, is killed.
"""

import os
import signal
import time
from collections.abc import Collection

import psutil


def members(leaders: Collection[int]) -> list[int]:
    """The pids of all live processes in the sessions led by `leaders`. Zombies have ended and do not count."""
    found = []
    for pid in psutil.pids():
        try:
            if os.getsid(pid) in leaders and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue  # it ended while we looked, or belongs to another user and so not to us
    return found


def send(pid: int, number: signal.Signals) -> bool:
    """False when there is no such process any more."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def alive(pid: int) -> bool:
    """Whether this process is there; a zombie has ended."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill(leaders: Collection[int]) -> int:
    """Kills every member; returns how many signals it took. Looks until none is left: a dying process may fork."""
    killed = 0
    deadline = time.monotonic() + 10
    while (found := members(leaders)) and time.monotonic() < deadline:
        killed += sum(send(pid, signal.SIGKILL) for pid in found)
        time.sleep(0.02)
    return killed


def stop(leaders: Collection[int], grace: float) -> None:
    """SIGTERM to the leaders, `grace` seconds for their families to go, then SIGKILL for those that stayed."""
    for pid in leaders:
        send(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while (found := members(leaders)) and time.monotonic() < deadline:
        if not set(found) & set(leaders):
            break  # the leaders are gone; nobody is left to tell their orphans
        time.sleep(0.05)
    kill(leaders)
