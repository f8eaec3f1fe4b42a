"""The table of promises itself: all twenty are in it, what is missing says so, and what cannot judge has failed."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from omnify.commands.management.commands.promises import line
from omnify.promises import running
from omnify.promises.book import BOOK, KEYS, NOTHING, Promise, Proof
from omnify.promises.outcome import Outcome

HERE = "tests.promises.test_book"


def kept(scale: str, seed: int) -> Outcome:
    return Outcome(seed, 0, scale)


def broken(scale: str, seed: int) -> Outcome:
    return Outcome(10, 3, "three of ten")


def idle(scale: str, seed: int) -> Outcome:
    return Outcome(0, 0)


def raising(scale: str, seed: int) -> Outcome:
    raise ValueError("Nobody can judge this.")


def sleepy(scale: str, seed: int) -> Outcome:
    import time

    time.sleep(30)
    return Outcome(1, 0)


def result_of(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float = 20.0) -> running.Result:
    promise = Promise("G1", "Nobody gets the same step twice", (Proof(f"{HERE}.{name}", NOTHING, (seconds, seconds)),))
    (found,) = running.run([promise], "quick", 7, "", tmp_path)
    return found


def test_all_twenty_promises_are_in_the_book_in_order() -> None:
    assert tuple(f"G{number}" for number in range(1, 21)) == KEYS
    assert all(promise.proofs or promise.without for promise in BOOK)


def test_a_kept_promise_says_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = result_of("kept", tmp_path, monkeypatch)
    assert (found.state, found.tried, found.failed, found.note) == (running.KEPT, 7, 0, "quick")
    assert "G1" in line(found)


@pytest.mark.parametrize(
    ("name", "tried", "failed", "word"),
    [
        ("broken", 10, 3, "three of ten"),
        ("idle", 0, 1, "tried nothing"),
        ("raising", 0, 1, "Nobody can judge this."),
    ],
)
def test_what_broke_tried_nothing_or_could_not_judge_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, tried: int, failed: int, word: str
) -> None:
    found = result_of(name, tmp_path, monkeypatch)
    assert (found.state, found.tried, found.failed) == (running.BROKEN, tried, failed)
    assert word in found.note


def test_a_proof_that_hangs_is_ended_and_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = result_of("sleepy", tmp_path, monkeypatch, seconds=0.3)
    assert found.state == running.BROKEN
    assert "not done within" in found.note


def test_a_proof_that_is_not_there_says_so_and_is_no_failure(tmp_path: Path) -> None:
    promise = Promise("G1", "…", (Proof("omnify.promises.nowhere.prove"), Proof("omnify.promises.outcome.prove")))
    assert [each.state for each in running.run([promise], "quick", 1, "", tmp_path)] == [running.NO_PROOF] * 2


def test_a_proof_whose_module_cannot_be_loaded_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shattered_proof.py").write_text("import nothing_of_this_name")
    monkeypatch.syspath_prepend(tmp_path)
    promise = Promise("G1", "…", (Proof("shattered_proof.prove"),))
    (found,) = running.run([promise], "quick", 1, "", tmp_path)
    assert found.state == running.BROKEN
    assert "cannot be loaded" in found.note


def test_the_table_can_be_read_by_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext

    from django.core.management import CommandError, call_command

    from omnify.promises import scratch

    def found(*_: Any) -> list[running.Result]:
        return [
            running.Result("G2", "…", "x.y", running.BROKEN, 10, 1),
            running.Result("G1", "…", "x.z", running.KEPT, 5),
        ]

    monkeypatch.setattr(scratch, "template", lambda: nullcontext("nowhere"))
    monkeypatch.setattr(running, "run", found)
    words = StringIO()
    with pytest.raises(CommandError, match="Broken with seed 3: G2"):
        call_command("promises", "--seed", "3", "--json", stdout=words)
    told = json.loads(words.getvalue())
    assert (told["seed"], told["scale"]) == (3, "quick")
    assert [each["promise"] for each in told["results"]] == ["G1", "G2"]
