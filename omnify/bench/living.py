"""Processes of a whole Omnify in the database of a measurement: started, waited for, and stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from django.conf import settings
from django.db import connection

from omnify.bench import scratch
from omnify.commands.processes import Ports, children, environment
from omnify.commands.supervisor import Child
from omnify.lib.ports import free_port


@contextmanager
def omnify(only: Iterable[str] = ()) -> Iterator[dict[str, int]]:
    """The processes of `manage.py up`, or those of these names, each in a group of its own; stopped at the end.

    Gives name -> process id.
    """
    ports = Ports(web=free_port(), simulator=free_port(), mail=free_port())
    folder = Path(mkdtemp(prefix="omnify-bench-"))
    # The secret that the roles' passwords come from stays that of this server.
    secrets = {"SECRET_KEY": settings.SECRET_KEY, "CREDENTIALS_KEY": settings.CREDENTIALS_KEY}
    shared = {**environment(scratch.environ("owner"), ports, folder), **secrets}
    wanted = [child for child in children(shared, ports, settings.BASE_DIR, folder) if not only or child.name in only]
    started = {child.name: _start(child, folder) for child in wanted}
    try:
        yield {name: process.pid for name, process in started.items()}
    finally:
        for process in started.values():
            _signal(process, signal.SIGTERM)
        for process in started.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
        rmtree(folder, ignore_errors=True)


def _start(child: Child, folder: Path) -> "subprocess.Popen[bytes]":
    log = (folder / f"{child.name}.log").open("wb")
    with log:
        return subprocess.Popen(
            child.command, cwd=settings.BASE_DIR, env=dict(child.environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def until(answered: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits for something to become true; raises RuntimeError when it takes longer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answered():
            return
        time.sleep(0.05)
    raise RuntimeError(f"{what} took longer than {seconds:g} s.")


def canaries_answered(*clusters: str) -> bool:
    """Whether each of these clusters has taken a task: everything between a NOTIFY and a worker is alive."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM sequences_wakeup WHERE kind = ANY(%s) AND finished_at IS NOT NULL",
            [[f"canary-{name}" for name in clusters]],
        )
        return bool(cursor.fetchone()[0] == len(clusters))
