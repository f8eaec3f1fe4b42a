"""Outcomes written down together: whatever is waiting when the last commit is done shares the next one.

Who waits for a row that is locked waits alone, in a lane of its own, and so does every outcome but a receipt. What is not
written when the process dies is `sending`, and the reconciler asks the provider.
"""

import logging
import threading
import time
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any

from django.db import DatabaseError, OperationalError, connection, connections

from sequences import delivery
from sequences.accepting import accepted_all, report_of
from sequences.hands import Hands
from sequences.transports.base import Receipt

# Outcomes in one commit at most, and threads for those that are written one by one.
TOGETHER, LANES = 64, 4

logger = logging.getLogger(__name__)


class Outcome:
    """One outcome on its way into the database, and whoever waits for it."""

    __slots__ = ("claim", "error", "now", "outcome", "state", "told")

    def __init__(self, claim: Any, outcome: Receipt | Exception, now: datetime) -> None:
        self.claim, self.outcome, self.now = claim, outcome, now
        self.state = ""
        self.error: Exception | None = None
        self.told = threading.Lock()
        self.told.acquire()

    def tell(self, state: str = "", error: Exception | None = None) -> None:
        self.state, self.error = state, error
        self.told.release()


class Recorder:
    """Writes outcomes for many threads over one connection, and a few more for what must wait."""

    def __init__(self) -> None:
        self.waiting: SimpleQueue[Outcome | None] = SimpleQueue()
        self.group: threading.Thread | None = None
        self.single: Hands[Outcome] = Hands(LANES, "outcome", self._write_one, connections.close_all)
        self.lock = threading.Lock()

    def write(self, claim: Any, outcome: Receipt | Exception, now: datetime) -> str:
        """Returns when the outcome is committed: the message's new state, "" if the claim was no longer ours. Raises what
        the database raised, also when it was asked again: the message is left to the reconciler."""
        mine = Outcome(claim, outcome, now)
        if isinstance(outcome, Receipt):
            self.begin()
            self.waiting.put(mine)
        else:
            self.single.give(mine)
        mine.told.acquire()
        if mine.error is not None:
            raise mine.error
        return mine.state

    def begin(self) -> None:
        """Opens the connection while the first request is still under way."""
        with self.lock:
            if self.group is None:
                self.group = threading.Thread(target=self._run, name="outcomes", daemon=True)
                self.group.start()

    def finish(self) -> None:
        """Nobody waits any more."""
        if self.group is not None:
            self.waiting.put(None)
            self.group.join()
        self.single.finish()

    def _run(self) -> None:
        try:
            try:
                connection.ensure_connection()
            except DatabaseError:
                logger.warning("The database is away; outcomes are written when it is back.")
            going = True
            while going:
                together = [self.waiting.get()]
                try:
                    while len(together) < TOGETHER:
                        together.append(self.waiting.get_nowait())
                except Empty:
                    pass
                going = None not in together
                self._write_together([each for each in together if each is not None])
        finally:
            connections.close_all()

    def _write_together(self, outcomes: list[Outcome]) -> None:
        """Everybody is told, or goes on alone: those whose person or message is locked, and all of them if one is refused."""
        group: dict[int, Outcome] = {}
        for each in outcomes:
            if group.setdefault(each.claim.message.contact_id, each) is not each:
                self.single.give(each)
        if not group:
            return
        written: dict[int, Any] = {}
        try:
            written = self._again_if_lost(list(group.values()))
        except Exception as error:  # noqa: BLE001 (whatever it is, whoever waits must be told: one by one they are)
            logger.warning("%d outcomes could not be written together (%s).", len(group), type(error).__name__)
        for each in group.values():
            if each.claim.id not in written:
                self.single.give(each)
            elif written[each.claim.id] is not None and each.outcome.cost is not None:  # type: ignore[union-attr]
                self.single.give(each)  # puts the provider's price into the day's books
            else:
                each.tell(report_of(each.claim, each.outcome).state)  # type: ignore[arg-type]

    def _again_if_lost(self, group: list[Outcome]) -> dict[int, Any]:
        for pause in delivery.PAUSES:
            try:
                return accepted_all([(each.claim, each.outcome, each.now) for each in group])  # type: ignore[misc]
            except OperationalError as error:
                logger.warning("%d outcomes could not be written yet (%s).", len(group), type(error).__name__)
                connection.close()
                time.sleep(pause)
        return {}

    def _write_one(self, each: Outcome) -> None:
        try:
            each.tell(delivery.write_down(each.claim, each.outcome, each.now))
        except Exception as error:  # noqa: BLE001 (whoever waits for it raises it)
            each.tell(error=error)
