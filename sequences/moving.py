"""Where the people in an older version stand in the new one. Pure.

Three promises: whoever stands on a step that is still there stays on it; whoever stands on a removed one goes to the next
that is left; nobody gets a second time what they passed already, not even when the steps were put in another order.
"""

from dataclasses import dataclass
from typing import Final

# What a person would notice twice. A wait or an exit may come again.
FELT: Final = frozenset({"sms", "email", "voice", "task"})


@dataclass(frozen=True, slots=True)
class Stop:
    """One step: its row, its key that outlives versions, its kind, and whether it is switched on."""

    id: int
    key: str
    kind: str
    enabled: bool = True


def destinations(old: tuple[Stop, ...], new: tuple[Stop, ...]) -> dict[int, tuple[int | None, bool]]:
    """For each step of the old version: (id of the step to go on with in the new one, whether it is the same step).

    None: nothing is left to do, the way ends. Both versions are in the order in which they are walked.
    """
    place = {stop.key: index for index, stop in enumerate(new)}
    found: dict[int, tuple[int | None, bool]] = {}
    for index, stop in enumerate(old):
        target = _next_left(old, index, place)
        passed = [place[each.key] for each in old[:index] if each.key in place and each.kind in FELT and each.enabled]
        # A step that now stands before one they had would lead them through that one again: they go on behind it.
        target = max(target, max(passed, default=-1) + 1)
        found[stop.id] = (new[target].id, new[target].key == stop.key) if target < len(new) else (None, False)
    return found


def _next_left(old: tuple[Stop, ...], index: int, place: dict[str, int]) -> int:
    """The index in the new version of the first old step from `index` on that is left; else behind the last one before it."""
    for stop in old[index:]:
        if stop.key in place:
            return place[stop.key]
    for stop in reversed(old[:index]):
        if stop.key in place:
            return place[stop.key] + 1
    return 0
