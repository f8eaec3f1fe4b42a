"""After a standstill: what became due meanwhile comes a little at a time, so that nobody is drowned and no provider is stormed.

Whoever was due while nothing was decided is given a later moment, in the order and the rhythm in which they would have come,
twelve times slower: beside the hour's own people these are a twelfth more, so an hour after an outage brings at most 110 % of
a normal one. What waits for longer than three days is not stretched further: then the hours after it are fuller.
"""

import logging
from datetime import datetime, timedelta

from django.db import connection

from sequences.models import Enrollment, Wakeup

# Shorter pauses happen (a deployment, a restart) and are caught up with at once.
STANDSTILL = timedelta(minutes=30)
SLOWER = 12.0
AT_MOST = timedelta(hours=72)
# Due so recently that it is of this hour.
RECENT = timedelta(minutes=1)
# A person who waits because sending is off is looked at again after ten minutes (sequences.plan).
LOOKED_AT_WITHIN = timedelta(minutes=11)

# due_spread: `base` is when the engine stopped. Who was late even then does not wait longer; who is to leave does not wait.
SPREAD = """
UPDATE sequences_enrollment
SET next_run_at = %(now)s + greatest(interval '0', next_run_at - %(base)s) * %(slower)s
WHERE next_run_at < %(recent)s AND status = 'active'
"""
# off_spread: nobody remembers when these would have come; each gets its own moment, the same however often it is asked.
OFF = """
UPDATE sequences_enrollment
SET next_run_at = %(now)s + %(length)s::interval * ((hashint8(id)::bigint + 2147483648) / 4294967296.0)
WHERE next_run_at <= %(soon)s AND status = 'active' AND status_reason = 'sending_off'
  AND (%(tenant)s::bigint IS NULL OR tenant_id = %(tenant)s)
"""

logger = logging.getLogger(__name__)


def after_standstill(now: datetime) -> int:
    """Spreads what became due while no tick ran; returns how many enrolments were moved. 0 after a short pause, and when it
    was quiet because nothing was due. Twice in a row, or in two workers at once, it moves nobody twice."""
    base = Wakeup.objects.filter(kind="tick").values_list("finished_at", flat=True).first()
    if base is None or now - base < STANDSTILL:
        return 0
    oldest = Enrollment.objects.all_tenants().filter(next_run_at__lt=now - STANDSTILL, status="active")
    if not oldest.exists():
        return 0
    given = {"now": now, "base": base, "recent": now - RECENT, "slower": _slower(now - base)}
    return _move(SPREAD, given, now - base)


def after_stop(since: datetime, now: datetime, tenant_id: int | None = None) -> int:
    """Spreads the people whom a switch kept waiting from `since` on, of one tenant or of all; returns how many."""
    if now - since < STANDSTILL:
        return 0
    length = (now - since) * _slower(now - since)
    given = {"now": now, "length": length, "soon": now + LOOKED_AT_WITHIN, "tenant": tenant_id}
    return _move(OFF, given, now - since)


def _slower(stood: timedelta) -> float:
    return max(1.0, min(SLOWER, AT_MOST / stood))


def _move(statement: str, given: dict[str, object], stood: timedelta) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)  # type: ignore[arg-type]
        moved = int(cursor.rowcount)
    if moved:
        logger.warning(
            "After a standstill of %s, %d people who became due are spread over the hours ahead.", stood, moved
        )
    return moved
