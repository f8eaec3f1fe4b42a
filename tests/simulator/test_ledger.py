"""The judge itself: numbering, torn files, exclusive writing, duplicates."""

import asyncio
import json
from pathlib import Path

import pytest

from omnify.simulator.ledger import Ledger, LedgerBusy


def received(to: str, mark: str = "", body: str = "Hello", kind: str = "sms") -> dict:
    return {"record": "received", "kind": kind, "to": to, "mark": mark, "body": body}


def test_what_was_appended_is_there_after_a_restart_with_the_same_numbers(tmp_path: Path):
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.append(received("a"), received("b"))
    ledger.append(received("c", body="ünïcode \ud83d"))
    asyncio.run(ledger.durable())
    before = ledger.records
    ledger.close()
    again = Ledger(tmp_path / "l.jsonl")
    assert [r["seq"] for r in again.records] == [1, 2, 3]
    assert again.records[:2] == before[:2]
    assert again.append(received("d"))[0]["seq"] == 4
    again.close()


def test_a_torn_last_line_is_cut_off_and_writing_goes_on_cleanly(tmp_path: Path):
    path = tmp_path / "l.jsonl"
    path.write_text(json.dumps({"seq": 1, **received("a")}) + '\n{"seq": 2, "rec')
    ledger = Ledger(path)
    ledger.append(received("b"))
    ledger.close()
    assert [json.loads(line)["to"] for line in path.read_text().splitlines()] == ["a", "b"]


def test_two_writers_cannot_share_one_file(tmp_path: Path):
    ledger = Ledger(tmp_path / "l.jsonl")
    with pytest.raises(LedgerBusy):
        Ledger(tmp_path / "l.jsonl")
    ledger.close()


@pytest.mark.parametrize(
    ("lines", "by", "extra"),
    [
        ([received("a", "m1"), received("a", "m2")], "mark", 0),
        ([received("a", "m1"), received("a", "m1", "other words")], "mark", 1),
        ([received("a", "m1"), received("b", "m1")], "mark", 0),
        ([received("a", "m1"), received("a", "m1", kind="email")], "mark", 0),
        ([received("a"), received("a")], "mark", 1),
        ([received("a"), received("a", body="x")], "mark", 0),
        ([received("a", "m1"), received("a", "m2")], "body", 1),
        ([{**received("a", "m1"), "record": "accepted"}, received("a", "m1")], "mark", 0),
    ],
)
def test_a_duplicate_is_the_same_mark_or_words_to_the_same_person(tmp_path: Path, lines, by, extra):
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.append(*lines)
    assert sum(len(group) - 1 for group in ledger.duplicates(by)) == extra
    ledger.close()
