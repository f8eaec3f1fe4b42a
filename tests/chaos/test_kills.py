"""Processes die at random while they send and listen. The judge is the simulator's ledger."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from omnify.commands.chaos.arena import Arena

KILLS = int(os.environ.get("OMNIFY_CHAOS_KILLS", "25"))


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="omnify-chaos-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.chaos
@pytest.mark.timeout(600 + 2 * KILLS)
def test_whoever_is_killed_whenever_nobody_gets_anything_twice_and_nothing_is_lost(folder: Path) -> None:
    seed = int(os.environ.get("OMNIFY_CHAOS_SEED") or secrets.randbelow(1_000_000))
    print(f"seed {seed}")
    arena = Arena(folder, seed, people=15 if KILLS < 100 else min(KILLS, 400), cast="both", workers=2)
    verdict = arena.run(KILLS, max(1, KILLS // 100), pause=0.4)
    print(verdict.table())
    assert verdict.failures == []
    assert sum(verdict.kills.values()) == KILLS
    assert verdict.claims > 0
