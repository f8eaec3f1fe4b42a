"""G1 and G13: workers killed with -9 while they send, and a database that crashes under them; judged by the simulator's ledger."""

import random
import shutil
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from omnify.commands.chaos.arena import Arena
from omnify.commands.chaos.verdict import Verdict
from omnify.promises.outcome import Outcome

# (kills, crashes of the database, people, seeds)
KILLS = {"quick": (12, 1, 10, 1), "full": (500, 5, 400, 5)}
CRASHES = {"quick": (4, 3, 8, 1), "full": (60, 40, 150, 1)}
# At full, with the first seed, also web, pulse and clusters are killed, in this share of the kills: each of them needs seconds to
# come back.
REAL_SHARE, REAL_SEEDS = 0.2, 1
# So many runs side by side, each with a PostgreSQL, a simulator and processes of its own: they wait more than they work.
SIDE_BY_SIDE = 2
PAUSE = 0.35
# Of a run's messages at most such a share may still be unknown at its end.
STILL_UNKNOWN = 0.02


def prove_kills(scale: str, seed: int) -> Outcome:
    """Tried: kills. Failed: what people received twice, what is lost, what nobody can account for."""
    kills, crashes, people, rounds = KILLS[scale]
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    seeds = [seed, *(chance.randrange(1_000_000) for _ in range(rounds - 1))]
    casts = ["both" if scale == "full" and place < REAL_SEEDS else "crew" for place in range(rounds)]
    with ThreadPoolExecutor(min(SIDE_BY_SIDE, rounds)) as side_by_side:
        verdicts = list(side_by_side.map(partial(run, kills, crashes, people), casts, seeds))
    counted = sum((Counter(verdict.kills) for verdict in verdicts), Counter[str]())
    roles = Counter(role.split()[0] for role in counted.elements())
    told = ", ".join(f"{number:,} {role}" for role, number in roles.most_common())
    seeds_told = ", ".join(map(str, seeds))
    return Outcome(counted.total(), _failed(verdicts), f"kill -9 ({told}); {_told(verdicts)}; seeds {seeds_told}")


def prove_crashes(scale: str, seed: int) -> Outcome:
    """Tried: messages that were on their way while PostgreSQL was crashed again and again."""
    kills, crashes, people, _ = CRASHES[scale]
    verdict = run(kills, crashes, people, "crew", seed)
    return Outcome(
        verdict.messages, _failed([verdict]), f"messages, {crashes} crashes of PostgreSQL; {_told([verdict])}"
    )


def run(kills: int, crashes: int, people: int, cast: str, seed: int) -> Verdict:
    folder = Path(tempfile.mkdtemp(prefix="omnify-kills-"))
    try:
        arena = Arena(
            folder, seed, people, cast, workers=2, crew_share=1 - REAL_SHARE, crew_stays=True,
            say=lambda words: print(f"{seed}: {words}", flush=True),
        )  # fmt: skip
        verdict = arena.run(kills, crashes, pause=PAUSE)
        print(verdict.table(), *verdict.failures, sep="\n", flush=True)  # now: the other seeds may take long
        return verdict
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _failed(verdicts: list[Verdict]) -> int:
    doubtful = sum(verdict.unknown > STILL_UNKNOWN * verdict.messages for verdict in verdicts)
    return sum(len(verdict.failures) for verdict in verdicts) + doubtful


def _told(verdicts: list[Verdict]) -> str:
    def total(name: str) -> int:
        values = [getattr(verdict, name) for verdict in verdicts]
        return sum(len(value) if isinstance(value, tuple) else value for value in values)

    return (
        f"{total('in_a_request')} inside a request; {total('received'):,} received, {total('duplicates')} twice, "
        f"{total('lost')} lost; of {total('unknowns')} unknown {total('unknown')} still are, {total('held')} shown to a person"
    )
