"""The dispatcher: claim → sending → send → outcome, many calls in flight, and no message twice.

Two rules carry it. `sending` is committed before the socket opens, so whatever happens afterwards is known to have perhaps
reached the provider. And nothing in here ever sends again: after an error the message is refused, put off with proof, or
unknown, and the reconciler asks.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection

from contacts.addresses import normalised
from sequences import deadman
from sequences.addressing import outbound_for
from sequences.aside import give_back, park
from sequences.claiming import Claim, claim_next
from sequences.columns import Bigints, Texts, Uuids
from sequences.outcome import record_outcome
from sequences.statements import run
from sequences.transports import transport_for
from sequences.transports.base import Outbound, Receipt, Refused
from sequences.watching import watched

__all__ = ["Claim", "claim_next", "deliver", "dispatch", "mark_all", "mark_sending", "record_outcome", "send"]

# As the guard `suppression` has it.
NOT_FORBIDDEN = """  AND (m.purpose IN ('confirmation', 'help') OR NOT EXISTS (
      SELECT 1 FROM contacts_suppression AS x WHERE x.tenant_id = m.tenant_id AND x.channel = m.channel AND x.lifted_at IS NULL
        AND x.address IN (m.to_address, mine.normalised)))
"""
# message_sending: the last thing before the sockets, in a transaction of its own. A worker that was frozen since its claim
# finds here what was switched off meanwhile, or said (a STOP), and in mark_all that the hours are over. Of several rows each is
# locked without waiting, so that nobody can wait for one of them while this waits for another; what somebody holds just now goes
# back to its queue.
SENDING = f"""
WITH mine AS MATERIALIZED (
    SELECT m.id, m.state, m.expires_at, m.claim_token = g.token AS ours, g.normalised
    FROM unnest(%(ids)b, %(tokens)b, %(addresses)b) AS g (id, token, normalised) JOIN sequences_message AS m ON m.id = g.id
    WHERE m.tenant_id = %(tenant)s
    FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE sequences_message AS m
SET state = 'sending', state_at = %(now)s, sending_started_at = %(now)s, attempt = attempt + 1
FROM mine, tenants_tenant AS t
WHERE mine.ours AND mine.state = 'claimed' AND mine.expires_at > %(now)s
  AND m.id = mine.id AND m.tenant_id = %(tenant)s AND t.id = m.tenant_id AND t.sending_enabled
  AND NOT EXISTS (SELECT 1 FROM sequences_switch WHERE off AND key IN ('all', m.channel))
{NOT_FORBIDDEN}  AND coalesce((SELECT max(epoch) FROM sequences_sendepoch), 1) = %(epoch)s
RETURNING m.id
"""  # noqa: S608 (a condition of ours)

# One row alone is waited for: whoever waits for nothing else is part of no ring. What holds it is a worker that took it up too
# late and is about to see so.
SENDING_ONE = SENDING.replace(" SKIP LOCKED", "")

# Requests in flight at most. Their threads have no connection to the database; of a tenant alone half of them may be under way
# (sequences.turns), which at a provider's usual 200 ms is some 300 a second.
THREADS = 128
# Seconds between attempts to write an outcome down: as long as a database takes to restart.
PAUSES = (0.1, 0.5, 2.0)

logger = logging.getLogger(__name__)


def mark_all(claims: Sequence[Claim], now: datetime) -> set[int]:
    """Commits that the requests of these claims of one tenant are about to leave; returns the ids of those that may. The others
    are no longer ours, or sending was stopped since, or could not arrive in time any more: they must not be sent, and are to be given
    back."""
    claims = [claim for claim in claims if claim.must_arrive_by > now]
    if not claims:
        return set()
    given: dict[str, Any] = {
        "ids": Bigints(claim.id for claim in claims),
        "tokens": Uuids(claim.token.bytes for claim in claims),
        "addresses": Texts(normalised(claim.message.to_address) for claim in claims),
        "tenant": claims[0].tenant_id,
        "now": now,
        "epoch": settings.SEND_EPOCH,
    }
    return {message_id for (message_id,) in run(SENDING if len(claims) > 1 else SENDING_ONE, given).fetchall()}


def mark_sending(claim: Claim, now: datetime) -> bool:
    """The same for one claim, which is given back where it may not leave: then it is False."""
    if mark_all([claim], now):
        return True
    give_back(claim, now)
    return False


def send(claim: Claim, outbound: Outbound) -> Receipt:
    """One request to the provider. Must be called outside any transaction; raises what the transport raises."""
    if connection.in_atomic_block:
        raise RuntimeError("A message must not be sent inside a transaction: its rollback would forget the send.")
    return transport_for(claim.known.provider).send(outbound)


def prepare(claim: Claim, now: datetime) -> Outbound | Refused | str:
    """What the transport needs, with its SDK loaded. Refused: the sender's set-up cannot send at all. A word: it cannot be made
    ready, and was put aside in that state."""
    try:
        transport_for(claim.known.provider).warm()
        return outbound_for(claim, now)
    except Refused as refused:
        return refused
    except Exception as error:
        logger.exception("Message %s could not be made ready to send.", claim.public_id)
        return park(claim.id, claim.tenant_id, f"not_sendable: {type(error).__name__}", now)


def on_the_wire(claim: Claim, outbound: Outbound) -> Receipt | Exception:
    """send(), with every error as a value: after `sending` an error is an outcome, and record_outcome tells them apart."""
    try:
        return send(claim, outbound)
    except Exception as error:  # noqa: BLE001
        return error


@watched
def deliver(claim: Claim, now_of: Callable[[], datetime]) -> str:
    """Takes one claimed message to its outcome; returns its new state, "" if it was taken away meanwhile.

    SystemExit (a task's time is up, a worker is told to end) passes through and leaves `sending` to the reconciler.
    """
    prepared = prepare(claim, now_of())
    if isinstance(prepared, str):
        return prepared
    if isinstance(prepared, Refused):
        return write_down(claim, prepared, now_of()) if mark_sending(claim, now_of()) else ""
    began = time.monotonic()
    with deadman.over_within():
        if not mark_sending(claim, now_of()) or deadman.expired(began):
            return ""
        outcome = on_the_wire(claim, prepared)
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

    Messages are claimed a handful at a time, as many as can leave at once, tenants taking turns. It begins with one message and
    one thread, so a single message costs little. Requests under way at the end of the budget are finished.
    """
    from sequences.shift import Shift  # which is made of what stands above

    return Shift(channels, now, time.monotonic() + budget_seconds, threads).run()
