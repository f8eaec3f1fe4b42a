"""One run of the dispatcher: the caller's thread claims, many send, one writes down; those that send have no connection.

Claims are made for those who can leave at once: so many as there are free threads. Each handful is marked as sending in one
commit, and the last of its sockets is opened a moment later.
"""

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import DatabaseError, connection, connections

from sequences import deadman, delivery, tally
from sequences.aside import give_back
from sequences.claiming import Claim, claim_some
from sequences.hands import Hands
from sequences.recording import Recorder
from sequences.statements import run
from sequences.transports import hang_up, transport_for
from sequences.transports.base import Outbound, Refused
from sequences.turns import LOOK_EVERY, Turn, Turns
from sequences.watching import watched

# Claims in one transaction at most: it holds the locks of so many people.
AT_ONCE = 16

# Of which tenant's channels this process has loaded the providers' SDKs.
LOADED: set[Turn] = set()
PROVIDERS = "SELECT DISTINCT provider FROM sequences_sender WHERE tenant_id = %(tenant)s AND channel = %(channel)s"

logger = logging.getLogger(__name__)
Job = tuple[Turn, Claim, Outbound | Refused, deadman.Together]


class Shift:
    """Delivers until nothing is ready or `until` (time.monotonic) has come; what is under way then is finished."""

    def __init__(self, channels: Sequence[str], now: Callable[[], datetime], until: float, threads: int) -> None:
        self.now, self.until, self.threads = now, until, threads
        self.sent = 0
        self.failure: Exception | None = None
        self.turns = Turns(channels, threads)
        # How many each may claim at once: one, until the first is on its way, then twice as many each time.
        self.handful: Counter[Turn] = Counter()
        self.under_way: Counter[Turn] = Counter()
        self.changed = threading.Condition()
        self.recorder = Recorder()
        self.senders: Hands[Job] = Hands(threads, "dispatch", self._send, _leave)

    def run(self) -> int:
        """Returns how many went on the wire. Raises the database's error if it was lost before anything did."""
        if connection.in_atomic_block:
            raise RuntimeError(
                "Messages must not be dispatched inside a transaction: its rollback would forget the claims."
            )
        try:
            while time.monotonic() < self.until and self._claim_once():
                pass
        except DatabaseError as error:
            # The rows keep the state that was committed last; the reconciler and the next wake-up go on from there.
            logger.warning("The dispatcher lost the database (%s).", type(error).__name__)
            self.failure = error
            connection.close()
        finally:
            self.senders.finish()
            self.recorder.finish()
        if self.failure is not None and not self.sent:
            raise self.failure
        return self.sent

    def _claim_once(self) -> bool:
        """One tenant's turn. False when there is nothing left to do."""
        with self.changed:
            under_way = Counter(self.under_way)
        moment, free = self.now(), self.threads - under_way.total()
        found = self.turns.next(moment, under_way) if free else None
        if found is None:
            with self.changed:
                if not self.under_way.total() and not under_way.total():
                    return False
                if self.under_way == under_way:
                    self.changed.wait(LOOK_EVERY)
            return True
        turn, share = found
        _load(turn)
        most = min(AT_ONCE, free, share, max(1, self.handful[turn]))
        batch = claim_some(*turn, moment, self.turns.waiting(turn, moment), most=most)
        for paced in batch.paced:
            self.turns.waits(turn, paced.sender_id, paced.until)
        for stopped in batch.stopped:
            logger.debug("Message %d was not sent: %s (%s).", stopped.id, stopped.reason, stopped.state)
        if batch.claims:
            self.turns.again(turn)
            self._begin(turn, batch.claims)
            self.handful[turn] = min(AT_ONCE, 2 * most)
        elif batch:
            self.turns.at_once(turn)
        else:
            self.turns.ran_dry(turn)
        return True

    def _begin(self, turn: Turn, claims: list[Claim]) -> None:
        """Makes the claims ready, marks them as sending in one commit, and gives each to a thread. Those that may not leave any
        more go back, and so does whatever was not begun because something broke."""
        left = {claim.id: claim for claim in claims}
        try:
            ready: list[tuple[Claim, Outbound | Refused]] = []
            for claim in claims:
                prepared = delivery.prepare(claim, self.now())
                if isinstance(prepared, str):
                    del left[claim.id]
                    tally.count("sends", claim.message.channel, prepared or "lost")
                else:
                    ready.append((claim, prepared))
            if ready:
                self._open(turn, ready, left)
        except Exception:
            self._give_back(left)
            raise
        self._give_back(left)

    def _give_back(self, left: dict[int, Claim]) -> None:
        for claim in left.values():
            give_back(claim, self.now())
            tally.count("sends", claim.message.channel, "lost")

    def _open(self, turn: Turn, ready: list[tuple[Claim, Outbound | Refused]], left: dict[int, Claim]) -> None:
        together = deadman.Together(len(ready))
        given = 0
        try:
            marked = delivery.mark_all([claim for claim, _ in ready], self.now())
            for claim, prepared in ready:
                if claim.id in marked:
                    del left[claim.id]
                    with self.changed:
                        self.under_way[turn] += 1
                    self.senders.give((turn, claim, prepared, together))
                    given += 1
        finally:
            together.over(len(ready) - given)
        self.recorder.begin()

    def _send(self, job: Job) -> None:
        """What a sender's thread does with one message: no statement of its own."""
        turn, claim, prepared, together = job
        state = ""
        try:
            state = self._deliver(claim, prepared, together)
        except DatabaseError as error:
            logger.warning("The outcome of %s was lost with the database (%s).", claim.public_id, type(error).__name__)
            self.failure = error
        finally:
            with self.changed:
                self.sent += bool(state)
                self.under_way[turn] -= 1
                self.under_way += Counter()  # forgets whoever has nothing under way
                self.changed.notify()

    @watched
    def _deliver(self, claim: Claim, prepared: Outbound | Refused, together: deadman.Together) -> str:
        try:
            if together.expired():
                return ""
            outcome = prepared if isinstance(prepared, Refused) else delivery.on_the_wire(claim, prepared)
        finally:
            together.over()
        return self.recorder.write(claim, outcome, self.now())


def _load(turn: Turn) -> None:
    """Loads what a tenant's senders need before anything of theirs is claimed: an SDK takes seconds, on a busy machine more than
    a claim may be old, and a worker that dies meanwhile leaves nothing behind. What cannot be loaded, delivery.prepare says."""
    if turn in LOADED:
        return
    channel, tenant_id = turn
    for (provider,) in run(PROVIDERS, {"tenant": tenant_id, "channel": channel}).fetchall():
        with contextlib.suppress(Exception):
            transport_for(provider).warm()
    LOADED.add(turn)


def _leave() -> None:
    hang_up()
    connections.close_all()
