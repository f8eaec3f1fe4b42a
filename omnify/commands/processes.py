"""Which processes make a running Omnify, with the command, database role and environment of each. Pure."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from omnify.commands.supervisor import Child

CLUSTERS = ("default", "dispatch", "slow")


@dataclass(frozen=True)
class Ports:
    """On 127.0.0.1. `simulator` and `mail` are the simulated providers' HTTP and SMTP; 0 when none is started."""

    web: int
    simulator: int
    mail: int


def environment(inherited: Mapping[str, str], ports: Ports, state_dir: Path) -> dict[str, str]:
    """What all processes of one Omnify share. Addresses that the person has set stay theirs."""
    shared = {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "omnify.settings",
        "OMNIFY_STATE_DIR": str(state_dir),
        "PORT": str(ports.web),
        "PUBLIC_URL": inherited.get("PUBLIC_URL") or f"http://127.0.0.1:{ports.web}",
        "PYTHONUNBUFFERED": "1",
    }
    if ports.simulator:
        shared["SIMULATOR_URL"] = f"http://127.0.0.1:{ports.simulator}"
        shared["SIMULATOR_SMTP_PORT"] = str(ports.mail)
    return shared


def ledger_path(state_dir: Path) -> Path:
    """What simulated people received; the simulator's configuration lies beside it (ledger.config.json)."""
    return state_dir / "simulator" / "ledger.jsonl"


def children(shared: Mapping[str, str], ports: Ports, base_dir: Path, state_dir: Path) -> list[Child]:
    """In starting order. Each gets a database role that can do its work and no more."""
    manage = (sys.executable, str(base_dir / "manage.py"))
    started = []
    if ports.simulator:
        command = [sys.executable, "-m", "omnify.simulator", "--port", str(ports.simulator)]
        command += ["--smtp-port", str(ports.mail), "--ledger", str(ledger_path(state_dir))]
        started.append(Child("simulator", command, shared))
    web = [sys.executable, "-m", "omnify.commands.web", "--port", str(ports.web)]
    started.append(Child("web", web, {**shared, "OMNIFY_DB_ROLE": "web"}))
    system = {**shared, "OMNIFY_DB_ROLE": "system"}
    started += [Child(name, (*manage, "qcluster"), {**system, "Q_CLUSTER_NAME": name}) for name in CLUSTERS]
    started.append(Child("pulse", (*manage, "pulse"), system))
    # The name under which a process's sessions are found in pg_stat_activity.
    return [replace(child, environ={**child.environ, "PGAPPNAME": f"omnify-{child.name}"}) for child in started]
