"""`manage.py bench tick [--json]`: how fast the core is, as a ratio to its floor, measured in the same run.

Runs in a database of its own on the configured server, made and dropped here, under the workers' role with row-level
security in force, so neither the data nor the numbers of a running Omnify are touched.
"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from omnify.bench import scratch, tick


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Measures the tick against the least work any durable design must do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["tick"])
        parser.add_argument("--json", action="store_true", help="one JSON object: value, floor, ratio")
        parser.add_argument("--people", type=int, default=20_000, help="enrolments a measured round (default 20000)")
        parser.add_argument("--rounds", type=int, default=3, help="rounds; the median counts (default 3)")
        parser.add_argument("--batch", type=int, default=500)

    def handle(self, *args: Any, what: str, people: int, rounds: int, batch: int, **options: Any) -> None:
        with scratch.database():
            result = tick.measure(people=people, rounds=rounds, batch=batch)
        if options["json"]:
            self.stdout.write(json.dumps(result))
            return
        self.stdout.write(
            f"tick: {result['value']:,} due enrolments/s through the whole tick, one process, batches of {batch}\n"
            f"floor: {result['floor']:,} rows/s, one SQL statement a batch on the leanest schema\n"
            f"ratio: {result['ratio']:.2f} of the floor; {result['statements_per_tick']} statements a tick"
        )
