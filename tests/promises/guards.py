"""The guards between a ready message and the wire, and how to take one away: stories that do not notice it gone prove nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from sequences import guards


@contextmanager
def without(name: str) -> Iterator[None]:
    """Inside, Omnify works without this guard of sequences.guards."""
    left = tuple(guard for guard in guards.GUARDS if guard.__name__ != name)
    assert len(left) == len(guards.GUARDS) - 1
    with mock.patch.object(guards, "GUARDS", left):
        yield
