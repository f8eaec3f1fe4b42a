"""What the webhook door turned away, left in sight: an event in the sender's ledger, a notification, and a line in the log.

A forgery costs nothing but its count; a provider whose secret was mistyped is refused every time, and somebody must see that.
Nothing here runs for a request that is accepted, and nothing of a refused request's body is kept.
"""

import asyncio
import logging
import time
from dataclasses import dataclass

from django.db import Error

from omnify.lib.clock import now
from sequences.webhooks.base import Account

EVERY_SECONDS = 60.0  # one event a sender and reason

logger = logging.getLogger(__name__)
Key = tuple[int, str]


@dataclass(slots=True)
class Tally:
    """What was refused for one sender and reason since the last event, and the timer of the next."""

    account: Account
    provider: str
    times: int = 0
    timer: asyncio.TimerHandle | None = None


class Refusals:
    """Counts of one event loop. Bounded by the senders there are: an unknown key has none, and only a log line a minute."""

    def __init__(self) -> None:
        self._tallies: dict[Key, Tally] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._unknown, self._unknown_told = 0, float("-inf")

    def note(self, account: Account, provider: str, reason: str) -> None:
        """Counts one refusal. The first is written at once, in the background; the others a minute later, together."""
        tally = self._tallies.setdefault((account.sender_id, reason), Tally(account, provider))
        tally.times += 1
        if tally.timer is None:
            self._write((account.sender_id, reason))

    def note_unknown(self) -> None:
        """Counts a request to a key that nobody has."""
        self._unknown += 1
        if time.monotonic() - self._unknown_told >= EVERY_SECONDS:
            logger.warning("Webhooks to addresses that nobody has: %s", self._unknown)
            self._unknown, self._unknown_told = 0, time.monotonic()

    async def close(self) -> None:
        """Writes what is still counted and waits for it."""
        for key, tally in list(self._tallies.items()):
            if tally.timer is not None:
                tally.timer.cancel()
            if tally.times:
                self._write(key, last=True)
        if self._writing:
            await asyncio.gather(*self._writing, return_exceptions=True)

    def _write(self, key: Key, *, last: bool = False) -> None:
        tally = self._tallies[key]
        logger.warning("Webhooks refused for sender %s: %s, %s", key[0], tally.times, key[1])
        task = asyncio.create_task(self._store(tally, key[1], tally.times), name="webhook refusals")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        tally.times = 0
        tally.timer = None if last else asyncio.get_running_loop().call_later(EVERY_SECONDS, self._minute_over, key)

    def _minute_over(self, key: Key) -> None:
        if self._tallies[key].times:
            self._write(key)
        else:
            del self._tallies[key]

    async def _store(self, tally: Tally, reason: str, times: int) -> None:
        try:
            await asyncio.to_thread(store, tally.account, tally.provider, reason, times)
        except (Error, OSError) as problem:
            # The provider has its answer and the log its line; the class only, for a database error quotes values.
            logger.error("Refused webhooks could not be recorded: %s", type(problem).__name__)


def store(account: Account, provider: str, reason: str, times: int) -> None:
    """Records these refusals for the sender's tenant. Its own connection, its own transaction."""
    import django
    from django.apps import apps

    if not apps.ready:  # the door as a process of its own needs no models until now
        django.setup()
    from django.db import connections

    from sequences.alarms import webhooks_refused

    try:
        webhooks_refused(account.tenant_id, account.sender_id, provider, reason, times, now())
    finally:
        connections.close_all()
