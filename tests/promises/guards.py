"""The guards between a ready message and the wire, and how to take one away: stories that do not notice it gone prove nothing."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from sequences import claiming, delivery, guards


@contextmanager
def without(name: str) -> Iterator[None]:
    """Inside, Omnify works without this guard of sequences.guards."""
    left = tuple(guard for guard in guards.GUARDS if guard.__name__ != name)
    assert len(left) == len(guards.GUARDS) - 1
    with ExitStack() as gone:
        gone.enter_context(mock.patch.object(guards, "GUARDS", left))
        # What is asked once more before the socket goes with it.
        if name == "suppression":
            for statement in ("SENDING", "SENDING_ONE"):
                asked = getattr(delivery, statement).replace(delivery.NOT_FORBIDDEN, "")
                gone.enter_context(mock.patch.object(delivery, statement, asked))
        if name == "hours":
            gone.enter_context(mock.patch.object(claiming, "latest_arrival", lambda facts, now: facts.expires_at))
        yield
