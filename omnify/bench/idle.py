"""What a whole Omnify costs while nothing is due: processor seconds a minute of all its processes and database sessions.

Read from /proc, so on Linux only. The floor is one session that asks SELECT 1 once a second.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from django.db import connection

from omnify.bench import living
from omnify.bench.measured import Measure, Size, compared
from omnify.commands.processes import CLUSTERS

GOAL = 1.0
READY_SECONDS, SETTLE_SECONDS, WATCHED_SECONDS = 120.0, 10.0, 30.0
PROCESSES: tuple[str, ...] = ()  # all of them
TICKS = os.sysconf("SC_CLK_TCK")


def measure(size: Size) -> list[Measure]:
    """`--rounds` is for how many half minutes it is watched."""
    seconds = WATCHED_SECONDS * (size.rounds or (4 if size.full else 1))
    floor = _floor(min(seconds, 10.0))
    with living.omnify(PROCESSES) as started:
        clusters = [name for name in CLUSTERS if not PROCESSES or name in PROCESSES]
        living.until(lambda: living.canaries_answered(*clusters), READY_SECONDS, "The start of all processes")
        time.sleep(SETTLE_SECONDS)
        groups = {process.pid for process in started}
        before, began = _spent(groups), time.perf_counter()
        time.sleep(seconds)
        watched = time.perf_counter() - began
        after, session_count, process_count = _spent(groups), len(_sessions()), len(_processes(groups))
    used = {name: (after[name] - before.get(name, 0.0)) / watched * 100 for name in after}
    value = sum(used.values())
    return [
        compared(
            "All processes and database sessions while nothing is due", value, floor, "% of a core",
            goal=f"< {GOAL:g} %", met=value < GOAL, watched_seconds=round(watched), session_count=session_count, process_count=process_count,
            **{name: round(share, 3) for name, share in used.items()},
        )
    ]  # fmt: skip


def _spent(groups: set[int]) -> dict[str, float]:
    """Processor seconds so far of the processes in these groups, and of the database's sessions in this database."""
    return {"processes": _seconds(_processes(groups)), "sessions": _seconds(_sessions())}


def _processes(groups: set[int]) -> set[int]:
    return {pid for pid, group in _groups() if group in groups}


def _sessions() -> set[int]:
    """The process ids of the sessions in this database, besides ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return {pid for (pid,) in cursor.fetchall()}


def _groups() -> Iterable[tuple[int, int]]:
    """(process id, its group) of everything that runs."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            yield int(entry.name), int(fields[2])


def _seconds(pids: Iterable[int]) -> float:
    total = 0
    for pid in pids:
        if fields := _stat(pid):
            total += sum(int(fields[place]) for place in (11, 12, 13, 14))  # its own and its ended children's time
    return total / TICKS


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name; [] when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _floor(seconds: float) -> float:
    """The share of a core that our own session's SELECT 1 a second takes, both ends of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (session,) = cursor.fetchone()
        before, began = _seconds([os.getpid(), session]), time.perf_counter()
        while time.perf_counter() - began < seconds:
            cursor.execute("SELECT 1")
            time.sleep(1)
        return max((_seconds([os.getpid(), session]) - before) / (time.perf_counter() - began) * 100, 0.01)
