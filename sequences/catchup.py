"""After a standstill: what became due meanwhile comes a little at a time, so that nobody is drowned and no provider is stormed.

However long it was: of each tenant and channel a tenth of a normal hour's work each hour of the first day, in the order in
which they were due, beside the hour's own people; then a little more each day (sequences.easing). So no hour of the day after
an outage brings more than 110 % of a normal one. Messages that are older than their freshness when their turn comes expire.
"""

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from sequences.easing import normal_day, released
from sequences.models import Enrollment, Wakeup

# Shorter pauses happen (a deployment, a restart) and are caught up with at once.
STANDSTILL = timedelta(minutes=30)
# Due so recently that it is of this hour.
RECENT = timedelta(minutes=1)
# A person who waits because sending is off is looked at again after ten minutes (sequences.plan).
LOOKED_AT_WITHIN = timedelta(minutes=11)
# What is normal is read off the last receipts, of at most so many and so long ago.
HISTORY, RECEIPTS = timedelta(days=7), 500_000

# What waited: everybody due while nothing was decided; or whom a switch kept waiting, of whom nobody remembers when they would
# have come: each has its place, the same however often it is asked. Who is to leave does not wait.
STOOD = "status = 'active' AND next_run_at < %(recent)s"
KEPT = """status = 'active' AND next_run_at <= %(soon)s AND status_reason = 'sending_off'
          AND (%(tenant)s::bigint IS NULL OR tenant_id = %(tenant)s)"""
ORDER = {STOOD: "due.next_run_at, due.id", KEPT: "hashint8(due.id), due.id"}

# A person who waits at a step that sends nothing counts for the next one that does.
BACKLOG = """
WITH due AS MATERIALIZED (
    SELECT id, tenant_id, step_id, next_run_at FROM sequences_enrollment WHERE {which}
), steps AS MATERIALIZED (
    SELECT here.id AS step_id, (
        SELECT kind FROM sequences_step AS ahead
        WHERE ahead.version_id = here.version_id AND ahead.position >= here.position AND ahead.enabled
          AND ahead.kind IN ('sms', 'email', 'voice')
        ORDER BY ahead.position, ahead.id LIMIT 1) AS channel
    FROM sequences_step AS here WHERE here.id IN (SELECT step_id FROM due)
), backlog AS (
    SELECT due.id, due.tenant_id, coalesce(steps.channel, '') AS channel,
           row_number() OVER (PARTITION BY due.tenant_id, coalesce(steps.channel, '') ORDER BY {order}) AS place
    FROM due LEFT JOIN steps ON steps.step_id = due.step_id
)
"""
COUNT = "SELECT tenant_id, channel, count(*) FROM backlog GROUP BY 1, 2 ORDER BY 1, 2"
# backlog_eased: easing.moment() for each, by its place. What another worker has moved meanwhile is not moved again.
EASE = """
, eased AS (
    SELECT * FROM unnest(%(tenants)s::bigint[], %(channels)s::text[], %(by_hour)s::text[]) AS e(tenant_id, channel, hours)
), slots AS (
    SELECT backlog.id, place, hours::float8[] AS hours, width_bucket(place - 1e-6, hours::float8[]) AS slot
    FROM backlog JOIN eased USING (tenant_id, channel)
)
UPDATE sequences_enrollment
SET next_run_at = %(now)s + interval '1 hour' * (slot + coalesce(
        (place - coalesce(hours[slot], 0)) / nullif(hours[slot + 1] - coalesce(hours[slot], 0), 0), 0))
FROM slots WHERE sequences_enrollment.id = slots.id AND {which}
"""
# normal_hours: receipts get their numbers in the order of time, nearly; so this reads the end of one index.
NORMAL = """
SELECT tenant_id, channel, extract(hour FROM at AT TIME ZONE 'UTC')::int, count(*), min(at)
FROM (SELECT tenant_id, channel, at FROM sequences_execution ORDER BY id DESC LIMIT %(receipts)s) AS latest
WHERE at >= %(begin)s AND at < %(until)s AND channel <> '' GROUP BY 1, 2, 3
"""

Group = tuple[int, str]
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
    return _ease(STOOD, {"recent": now - RECENT}, base, now)


def after_stop(since: datetime, now: datetime, tenant_id: int | None = None) -> int:
    """Spreads the people whom a switch kept waiting from `since` on, of one tenant or of all; returns how many. As the system
    role: of all tenants a page sees none."""
    if now - since < STANDSTILL:
        return 0
    return _ease(KEPT, {"soon": now + LOOKED_AT_WITHIN, "tenant": tenant_id}, since, now)


def _ease(which: str, given: dict[str, Any], base: datetime, now: datetime) -> int:
    backlog = BACKLOG.format(which=which, order=ORDER[which])
    with connection.cursor() as cursor:
        cursor.execute(backlog + COUNT, given)
        counted: dict[Group, int] = {(tenant, channel): count for tenant, channel, count in cursor.fetchall()}
        if not counted:
            return 0
        normal = _normal(base)
        unseen = ([0] * 24, timedelta(0))
        by_hour = [
            released(normal_day(*normal.get(group, unseen), count, now - base), count, now)
            for group, count in counted.items()
        ]
        eased: dict[str, Any] = {
            "now": now,
            "tenants": [tenant for tenant, _ in counted],
            "channels": [channel for _, channel in counted],
            "by_hour": ["{" + ",".join(map(repr, hours)) + "}" for hours in by_hour],
        }
        cursor.execute(backlog + EASE.format(which=which), {**given, **eased})
        moved = int(cursor.rowcount)
    longest = max(len(hours) for hours in by_hour)
    logger.warning(
        "After a standstill of %s, %d people who became due are spread over %d hours.", now - base, moved, longest
    )
    return moved


def _normal(base: datetime) -> dict[Group, tuple[list[int], timedelta]]:
    """(tenant, channel) -> what was sent before the standstill by hour of the day (UTC), and the time it was sent in."""
    counts: dict[Group, list[int]] = defaultdict(lambda: [0] * 24)
    first: dict[Group, datetime] = {}
    with connection.cursor() as cursor:
        cursor.execute(NORMAL, {"receipts": RECEIPTS, "begin": base - HISTORY, "until": base})
        for tenant, channel, hour, count, since in cursor.fetchall():
            counts[tenant, channel][hour] = count
            first[tenant, channel] = min(since, first.get((tenant, channel), since))
    return {group: (hours, base - first[group]) for group, hours in counts.items()}
