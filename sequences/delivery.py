"""The dispatcher: claim → sending → send → outcome, many calls in flight, and no message twice.

Two rules carry it. `sending` is committed before the socket opens, so whatever happens afterwards is known to have perhaps
reached the provider. And nothing in here ever sends again: after an error the message is refused, put off with proof, or
unknown, and the reconciler asks.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, connections, transaction

from sequences import deadman
from sequences.addressing import outbound_for
from sequences.claiming import Claim, Paced, Stopped, claim_next, claim_one, park, tenants_with_work
from sequences.outcome import record_outcome
from sequences.spending import refund
from sequences.statements import run
from sequences.transports import hang_up, transport_for
from sequences.transports.base import Outbound, Receipt, Refused
from sequences.watching import watched

__all__ = ["Claim", "claim_next", "deliver", "dispatch", "mark_sending", "record_outcome", "send"]

# message_sending: the last thing before the socket, in a transaction of its own. A worker that was frozen since its claim
# finds here what was switched off meanwhile.
SENDING = """
UPDATE sequences_message AS m
SET state = 'sending', state_at = %(now)s, sending_started_at = %(now)s, attempt = attempt + 1
FROM tenants_tenant AS t
WHERE m.id = %(id)s AND m.tenant_id = %(tenant)s AND m.claim_token = %(token)s AND m.state = 'claimed'
  AND t.id = m.tenant_id AND t.sending_enabled AND m.expires_at > %(now)s
  AND NOT EXISTS (SELECT 1 FROM sequences_switch WHERE off AND key IN ('all', m.channel))
  AND coalesce((SELECT max(epoch) FROM sequences_sendepoch), 1) = %(epoch)s
"""
# message_give_back: nothing was sent, so every guard may be asked again, and says why.
GIVE_BACK = """
UPDATE sequences_message SET state = 'ready', state_reason = 'stopped_before_sending', state_at = %(now)s, claim_token = NULL
WHERE id = %(id)s AND tenant_id = %(tenant)s AND claim_token = %(token)s AND state = 'claimed'
"""

# Requests in flight at most, each with a connection of its own: at a provider's usual 200 ms, 48 make some 230 a second.
THREADS = 48
# Seconds until the dispatcher looks again for tenants that have work.
LOOK_EVERY = 0.25
# Seconds between attempts to write an outcome down: as long as a database takes to restart.
PAUSES = (0.1, 0.5, 2.0)

logger = logging.getLogger(__name__)


def mark_sending(claim: Claim, now: datetime) -> bool:
    """Commits that the request is about to leave. False when the claim is no longer ours, or sending was stopped since: then
    it must not be sent, and goes back to its queue."""
    given: dict[str, Any] = {
        "id": claim.id,
        "tenant": claim.tenant_id,
        "token": claim.token,
        "now": now,
        "epoch": settings.SEND_EPOCH,
    }
    if run(SENDING, given).rowcount:
        return True
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, given)
        if cursor.rowcount:
            refund(claim.id, claim.tenant_id)
    return False


def send(claim: Claim, outbound: Outbound) -> Receipt:
    """One request to the provider. Must be called outside any transaction; raises what the transport raises."""
    if connection.in_atomic_block:
        raise RuntimeError("A message must not be sent inside a transaction: its rollback would forget the send.")
    return transport_for(claim.known.provider).send(outbound)


@watched
def deliver(claim: Claim, now_of: Callable[[], datetime]) -> str:
    """Takes one claimed message to its outcome; returns its new state, "" if it was taken away meanwhile.

    SystemExit (a task's time is up, a worker is told to end) passes through and leaves `sending` to the reconciler.
    """
    try:
        transport_for(claim.known.provider).warm()
        outbound = outbound_for(claim, now_of())
    except Refused as refused:
        return write_down(claim, refused, now_of()) if mark_sending(claim, now_of()) else ""
    except Exception as error:
        logger.exception("Message %s could not be made ready to send.", claim.public_id)
        return park(claim.id, claim.tenant_id, f"not_sendable: {type(error).__name__}", now_of()).state
    began = time.monotonic()
    with deadman.over_within():
        if not mark_sending(claim, now_of()) or deadman.expired(began):
            return ""
        try:
            outcome: Receipt | Exception = send(claim, outbound)
        except Exception as error:  # noqa: BLE001 (every error after `sending` is an outcome; record_outcome tells them apart)
            outcome = error
    return write_down(claim, outcome, now_of())


def write_down(claim: Claim, outcome: Receipt | Exception, now: datetime) -> str:
    """record_outcome, again after a deadlock or a lost connection: writing twice is harmless, unlike sending twice."""
    for pause in PAUSES:
        try:
            return record_outcome(claim, outcome, now)
        except OperationalError as error:
            logger.warning("The outcome of %s could not be written yet (%s).", claim.public_id, type(error).__name__)
            connection.close()
            time.sleep(pause)
    return record_outcome(claim, outcome, now)


def dispatch(
    channels: Sequence[str], *, now: Callable[[], datetime], budget_seconds: float, threads: int = THREADS
) -> int:
    """Delivers what is ready on these channels until nothing is or the budget is used up; returns how many went on the wire.

    Each thread claims just before it sends, tenants taking turns. It begins with one thread and adds another whenever one
    finds work, so a single message costs a single connection. Requests under way at the end of the budget are finished.
    """
    shift = _Shift(channels, now, time.monotonic() + budget_seconds, threads)
    return shift.run()


class _Shift:
    """One run of dispatch, shared by its threads."""

    def __init__(self, channels: Sequence[str], now: Callable[[], datetime], until: float, threads: int) -> None:
        self.channels, self.now, self.until, self.most = tuple(channels), now, until, threads
        self.sent = 0
        self.failure: BaseException | None = None
        self.turns: list[tuple[str, int]] = []
        self.look_again = 0.0
        # Tenants that had nothing to claim: what they still have is locked, or came later; the next shift looks again. Where
        # only its senders' pace keeps a tenant waiting, its turn comes again when the first of them may go on.
        self.dry: dict[tuple[str, int], datetime | None] = {}
        self.paced: dict[tuple[str, int], dict[int, datetime]] = {}
        self.lock = threading.Lock()
        self.working: list[Future[None]] = []
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="dispatch")

    def run(self) -> int:
        self._one_more()
        try:
            waiting = 0
            while waiting < len(self.working):  # a thread may add others while we wait for it
                self.working[waiting].result()
                waiting += 1
        finally:
            self.until = 0.0
            self.pool.shutdown(wait=True)
        if self.failure is not None and not self.sent:
            raise self.failure
        return self.sent

    def _one_more(self) -> None:
        with self.lock:
            if len(self.working) < self.most and time.monotonic() < self.until:
                self.working.append(self.pool.submit(self._work))

    def _work(self) -> None:
        try:
            while time.monotonic() < self.until:
                claim = self._next()
                if claim is None:
                    return
                # Before others claim, too: two dozen messages would wait for one thread to load a provider's SDK, and all
                # of them would count a crash if the worker died meanwhile. An error in it is deliver's to deal with.
                with contextlib.suppress(Exception):
                    transport_for(claim.known.provider).warm()
                self._one_more()
                if deliver(claim, self.now):
                    with self.lock:
                        self.sent += 1
        except DatabaseError as error:
            # The row keeps the state that was committed last; the reconciler and the next wake-up go on from there.
            logger.warning("A dispatcher thread lost the database (%s).", type(error).__name__)
            self.failure = error
        finally:
            hang_up()
            connections.close_all()

    def _next(self) -> Claim | None:
        """The next claim, going round the tenants that have work; None when all of them ran dry."""
        while time.monotonic() < self.until:
            turn = self._turn()
            if turn is None:
                return None
            moment = self.now()
            found = claim_one(*turn, moment, self._waiting(turn, moment))
            if found is None:
                with self.lock:
                    self.dry[turn] = min(self.paced.get(turn, {}).values(), default=None)
            elif isinstance(found, Claim):
                with self.lock:
                    self.turns.append(turn)
                return found
            elif isinstance(found, Paced):
                with self.lock:
                    self.paced.setdefault(turn, {})[found.sender_id] = found.until
                    self.turns.insert(0, turn)
            elif isinstance(found, Stopped):
                logger.debug("Message %d was not sent: %s (%s).", found.id, found.reason, found.state)
        return None

    def _turn(self) -> tuple[str, int] | None:
        """The next tenant's turn: whoever had one and may have more goes to the end of the line. The line is made anew every
        so often, so that a tenant whose work has just come waits for no other's backlog."""
        with self.lock:
            moment = self.now()
            if time.monotonic() >= self.look_again:
                self.turns = []
            while self.turns:
                turn = self.turns.pop(0)
                if self._open(turn, moment):
                    return turn
            self.look_again = time.monotonic() + LOOK_EVERY
            for channel in self.channels:
                found = [(channel, tenant_id) for tenant_id in tenants_with_work(channel, moment)]
                self.turns += [turn for turn in found if self._open(turn, moment)]
            return self.turns.pop(0) if self.turns else None

    def _open(self, turn: tuple[str, int], moment: datetime) -> bool:
        if turn not in self.dry:
            return True
        until = self.dry[turn]
        if until is None or until > moment:
            return False
        del self.dry[turn]
        return True

    def _waiting(self, turn: tuple[str, int], moment: datetime) -> list[int]:
        """The senders of this turn whose pace lets nothing go at this moment."""
        with self.lock:
            paced = {sender: until for sender, until in self.paced.get(turn, {}).items() if until > moment}
            self.paced[turn] = paced
            return list(paced)
