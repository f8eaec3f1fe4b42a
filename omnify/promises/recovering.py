"""G9: a cluster whose idle worker, monitor or pusher is killed with -9 takes tasks again by itself.

Such a kill leaves a lock of multiprocessing's queues taken for ever. Real web, pulse, clusters and supervisor, times as in
production; the judge is the database: a task that the cluster began after it was started anew.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from omnify.commands import sessions
from omnify.commands.chaos.cast import Cast, running_cast
from omnify.commands.processes import CLUSTERS
from omnify.lib import postgres
from omnify.promises.outcome import Outcome
from omnify.simulator.running import free_ports

ROOT = Path(__file__).resolve().parents[2]
# (kills of idle workers, kills of other resting members, seconds within which the cluster must work again). The quick scale
# runs beside other proofs on machines of any speed: it proves that it recovers, and says how soon.
SCALES: Mapping[str, tuple[int, int, float]] = {"quick": (2, 1, 60.0), "full": (24, 12, 15.0)}
GIVE_UP = 90.0
# A task that was asked for after `since`, and begun. Its database's clock is the judge's.
BEGUN = "SELECT 1 FROM sequences_wakeup WHERE kind = %s AND asked_at > %s AND started_at >= asked_at"
DONE = BEGUN + " AND finished_at >= started_at"
# How long a worker has been at rest when it is killed: it waits inside the queue by then.
AT_REST = 0.5
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Recovery:
    """One kill: of what, and the seconds until a task ran; None when none did in GIVE_UP seconds."""

    victim: str
    seconds: float | None


def prove_recovery(scale: str, seed: int) -> Outcome:
    """Tried: kills. Failed: those after which the cluster took no task in time."""
    workers, others, bound = SCALES[scale]
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    victims = ["worker"] * workers + [chance.choice(("monitor", "pusher")) for _ in range(others)]
    turns = [(CLUSTERS[n % len(CLUSTERS)], kind) for n, kind in enumerate(victims)]
    folder = Path(tempfile.mkdtemp(prefix="omnify-recovery-")).resolve()
    folder.chmod(0o755)
    state = folder / "state"
    state.mkdir(mode=0o755)
    try:
        postgres.start(state)
        environment = _environment(state)
        port = int(environment["PORT"])
        with running_cast(port, state, folder, environment) as cast:
            found = [_killed(cast, state, cluster, kind, chance) for cluster, kind in turns]
    finally:
        postgres.stop(state, mode="immediate")
        shutil.rmtree(folder, ignore_errors=True)
    late = [each for each in found if each.seconds is None or each.seconds > bound]
    for each in late:
        print(f"{each.victim}: {each.seconds}", flush=True)
    slowest = max((each.seconds or GIVE_UP for each in found), default=0.0)
    told = f"kill -9 of resting members; the slowest worked again after {slowest:.1f} s (bound {bound:.0f} s)"
    return Outcome(len(found), len(late), told)


def _environment(state: Path) -> dict[str, str]:
    """Of all processes; the database migrated, nobody in it."""
    port = free_ports(1)[0]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "OMNIFY_"))}
    environment = {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "omnify.settings",
        "OMNIFY_STATE_DIR": str(state),
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    for command in (["migrate", "--verbosity", "0"], ["db", "roles"]):
        subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *command],
            cwd=ROOT,
            env={**environment, "OMNIFY_DB_ROLE": "owner"},
            check=True,
            capture_output=True,
            timeout=300,
        )
    return environment


def _killed(cast: Cast, state: Path, cluster: str, kind: str, chance: random.Random) -> Recovery:
    """Kills one resting member, and waits until the cluster has begun a task that was asked for afterwards."""
    with psycopg.connect(postgres.database_url(state), autocommit=True) as database:
        for _ in range(MOST_TRIES):
            cast.wait_until_whole()
            if not _until(database, DONE, cluster, _now(database)):
                raise RuntimeError(f"The cluster {cluster} took no task before anything was killed.")
            time.sleep(AT_REST)
            family = [pid for pid, what in sorted(cast.family(cluster).items()) if what == f"{cluster} {kind}"]
            killed_at, began = _now(database), time.monotonic()
            if family and sessions.send(chance.choice(family), signal.SIGKILL):
                break  # otherwise the cluster is just being renewed, by itself or by its supervisor
        else:
            raise RuntimeError(f"No {kind} of {cluster} was ever at rest to be killed.")
        again = _until(database, BEGUN, cluster, killed_at)
    return Recovery(f"{cluster} {kind}", time.monotonic() - began if again else None)


def _now(database: psycopg.Connection[Any]) -> Any:
    row = database.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return row[0]


def _until(database: psycopg.Connection[Any], question: str, cluster: str, since: Any) -> bool:
    """Waits until the question about the cluster's canary has an answer; False when it has none in GIVE_UP seconds."""
    until = time.monotonic() + GIVE_UP
    while time.monotonic() < until:
        if database.execute(question, [f"canary-{cluster}", since]).fetchone():
            return True
        time.sleep(0.05)
    return False
