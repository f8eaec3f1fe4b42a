"""`manage.py promises --quick`: tries to break every promise, and prints what was tried, how often, and how often it broke.

Runs in databases of its own on the configured server, as the workers' role, with simulators of its own; what a running Omnify
holds is neither read nor written.
"""

import json
import secrets
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from omnify.promises import running, scratch
from omnify.promises.book import BOOK, KEYS

HEAD = f"{'':<4} {'promise':<55} {'tried':>9} {'failed':>7} {'seconds':>8}  "


class Command(BaseCommand):
    help = "Tries to break every promise; fails when one could be broken."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        size = parser.add_mutually_exclusive_group()
        size.add_argument("--quick", action="store_true", help="under three minutes (default)")
        size.add_argument("--full", action="store_true", help="the numbers of docs/reliability.md; about an hour")
        parser.add_argument("--seed", type=int, help="the same seed draws the same lots")
        parser.add_argument("--only", nargs="+", choices=KEYS, metavar="G1", help="only these promises")
        parser.add_argument("--json", action="store_true", help="one JSON object: seed, scale, results")

    def handle(self, *args: Any, **options: Any) -> None:
        # Asked to end, it still drops its databases and stops what its proofs have started.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        scale = "full" if options["full"] else "quick"
        seed = options["seed"] if options["seed"] is not None else secrets.randbelow(1_000_000)
        chosen = [promise for promise in BOOK if not options["only"] or promise.key in options["only"]]
        folder = Path(tempfile.mkdtemp(prefix="omnify-promises-"))
        quiet = options["json"]
        self.say(f"Seed {seed}, {scale}. The proofs' own words are in {folder}.", quiet)
        results, began = [], time.monotonic()
        with scratch.template() as template:
            for result in running.run(chosen, scale, seed, template, folder):
                results.append(result)
                self.say(f"{time.monotonic() - began:6.0f} s  {result.state}: {result.promise} {result.proof}", quiet)
        results.sort(key=lambda result: KEYS.index(result.promise))
        self.say("\n".join([HEAD, *map(line, results)]), quiet)
        failed = [result for result in results if result.state == running.BROKEN]
        if quiet:
            self.stdout.write(json.dumps({"seed": seed, "scale": scale, "results": [asdict(each) for each in results]}))
        if failed:
            named = ", ".join(dict.fromkeys(result.promise for result in failed))
            raise CommandError(f"Broken with seed {seed}: {named}. The proofs' words are in {folder}.")
        shutil.rmtree(folder, ignore_errors=True)
        proven = {result.promise for result in results if result.state == running.KEPT}
        self.say(f"{len(proven)} of {len(chosen)} promises tried, none broken.", quiet)

    def say(self, text: str, quiet: bool) -> None:
        if not quiet:
            self.stdout.write(text)
            self.stdout.flush()


def line(result: running.Result) -> str:
    """One line of the table."""
    if result.state == running.NO_PROOF:
        return f"{result.promise:<4} {result.says:<55} {running.NO_PROOF:>26}  {result.note}"
    numbers = f"{result.tried:>9,} {result.failed:>7,} {result.seconds:>8.1f}"
    return f"{result.promise:<4} {result.says:<55} {numbers}  {result.proof}: {result.note}"
