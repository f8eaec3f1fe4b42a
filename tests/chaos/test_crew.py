"""How many workers the crew has, whoever of them is killed, frozen and thawed."""

import itertools
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from omnify.commands import sessions
from omnify.commands.chaos.crew import Crew


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> Crew:
    """A crew of two of whom only the pids exist."""
    pids = itertools.count(1)
    monkeypatch.setattr(Crew, "spawn", lambda self: self.pids.append(next(pids)))
    monkeypatch.setattr("omnify.commands.chaos.crew.sessions.send", lambda pid, number: True)
    monkeypatch.setattr("omnify.commands.chaos.crew.sessions.alive", lambda pid: True)
    nobody: Any = None
    made = Crew(nobody, Path(), 2)
    made.fill()
    return made


def test_the_dead_and_the_frozen_are_replaced(crew: Crew) -> None:
    dead, frozen = crew.kill_one(random.Random(1)), crew.freeze_one(random.Random(1))
    assert len(crew.pids) == 2
    assert crew.frozen == [frozen]
    assert not {dead, frozen} & set(crew.pids)


def test_those_who_go_on_come_on_top_and_the_crew_does_not_grow_for_ever(crew: Crew) -> None:
    sizes = []
    for _ in range(20):
        assert crew.thaw(crew.freeze_one(random.Random(1)))
        sizes.append(len(crew.pids))
        crew.kill_one(random.Random(1))
        sizes.append(len(crew.pids))
    assert sizes == [3, 2] * 20


def test_those_who_ended_by_themselves_are_replaced(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen one that goes on in a send is ended by the kernel; it was counted as working until nobody was left."""
    gone = crew.freeze_one(random.Random(1))
    crew.thaw(gone)
    ended = {gone, crew.pids[0]}
    monkeypatch.setattr("omnify.commands.chaos.crew.sessions.alive", lambda pid: pid not in ended)
    assert crew.replace() == 2
    assert len(crew.pids) == 2
    assert not ended & set(crew.pids)
    assert crew.replace() == 0


def test_a_process_that_was_killed_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    assert sessions.alive(child.pid)
    child.kill()
    while sessions.alive(child.pid):
        pass
    child.wait()
    assert not sessions.alive(child.pid)
