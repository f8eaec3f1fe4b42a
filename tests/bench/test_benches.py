"""Each bench at its smallest: it works through what it says, and has the shape that docs/benchmarks.md is made of.

Nothing here looks at a clock: numbers of a test run mean nothing.
"""

import json
from importlib import import_module
from typing import Any

import pytest
from django.core.management import call_command

from omnify.bench import idle, report, scratch
from omnify.bench.measured import Measure, Size
from omnify.commands.management.commands.bench import BENCHES, MODULES, Command

SMALL = {
    "tick": Size(people=42, rounds=1, batch=14),
    "claim": Size(people=30, rows=300, batch=15),
    "dispatch": Size(people=12),
    "ingest": Size(people=60, rounds=1),
    "import": Size(rows=120),
    "pages": Size(people=30, rounds=1),
    "wake": Size(people=4),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", SMALL)
def test_a_bench_works_through_all_it_was_given(name: str, own_database: None) -> None:
    measures: list[Measure] = import_module(f"omnify.bench.{MODULES.get(name, name)}").measure(SMALL[name])
    assert measures
    for measure in measures:
        given = json.loads(json.dumps(measure.as_json()))
        assert given["value"] > 0
        assert given["goal"]
        assert given["ratio"] is None or given["ratio"] > 0
    if name == "tick":
        assert 1 < measures[0].more["statements_per_tick"] < 10
        assert measures[0].more["people"] == 42
    if name == "ingest":
        assert measures[0].more["lost"] == 0
        assert measures[0].more["requests"] == 180


@pytest.mark.timeout(240)
def test_the_idle_bench_finds_its_processes_and_their_sessions(
    own_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "SETTLE_SECONDS", 0.5)
    monkeypatch.setattr(idle, "WATCHED_SECONDS", 2.0)
    monkeypatch.setattr(idle, "PROCESSES", ("pulse", "default"))
    (measure,) = idle.measure(Size(rounds=1))
    # A pulse, a cluster's own processes and its two workers; the pulse's listener and its questions, and the cluster's.
    assert measure.more["process_count"] >= 5
    assert measure.more["session_count"] >= 3
    assert measure.value >= 0


def test_two_processes_share_the_work(own_database: None) -> None:
    seconds, done = scratch.together(2, lambda: 7)
    assert done == 14
    assert seconds > 0


def test_every_bench_has_a_small_test_and_a_place_in_the_report() -> None:
    assert set(SMALL) | {"idle"} == set(BENCHES)


def test_the_report_shows_what_was_met_what_was_not_and_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "machine", lambda: "A machine.")
    found = {
        "tick": [
            Measure("Rows", 1234.5, "/s", "≥ 0.5", True, floor=2000.0, ratio=0.617),
            Measure("More", 5, "ms", "≤ 1 ms", False),
        ],
        "wake": [],
    }
    lines = report.text(found).splitlines()
    assert "| tick | Rows | 1,234.5 /s | 2,000 | 0.617 | ≥ 0.5 | met |" in lines
    assert "| tick | More | 5 ms |  |  | ≤ 1 ms | not met |" in lines
    assert "| wake | could not be measured | | | | | |" in lines


def test_one_bench_that_fails_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from omnify.commands.management.commands import bench

    def run(name: str, size: Size) -> list[Measure]:
        if name == "wake":
            raise RuntimeError("no worker")
        return [Measure(name, 1.0, "/s", "none", True)]

    monkeypatch.setattr(bench, "run", run)
    with pytest.raises(bench.CommandError, match="could not be measured: wake"):
        call_command(Command(), "tick", "wake", "idle")
    assert "idle: idle: 1 /s" in capsys.readouterr().out
