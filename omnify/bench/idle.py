"""What a whole Omnify costs while nothing is due: processor seconds a minute of all its processes and database sessions.

Read from /proc, so on Linux only. The floor is one session that asks SELECT 1 once a second.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
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
        before, began = _spent(started), time.perf_counter()
        time.sleep(seconds)
        watched = time.perf_counter() - began
        after = _spent(started)
        session_count = len(_sessions())
        process_count = sum(1 for _, group in _groups() if group in started.values())
    each = {name: (after[name] - before.get(name, 0.0)) / watched * 100 for name in after}
    used = {kind: sum(share for name, share in each.items() if name[0] == kind) for kind in ("process", "session")}
    value = sum(used.values())
    return [
        compared(
            "All processes and database sessions while nothing is due", value, floor, "% of a core",
            goal=f"< {GOAL:g} %", met=value < GOAL, watched_seconds=round(watched),
            session_count=session_count, process_count=process_count, processes=round(used["process"], 3), sessions=round(used["session"], 3),
            each={" ".join(name): round(share, 3) for name, share in sorted(each.items(), key=lambda one: -one[1])},
        )
    ]  # fmt: skip


def _spent(started: Mapping[str, int]) -> dict[tuple[str, str], float]:
    """("process" | "session", whose it is) -> processor seconds so far: our processes, each by its part in its family, and the
    database's sessions, by the process that they answer."""
    names = {pid: name for name, pid in started.items()}
    spent: dict[tuple[str, str], float] = defaultdict(float)
    for pid, group in _groups():
        if group in names:
            spent["process", f"{names[group]} {_part(pid)}".strip()] += _seconds([pid])
    for pid, whose in _sessions():
        spent["session", whose] += _seconds([pid])
    return spent


def _part(pid: int) -> str:
    """What a member of a cluster's family is, from the title that it gave itself; "" for the others."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    last = title.split(" ")[-1]
    return last if title.startswith("qcluster ") else ""


def _sessions() -> list[tuple[int, str]]:
    """(process id, whose) of the sessions in this database, besides ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, coalesce(nullif(application_name, ''), backend_type) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [(int(pid), str(whose)) for pid, whose in cursor.fetchall()]


def _groups() -> Iterable[tuple[int, int]]:
    """(process id, its group) of everything that runs."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            yield int(entry.name), int(fields[2])


def _seconds(pids: Iterable[int]) -> float:
    """Processor seconds of these processes' threads; to the nanosecond where the kernel counts so."""
    total = 0.0
    for pid in pids:
        try:
            threads = list(Path(f"/proc/{pid}/task").iterdir())
            total += sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9
        except (FileNotFoundError, ProcessLookupError):
            if fields := _stat(pid):
                total += sum(int(fields[place]) for place in (11, 12)) / TICKS
    return total


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
