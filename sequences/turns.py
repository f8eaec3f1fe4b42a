"""Whose turn it is: tenants that have something due go round, and none of them may fill every thread."""

import time
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime
from math import ceil

from django.conf import settings

from sequences import epochs
from sequences.statements import run

# Seconds until somebody new is looked for.
LOOK_EVERY = 0.25
# (channel, tenant id)
Turn = tuple[str, int]

# tenants_with_work: one probe of the index message_by_tenant a tenant, however long the queues are.
TENANTS = """
WITH RECURSIVE waiting AS (
    (SELECT tenant_id FROM sequences_message
     WHERE channel = %(channel)s AND state IN ('ready', 'deferred') ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT m.tenant_id FROM sequences_message AS m
            WHERE m.channel = %(channel)s AND m.state IN ('ready', 'deferred') AND m.tenant_id > waiting.tenant_id
            ORDER BY m.tenant_id LIMIT 1)
    FROM waiting WHERE waiting.tenant_id IS NOT NULL
)
SELECT waiting.tenant_id FROM waiting JOIN tenants_tenant AS t ON t.id = waiting.tenant_id
WHERE t.sending_enabled
  AND NOT EXISTS (SELECT 1 FROM sequences_switch WHERE off AND key IN ('all', %(channel)s))
  AND coalesce((SELECT max(epoch) FROM sequences_sendepoch), 1) = %(epoch)s
  AND EXISTS (
    SELECT 1 FROM sequences_message AS m
    WHERE m.channel = %(channel)s AND m.tenant_id = waiting.tenant_id AND m.state IN ('ready', 'deferred')
      AND m.not_before <= %(now)s
)
"""


def tenants_with_work(channel: str, now: datetime) -> list[int]:
    """Tenants that have a message of this channel due now and may send it, by id: nobody, while a switch is off or the
    database is of another epoch. Their messages stay as they are."""
    if not settings.SENDING:
        return []
    given = {"channel": channel, "now": now, "epoch": settings.SEND_EPOCH}
    found = [tenant_id for (tenant_id,) in run(TENANTS, given).fetchall()]
    if not found:
        epochs.say_if_frozen(now)
    return found


class Turns:
    """The line of those who have work. For one thread; `most`: how many messages may be under way at once, of all tenants."""

    def __init__(self, channels: Sequence[str], most: int) -> None:
        self.channels, self.most = tuple(channels), most
        self.line: deque[Turn] = deque()
        self.look_again = 0.0
        # Who had nothing to claim: what they still have is locked, or came later; the next shift looks again. Where only its
        # senders' pace keeps a tenant waiting, its turn comes again when the first of them may go on.
        self.dry: dict[Turn, datetime | None] = {}
        self.paced: dict[Turn, dict[int, datetime]] = {}

    def next(self, moment: datetime, under_way: Counter[Turn]) -> tuple[Turn, int] | None:
        """Whose turn it is and how many of theirs may begin; None: nobody has work, or whoever has it fills their share."""
        if not self.line or time.monotonic() >= self.look_again:
            self._look(moment)
        share = ceil(self.most / (len({*self.line, *+under_way}) + 1))
        for _ in range(len(self.line)):
            turn = self.line.popleft()
            if not self._open(turn, moment):
                continue
            if under_way[turn] < share:
                return turn, share - under_way[turn]
            self.line.append(turn)
        return None

    def again(self, turn: Turn) -> None:
        """They may have more: to the end of the line."""
        self.line.append(turn)

    def at_once(self, turn: Turn) -> None:
        """Nothing of theirs was begun, though there may be more: it is still their turn."""
        self.line.appendleft(turn)

    def ran_dry(self, turn: Turn) -> None:
        self.dry[turn] = min(self.paced.get(turn, {}).values(), default=None)

    def waits(self, turn: Turn, sender_id: int, until: datetime) -> None:
        """Of this sender nothing may leave before `until`."""
        self.paced.setdefault(turn, {})[sender_id] = until

    def waiting(self, turn: Turn, moment: datetime) -> list[int]:
        """The senders of this turn whose pace lets nothing go at this moment."""
        paced = {sender: until for sender, until in self.paced.get(turn, {}).items() if until > moment}
        self.paced[turn] = paced
        return list(paced)

    def _look(self, moment: datetime) -> None:
        """Whoever is new comes first, once: they wait for no other's backlog. All others keep their places."""
        self.look_again = time.monotonic() + LOOK_EVERY
        found = [(channel, tenant_id) for channel in self.channels for tenant_id in tenants_with_work(channel, moment)]
        known = [turn for turn in self.line if turn in found]
        self.line = deque([turn for turn in found if turn not in known and self._open(turn, moment)] + known)

    def _open(self, turn: Turn, moment: datetime) -> bool:
        if turn not in self.dry:
            return True
        until = self.dry[turn]
        if until is None or until > moment:
            return False
        del self.dry[turn]
        return True
