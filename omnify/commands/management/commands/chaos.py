"""`manage.py chaos --kills 500`: kills web, pulse, clusters and workers at random, and counts what people received."""

import secrets
import shutil
import signal
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from omnify.commands.chaos.arena import CASTS, ROLES, Arena

# Seconds between two kills, on average. Real processes need longer to come back; the killer waits for them anyway.
PAUSES = {"crew": 0.35, "both": 0.6, "real": 1.0}


class Command(BaseCommand):
    help = "Kills processes with -9 and crashes PostgreSQL while messages go out; fails on one duplicate or one loss."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kills", type=int, default=500)
        parser.add_argument("--cast", choices=CASTS, default="both", help="real processes, plain workers, or both")
        parser.add_argument("--roles", nargs="+", choices=ROLES, default=(), help="kill only these; default: all")
        parser.add_argument("--restarts", type=int, help="crashes of PostgreSQL; default: one a twenty kills")
        parser.add_argument("--people", type=int, help="three messages each; default: as many as kills, at most 400")
        parser.add_argument("--pause", type=float, help="seconds between kills, on average")
        parser.add_argument("--seed", type=int, help="the same seed draws the same lots")

    def handle(self, *args: Any, **options: Any) -> None:
        # Asked to end, it still stops its PostgreSQL.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        kills, cast = options["kills"], options["cast"]
        seed = options["seed"] if options["seed"] is not None else secrets.randbelow(1_000_000)
        restarts = options["restarts"] if options["restarts"] is not None else max(1, kills // 20)
        folder = Path(tempfile.mkdtemp(prefix="omnify-chaos-"))
        self.say(f"Seed {seed}. Everything happens in {folder}.")
        arena = Arena(folder, seed, options["people"] or min(kills, 400), cast, options["roles"], say=self.say)
        try:
            verdict = arena.run(kills, restarts, options["pause"] or PAUSES[cast])
        finally:
            shutil.rmtree(folder / "state", ignore_errors=True)
        self.say(verdict.table())
        if verdict.failures:
            for failure in verdict.failures:
                self.say(failure)
            raise CommandError(f"Not reliable. The ledger and the processes' words are in {folder}.")
        shutil.rmtree(folder)
        self.say(self.style.SUCCESS("Nobody got anything twice, nothing was lost, and every answer was heard."))

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
