"""`manage.py up`: a whole Omnify with one command and one address; Ctrl-C ends all of it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from omnify.commands import instance
from omnify.commands.processes import children, environment, ledger_path
from omnify.commands.supervisor import Supervisor
from omnify.lib import postgres
from omnify.lib.database import settings_for
from omnify.lib.ports import port_is_free

READY_SECONDS = 90.0


class Command(BaseCommand):
    help = "Starts database, simulator, web and workers, and stops them together."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT, help="of the web pages (default: %(default)s)")
        parser.add_argument("--no-demo", action="store_true", help="do not load the demo tenant")

    def handle(self, *args: Any, port: int, no_demo: bool, **options: Any) -> None:
        state_dir = settings.STATE_DIR
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
                signal.signal(number, leave)
        try:
            with instance.only_one(state_dir):
                self.serve(state_dir, port, with_demo=not no_demo)
        except instance.AlreadyRunning as running:
            raise CommandError(str(running)) from None
        except postgres.PostgresError as error:
            raise CommandError(str(error)) from error

    def serve(self, state_dir: Path, port: int, *, with_demo: bool) -> None:
        if not port_is_free(port):
            raise CommandError(
                f"Port {port} is taken by another program. Choose another: manage.py up --port {port + 1}"
            )
        with_simulator = not settings.PRODUCTION and not os.environ.get("SIMULATOR_URL")
        ports = instance.ports(state_dir, port, with_simulator=with_simulator)
        self.environ = environment(os.environ, ports, state_dir)
        owns_postgres = self.start_database(state_dir)
        instance.write_note(state_dir, port, owns_postgres)
        try:
            self.prepare(state_dir, with_demo=with_demo, with_simulator=with_simulator)
            supervisor = Supervisor(children(self.environ, ports, settings.BASE_DIR, state_dir), state_dir)
            announcer = Announcer(supervisor, port, login(state_dir) if with_demo else "")
            supervisor.run(each_round=announcer.look)
        finally:
            if owns_postgres:
                postgres.stop(state_dir)
            instance.note_path(state_dir).unlink(missing_ok=True)
        self.stdout.write("Omnify stopped.")
        if announcer.gave_up:
            raise CommandError("Omnify did not come up; the lines above say why.")

    def start_database(self, state_dir: Path) -> bool:
        """True when the embedded server is ours to stop at the end: started here, or left behind by a killed `up`."""
        if os.environ.get("DATABASE_URL", "").strip():
            return False
        left_behind = bool(instance.read_note(state_dir).get("owns_postgres"))
        server = postgres.start(state_dir)
        return left_behind or not server.already_running

    def prepare(self, state_dir: Path, *, with_demo: bool, with_simulator: bool) -> None:
        self.manage("db", "roles", "--verbosity=0")
        self.manage("migrate", "--noinput", "--verbosity=0")
        if with_demo and not has_demo(state_dir):
            self.stdout.write("Loading the demo tenant …")
            self.stdout.flush()
            self.manage("demo")
        if with_simulator:  # written before it starts: its webhooks go to this run's port from the first message on
            kept = ledger_path(state_dir).with_suffix(".config.json")
            self.manage("simulator_accounts", "--keep", str(kept), "--verbosity=0")

    def manage(self, *words: str) -> None:
        environ = {name: value for name, value in self.environ.items() if name != "OMNIFY_DB_ROLE"}
        done = subprocess.run([sys.executable, settings.BASE_DIR / "manage.py", *words], env=environ, check=False)
        if done.returncode:
            raise CommandError(f"manage.py {words[0]} failed; its words are above.")


def leave(number: int, frame: FrameType | None) -> None:
    """While still preparing: an exception, so that what was started is stopped on the way out."""
    raise SystemExit(128 + number)


def has_demo(state_dir: Path) -> bool:
    """Asked as the system role, which sees every tenant, and with the server's present port."""
    config = settings_for("system", state_dir, settings.SECRET_KEY)
    address = {"host": config["HOST"], "port": config["PORT"], "dbname": config["NAME"]}
    with psycopg.connect(**address, user=config["USER"], password=config["PASSWORD"], **config["OPTIONS"]) as conn:
        return conn.execute("SELECT 1 FROM tenants_tenant WHERE slug = 'demo'").fetchone() is not None


def login(state_dir: Path) -> str:
    """The demo's log-in, as `manage.py demo` left it in the state folder; empty when it left none."""
    try:
        kept = json.loads((state_dir / "demo.json").read_text())
    except FileNotFoundError:
        return ""
    return f"{kept['email']} / {kept['password']}"


class Announcer:
    """Says once that Omnify is up, when its log-in page really answers; gives up after READY_SECONDS."""

    def __init__(self, supervisor: Supervisor, port: int, login: str) -> None:
        self._supervisor, self._port, self._login = supervisor, port, login
        self._began, self._said = time.monotonic(), False
        self.gave_up = False

    def look(self, now: float) -> None:
        if self._said:
            return
        if self._page_answers():
            self._said = True
            log_in = f"  log in: {self._login}" if self._login else ""
            self._supervisor.say(f"Omnify is up: http://127.0.0.1:{self._port}{log_in}")
        elif now - self._began > READY_SECONDS:
            self.gave_up = True
            self._supervisor.stop(f"the log-in page did not answer within {READY_SECONDS:g} s")

    def _page_answers(self) -> bool:
        if not instance.answers(self._port):
            return False
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", "/accounts/login/")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
