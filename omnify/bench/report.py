"""docs/benchmarks.md: what was measured, on which machine, of which commit."""

import platform
import subprocess
from pathlib import Path

from django.conf import settings
from django.db import connection

from omnify.bench.measured import Measure
from omnify.lib.clock import now

HEAD = """# Benchmarks

Written by `make bench`. Value and floor come from the same run on the same machine: compare ratios, not numbers of
different machines. docs/performance.md says what each floor is and what makes the difference.

"""
COLUMNS = "| bench | what | value | floor | ratio | goal | |\n|---|---|---:|---:|---:|---|---|\n"


def write(found: dict[str, list[Measure]]) -> Path:
    """Writes the file anew; returns its path."""
    path = Path(settings.BASE_DIR) / "docs" / "benchmarks.md"
    path.write_text(text(found))
    return path


def text(found: dict[str, list[Measure]]) -> str:
    """The page in Markdown."""
    lines = [HEAD, f"{machine()}\n\n", COLUMNS]
    for name, measures in found.items():
        lines += [row(name, measure) for measure in measures] or [f"| {name} | could not be measured | | | | | |\n"]
    return "".join(lines)


def row(name: str, measure: Measure) -> str:
    floor = "" if measure.floor is None else f"{measure.floor:,.6g}"
    ratio = "" if measure.ratio is None else f"{measure.ratio:.3g}"
    return (
        f"| {name} | {measure.what} | {measure.value:,.6g} {measure.unit} | {floor} | {ratio} | {measure.goal} | "
        f"{'met' if measure.met else 'not met'} |\n"
    )


def machine() -> str:
    """One line: processor, cores, Python, PostgreSQL, day and commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('synchronous_commit')")
        version, durable = cursor.fetchone()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    ).stdout.strip()
    return (
        f"{processor()}, {cores()} cores; Python {platform.python_version()}; PostgreSQL {version.split()[0]}, "
        f"synchronous_commit {durable}; {now():%Y-%m-%d %H:%M} UTC; commit {commit or 'unknown'}."
    )


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
