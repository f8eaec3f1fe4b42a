"""Each guard between a ready message and the wire, and how to take it away: stories that do not notice it gone prove nothing.

Where a second net holds by itself, that is taken away with it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from sequences import guards, reconcile
from tests.promises import house

# By the guard's name in sequences.guards; and, last, what is no guard of the claim.
GUARDS = ("suppression", "consent", "hours", "person_caps")
FOUND_OUT = (*GUARDS, "epoch", "proof of absence")


class EveryEpoch(int):
    """An epoch that is equal to every other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __add__(self, other: int) -> "EveryEpoch":
        return EveryEpoch(int(self) + other)

    __hash__ = int.__hash__


@contextmanager
def without(name: str) -> Iterator[None]:
    """Inside, Omnify works without it."""
    with ExitStack() as gone:
        if name == "epoch":
            gone.enter_context(mock.patch.object(house, "EPOCH", EveryEpoch(1)))
        elif name == "proof of absence":
            gone.enter_context(mock.patch.object(reconcile, "reload", _looked_up_before(reconcile.reload)))
        else:
            left = tuple(guard for guard in guards.GUARDS if guard.__name__ != name)
            assert len(left) == len(guards.GUARDS) - 1
            gone.enter_context(mock.patch.object(guards, "GUARDS", left))
        yield


def _looked_up_before(usual: Any) -> Any:
    """One list without the message is believed, as if it were the second."""

    def reload(*given: Any) -> Any:
        loaded = usual(*given)
        return loaded and (loaded[0]._replace(lookups=1), loaded[1])

    return reload
