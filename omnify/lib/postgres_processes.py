"""The processes of one embedded PostgreSQL: finding them, stopping them, and clearing up after a killed postmaster."""

import os
import signal
import time

import psutil

from omnify.lib.postgres_home import Home, PostgresError

STOPPING_SECONDS = 60


def processes(home: Home) -> list[psutil.Process]:
    """This server's live processes, known by the cluster name in their titles (zombies have none)."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or [""]
        named = os.path.basename(words[0]) == "postgres" and f"cluster_name={home.cluster_name}" in words
        if named or words[0].startswith(f"postgres: {home.cluster_name}: "):
            found.append(process)
    return found


def postmaster(home: Home) -> psutil.Process | None:
    try:
        pid = int((home.data / "postmaster.pid").read_text().split("\n")[0])
    except (FileNotFoundError, ValueError):
        return None
    return next((process for process in processes(home) if process.pid == pid), None)


def clear_wreck(home: Home) -> None:
    """After a killed postmaster: waits for its orphans, ends those that stay, and only then drops the stale pid file.

    The order matters: while an orphan lives, the pid file is what stops a second server from writing to the same data.
    """
    orphans = processes(home)
    if not gone(home, 5):
        for process in orphans:
            _signal(process, signal.SIGKILL)
        if not gone(home, 10):
            raise PostgresError(f"Processes of a dead PostgreSQL still hold {home.data} and cannot be ended.")
    (home.data / "postmaster.pid").unlink(missing_ok=True)


def shut_down(home: Home, mode: str) -> bool:
    signals = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
    if mode not in signals:
        raise PostgresError(f"Stop mode {mode!r} is none of {', '.join(signals)}.")
    process = postmaster(home)
    if process is None:
        return False
    _signal(process, signals[mode])
    if not gone(home, STOPPING_SECONDS):
        raise PostgresError(f"PostgreSQL did not stop within {STOPPING_SECONDS} seconds. Its log is {home.log}.")
    return True


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def gone(home: Home, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while processes(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True
