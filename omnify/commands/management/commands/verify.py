"""`manage.py verify`: every check of `make test`, one after the other; names those that failed and exits non-zero."""

import os
import secrets
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from omnify.lib import postgres

BIN = Path(sysconfig.get_path("scripts"))
MANAGE = (sys.executable, "manage.py")
# Production's own rules with throw-away secrets: what the deployment check sees is what a deployment would have.
PRODUCTION = {
    "OMNIFY_ENV": "production",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "CREDENTIALS_KEY": secrets.token_urlsafe(48),
    "SUPPRESSION_KEY": secrets.token_urlsafe(48),
    "ALLOWED_HOSTS": "omnify.example",
    "PUBLIC_URL": "https://omnify.example",
}


@dataclass(frozen=True)
class Check:
    """One command that must exit with 0. `usual` ones make up `make test`; the others are asked for by name."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    needs_database: bool = False
    usual: bool = True


CHECKS = (
    Check("style", (str(BIN / "ruff"), "check", ".")),
    Check("format", (str(BIN / "ruff"), "format", "--check", ".")),
    Check("types", (str(BIN / "mypy"), ".")),
    Check("imports", (str(BIN / "lint-imports"),)),
    Check("deployment", (*MANAGE, "check", "--deploy", "--fail-level", "WARNING"), PRODUCTION),
    Check("migrations", (*MANAGE, "makemigrations", "--check", "--dry-run"), needs_database=True),
    Check(
        "tests",
        (sys.executable, "-m", "pytest", "-q", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"),
        needs_database=True,
    ),
    # After the tests, alone: its proofs measure themselves against the clock.
    Check("promises", (*MANAGE, "promises", "--quick"), needs_database=True),
    Check(
        "chaos",
        (*MANAGE, "chaos", "--kills", os.environ.get("OMNIFY_CHAOS_KILLS", "500")),
        usual=False,
    ),
    Check("bench", (*MANAGE, "bench", "all", "--write"), needs_database=True, usual=False),
)


class Command(BaseCommand):
    help = "Runs every check and says which failed."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        names = [check.name for check in CHECKS]
        parser.add_argument("--only", nargs="+", choices=names, metavar="CHECK", help=f"some of: {', '.join(names)}")

    def handle(self, *args: Any, only: list[str] | None, **options: Any) -> None:
        chosen = [check for check in CHECKS if (check.name in only if only else check.usual)]
        # A measurement must pay for durability; tests need not, and take half the time.
        durable = any(check.name == "bench" for check in chosen)
        started = any(check.needs_database for check in chosen) and self.start_database(durable)
        try:
            results = [(check, *self.run(check)) for check in chosen]
        finally:
            if started:
                postgres.stop(settings.STATE_DIR)
        failed = [check.name for check, passed, _ in results if not passed]
        if len(results) > 1:
            self.stdout.write("")
            for check, passed, seconds in results:
                self.stdout.write(f"{'passed' if passed else 'FAILED'}  {check.name:<12} {seconds:6.1f} s")
        if failed:
            raise CommandError(f"failed: {', '.join(failed)}")

    def start_database(self, durable: bool) -> bool:
        """True when the embedded server was started here, and so is stopped here."""
        self.stdout.write("— database")
        self.stdout.flush()
        own_server = bool(os.environ.get("DATABASE_URL", "").strip())
        running = own_server or postgres.status(settings.STATE_DIR).running
        command = [*MANAGE, "db", "roles" if own_server else "start"]
        environ = {**os.environ, "OMNIFY_POSTGRES_DURABLE": str(int(durable))}
        if subprocess.run(command, cwd=settings.BASE_DIR, env=environ, check=False).returncode:
            raise CommandError("failed: database")
        return not running

    def run(self, check: Check) -> tuple[bool, float]:
        self.stdout.write(f"— {check.name}")
        self.stdout.flush()
        began = time.monotonic()
        environ = {**os.environ, **check.environ}
        code = subprocess.run(
            check.command, cwd=settings.BASE_DIR, env=environ, stdin=subprocess.DEVNULL, check=False
        ).returncode
        return code == 0, time.monotonic() - began
