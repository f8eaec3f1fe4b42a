"""`manage.py bench WHAT … [--json]`: how fast Omnify is, each measurement beside its floor from the same run.

Runs in databases of its own on the configured server, made and dropped here, under the role that does the work in
production with row-level security in force, so neither the data nor the numbers of a running Omnify are touched.
`manage.py bench all --write` measures everything and writes docs/benchmarks.md.
"""

import json
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from omnify.bench import report
from omnify.bench.measured import Measure, Size

# In the order of docs/benchmarks.md; each is omnify/bench/<name>.py with the role its process has in production.
BENCHES = {
    "tick": "omnify_system", "claim": "omnify_system", "dispatch": "omnify_system", "ingest": "omnify_system",
    "import": "omnify_system", "pages": "omnify_system", "wake": "omnify_system", "idle": "omnify_system",
}  # fmt: skip
MODULES = {"import": "importing"}


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Measures the core: each value beside its floor from the same run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", nargs="+", choices=[*BENCHES, "all"])
        parser.add_argument(
            "--json", action="store_true", help="one JSON object a bench: value, floor, ratio, and the rest"
        )
        parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
        parser.add_argument(
            "--full", action="store_true", help="the sizes of the goals: 5M enrolments, 1M rows; minutes"
        )
        parser.add_argument("--people", type=int, help="people, enrolments, messages or requests worked through")
        parser.add_argument("--rows", type=int, help="rows of the file, or enrolments of the larger table")
        parser.add_argument("--rounds", type=int, help="the median of so many rounds counts")
        parser.add_argument("--batch", type=int, default=500)
        parser.add_argument(
            "--processes", type=int, help="of the tick and its floor (default: once with one, once with two)"
        )

    def handle(self, *args: Any, what: list[str], **options: Any) -> None:
        size = Size(**{name: options[name] for name in ("people", "rows", "rounds", "batch", "processes", "full")})
        found: dict[str, list[Measure]] = {}
        for name in BENCHES if "all" in what else what:
            try:
                found[name] = run(name, size)
            except Exception as error:
                if len(what) == 1 and what != ["all"]:
                    raise
                self.stderr.write(f"{name}: {type(error).__name__}: {error}")
                found[name] = []
                continue
            self.tell(name, found[name], as_json=options["json"])
        if options["write"]:
            self.stdout.write(f"written: {report.write(found)}")
        if failed := [name for name, measures in found.items() if not measures]:
            raise CommandError(f"could not be measured: {', '.join(failed)}")

    def tell(self, name: str, measures: list[Measure], *, as_json: bool) -> None:
        if as_json:
            first, *_ = given = [measure.as_json() for measure in measures]
            self.stdout.write(json.dumps({"bench": name, **first, "measures": given}))
        else:
            for measure in measures:
                self.stdout.write(f"{name}: {measure.sentence()}")
        self.stdout.flush()


def run(name: str, size: Size) -> list[Measure]:
    """One bench in a database of its own."""
    from omnify.bench import scratch

    module = import_module(f"omnify.bench.{MODULES.get(name, name)}")
    with scratch.database(BENCHES[name]):
        measures: list[Measure] = module.measure(size)
    return measures
