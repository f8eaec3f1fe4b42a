"""G1 and G13: workers killed with -9 while they send, and a database that crashes under them; judged by the simulator's ledger."""

import random
import shutil
import tempfile
from functools import cache
from pathlib import Path

from omnify.commands.chaos.arena import Arena
from omnify.commands.chaos.verdict import Verdict
from omnify.promises.outcome import Outcome

# (kills, crashes of the database, people, seeds)
KILLS = {"quick": (12, 1, 10, 1), "full": (500, 5, 400, 5)}
CRASHES = {"quick": (4, 3, 8, 1), "full": (120, 60, 300, 1)}


def prove_kills(scale: str, seed: int) -> Outcome:
    """Tried: kills. Failed: what people received twice, what is lost, what nobody can account for."""
    kills, crashes, people, rounds = KILLS[scale]
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    seeds = [seed, *(chance.randrange(1_000_000) for _ in range(rounds - 1))]
    cast = "both" if scale == "full" else "crew"
    verdicts = [run(each, kills, crashes, people, cast) for each in seeds]
    tried = sum(sum(verdict.kills.values()) for verdict in verdicts)
    return Outcome(tried, _failed(verdicts), f"kill -9; {_told(verdicts)}; seeds {', '.join(map(str, seeds))}")


def prove_crashes(scale: str, seed: int) -> Outcome:
    """Tried: messages that were on their way while PostgreSQL was crashed again and again."""
    kills, crashes, people, _ = CRASHES[scale]
    verdict = run(seed, kills, crashes, people, "crew")
    return Outcome(
        verdict.messages, _failed([verdict]), f"messages, {crashes} crashes of PostgreSQL; {_told([verdict])}"
    )


@cache
def run(seed: int, kills: int, crashes: int, people: int, cast: str) -> Verdict:
    folder = Path(tempfile.mkdtemp(prefix="omnify-kills-"))
    try:
        return Arena(folder, seed, people, cast, workers=2).run(kills, crashes, pause=0.35)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _failed(verdicts: list[Verdict]) -> int:
    for verdict in verdicts:
        print(verdict.table(), *verdict.failures, sep="\n", flush=True)
    return sum(len(verdict.failures) for verdict in verdicts)


def _told(verdicts: list[Verdict]) -> str:
    received = sum(verdict.received for verdict in verdicts)
    doubles = sum(len(verdict.duplicates) for verdict in verdicts)
    lost = sum(len(verdict.lost) for verdict in verdicts)
    return f"{received} received, {doubles} twice, {lost} lost"
