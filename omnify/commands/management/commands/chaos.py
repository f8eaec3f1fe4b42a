"""`manage.py chaos --kills 500`: kills workers at random while they send, and counts what people received."""

import secrets
import shutil
import signal
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from omnify.commands.chaos.arena import Arena


class Command(BaseCommand):
    help = "Kills workers with -9 and crashes PostgreSQL while messages go out; fails on one duplicate or one loss."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kills", type=int, default=500)
        parser.add_argument(
            "--restarts", type=int, default=None, help="crashes of PostgreSQL; default: one a hundred kills"
        )
        parser.add_argument(
            "--people", type=int, default=None, help="three messages each; default: as many as kills, at most 400"
        )
        parser.add_argument("--pause", type=float, default=0.35, help="seconds between kills, on average")
        parser.add_argument("--seed", type=int, default=None, help="the same seed kills in the same order")

    def handle(self, *args: Any, **options: Any) -> None:
        # Asked to end, it still stops its PostgreSQL.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        kills = options["kills"]
        seed = options["seed"] if options["seed"] is not None else secrets.randbelow(1_000_000)
        restarts = options["restarts"] if options["restarts"] is not None else max(1, kills // 100)
        folder = Path(tempfile.mkdtemp(prefix="omnify-chaos-"))
        self.stdout.write(f"Seed {seed}. Everything happens in {folder}.")
        arena = Arena(folder, seed, options["people"] or min(kills, 400), say=self.stdout.write)
        try:
            verdict = arena.run(kills, restarts, options["pause"])
        finally:
            shutil.rmtree(folder / "state", ignore_errors=True)
        self.stdout.write(verdict.table())
        if not verdict.passed:
            raise CommandError(f"Not reliable. The ledger and the crew's log are in {folder}.")
        shutil.rmtree(folder)
        self.stdout.write(self.style.SUCCESS("Nobody got anything twice, and nothing was lost."))
