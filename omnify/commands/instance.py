"""One running Omnify per state folder, its ports, and what the next one must know if this one is killed."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omnify.commands.processes import Ports
from omnify.lib.ports import free_port, port_is_free


class AlreadyRunning(Exception):
    """Another process holds the lock. The message says which, and whether it answers."""


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Holds the lock of `state_dir`; the kernel lets go of it when the holder ends, however it ends."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "up.lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            noted = read_note(state_dir)
            pid, port = noted.get("pid", "unknown"), noted.get("port", 0)
            doing = (
                f"already runs at http://127.0.0.1:{port}" if port and answers(int(port)) else "is starting or stopping"
            )
            raise AlreadyRunning(f"Omnify {doing} (process {pid}, state folder {state_dir}).") from None
        yield


def note_path(state_dir: Path) -> Path:
    return state_dir / "up.json"


def read_note(state_dir: Path) -> dict[str, int]:
    try:
        noted: dict[str, int] = json.loads(note_path(state_dir).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return noted


def write_note(state_dir: Path, port: int, owns_postgres: bool) -> None:
    """Kept until a proper end: the next `up` learns from it that the PostgreSQL it finds was left by a killed one."""
    aside = state_dir / f"up.json.{os.getpid()}"
    aside.write_text(json.dumps({"pid": os.getpid(), "port": port, "owns_postgres": int(owns_postgres)}))
    aside.replace(note_path(state_dir))


def simulator_ports(state_dir: Path) -> tuple[int, int]:
    """(HTTP, SMTP): chosen once and kept, so that handset pages and senders stay where they were; replaced if taken."""
    path = state_dir / "simulator.json"
    try:
        kept = [int(port) for port in json.loads(path.read_text())]
    except (FileNotFoundError, ValueError, TypeError):
        kept = []
    http, smtp = kept if len(kept) == 2 else (free_port(), free_port())
    http, smtp = (port if port_is_free(port) else free_port() for port in (http, smtp))
    path.write_text(json.dumps([http, smtp]))
    return http, smtp


def ports(state_dir: Path, web: int, *, with_simulator: bool) -> Ports:
    http, smtp = simulator_ports(state_dir) if with_simulator else (0, 0)
    return Ports(web=web, simulator=http, mail=smtp)
