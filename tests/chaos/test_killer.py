"""Who is killed next, and what a process is called."""

import random
from collections import Counter
from pathlib import Path

import pytest

from omnify.commands.chaos.arena import Arena
from omnify.commands.chaos.cast import kind_of
from omnify.commands.chaos.killer import WORKER, Killer

REAL = ["default", "pulse", "web"]


def killer(seed: int, roles: list[str]) -> Killer:
    return Killer(random.Random(seed), roles, None, None, print)


def drawn(seed: int, times: int, roles: list[str]) -> list[str]:
    one = killer(seed, roles)
    found = []
    for _ in range(times):
        role = one.choose(roles)
        if role in one.spared:
            one.spared.remove(role)
        found.append(role)
    return found


def test_the_same_seed_draws_the_same_lots() -> None:
    assert drawn(5, 50, [WORKER, *REAL]) == drawn(5, 50, [WORKER, *REAL])
    assert drawn(5, 50, [WORKER, *REAL]) != drawn(6, 50, [WORKER, *REAL])


def test_every_real_role_is_killed_once_before_any_of_them_twice() -> None:
    assert set(drawn(1, 3, REAL)) == set(REAL)


def test_most_kills_of_a_mixed_run_fall_on_the_crew() -> None:
    counted = Counter(drawn(1, 1000, [WORKER, *REAL]))
    assert 500 < counted[WORKER] < 700
    assert min(counted[role] for role in REAL) > 80


def test_a_role_that_is_away_is_not_chosen() -> None:
    assert {killer(seed, [WORKER, *REAL]).choose([WORKER]) for seed in range(20)} == {WORKER}


@pytest.mark.parametrize(
    ("pid", "command", "kind"),
    [
        (1, "python manage.py qcluster", "main"),
        (2, "qcluster MainProcess north-idle-solar-two", "sentinel"),
        (3, "qcluster Process-1a2b idle", "worker"),
        (3, "qcluster Process-1a2b processing red-fox 'sequences.tasks.run_tick'", "worker"),
        (3, "qcluster Process-1a2b monitor", "monitor"),
        (3, "qcluster Process-1a2b pusher", "pusher"),
        (4, "python -c from multiprocessing.resource_tracker import main;main(4)", None),
        (5, "", None),
    ],
)
def test_a_member_of_a_cluster_is_known_by_its_title(pid: int, command: str, kind: str | None) -> None:
    assert kind_of(pid, 1, command.split()) == kind


def test_a_cast_without_any_of_the_asked_roles_is_refused(tmp_path: Path) -> None:
    arena = Arena(tmp_path, 1, 1, "crew", ["web"])
    with pytest.raises(ValueError, match="none of web"):
        arena.run(1, 0, 0.1)
