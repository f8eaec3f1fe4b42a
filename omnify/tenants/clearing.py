"""Removes what has been kept long enough, in every workspace: a span of history at a time, oldest first, one transaction each.

What is removed, and from which tables, each floor says itself: it calls `sweep` with a function that does it. A mark a workspace
and kind says how far the removal has come, and moves in the transaction that removed; so it does not matter where a worker is
killed, and nothing is looked at twice. When a workspace's day is done the ledger is told how many rows it was.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count

from omnify.tenants.context import tenant_context
from omnify.tenants.events import record
from omnify.tenants.models import Notification, RetentionMark, Tenant
from omnify.tenants.retention import Term, Terms

NOTIFICATIONS = "notifications"
LOCK = 7_304  # key space of the advisory lock: one sweeper a kind
SECONDS = 20.0
# So much of history at a time: more where nothing was, less where it was much.
FIRST, LONGEST, SHORTEST = timedelta(hours=1), timedelta(days=32), timedelta(minutes=1)
MUCH = 5_000

# retention_move: how far the removal has come, and what it removed since the ledger was told.
MOVE = """
INSERT INTO tenants_retentionmark AS mark (tenant_id, kind, upto, counted, total, cleared_at)
SELECT tenant_id, %(kind)s, upto, rows, rows, CASE WHEN rows > 0 THEN %(now)s END
FROM unnest(%(tenants)s::bigint[], %(upto)s::timestamptz[], %(rows)s::bigint[]) AS new (tenant_id, upto, rows)
ON CONFLICT (tenant_id, kind) DO UPDATE SET
    upto = greatest(mark.upto, excluded.upto), counted = mark.counted + excluded.counted,
    total = mark.total + excluded.total, cleared_at = coalesce(excluded.cleared_at, mark.cleared_at)
RETURNING tenant_id, counted
"""
TOLD = "UPDATE tenants_retentionmark SET counted = 0 WHERE kind = %(kind)s AND tenant_id = ANY(%(tenants)s)"


@dataclass(frozen=True, slots=True)
class Cleared:
    """What one piece of work did: rows by tenant; and, by tenant, the time of the oldest row that had to stay, because something
    is still to be done with it. Its workspace's mark waits there."""

    rows: Mapping[int, int]
    left: Mapping[int, datetime] = field(default_factory=dict)


# Given tenants and a span of time (from None: from the beginning) removes what lies in it: see Cleared.
Clear = Callable[[Sequence[int], datetime | None, datetime], Cleared]


@dataclass(frozen=True, slots=True)
class _Due:
    tenant_id: int
    after: datetime | None
    begins: datetime
    cutoff: datetime


def sweep(kind: str, term: Term, clear: Clear, *, seconds: float = SECONDS) -> int:
    """Removes for about so long what is over its term; returns how many rows. 0 at once while another worker is at it, and where
    nothing is due: then it costs two queries."""
    until, total, waiting, length = time.monotonic() + seconds, 0, set[int](), FIRST
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s)), now()", [LOCK, kind])
            free, now = cursor.fetchone()
            due = [each for each in _due(kind, term, now) if each.tenant_id not in waiting] if free else []
            if not due:
                return total
            after = min(due, key=_place).after
            group = [each for each in due if each.after == after]
            upto = min(each.cutoff for each in group)
            upto = min(upto, after + length if after else min(each.begins for each in group))
            done = clear([each.tenant_id for each in group], after, upto)
            waiting |= done.left.keys()
            _move(kind, group, done, upto, now)
            rows = sum(done.rows.values())
            total += rows
        if rows > MUCH:
            length = max(length / 2, SHORTEST)
        elif not rows:
            length = min(length * 2, LONGEST)
        if time.monotonic() >= until:
            return total


def _place(each: _Due) -> tuple[bool, datetime]:
    return each.after is not None, each.after or each.begins


def _due(kind: str, term: Term, now: datetime) -> list[_Due]:
    """The workspaces that have something older than their term in front of their mark."""
    marks = dict(RetentionMark.objects.all_tenants().filter(kind=kind).values_list("tenant_id", "upto"))
    columns = ("pk", "created_at", "keep_words_days", "keep_raw_days", "legal_hold")
    found = []
    for pk, created_at, *terms in Tenant.objects.values_list(*columns):
        cutoff = Terms(*terms).cutoff(term, now)
        begins = created_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        after = marks.get(pk)
        if cutoff is not None and (after or begins) < cutoff:
            found.append(_Due(pk, after, begins, cutoff))
    return found


def _move(kind: str, group: Sequence[_Due], done: Cleared, upto: datetime, now: datetime) -> None:
    """Puts the group's marks forward, and tells each ledger at the end of its day."""
    reached = {each.tenant_id: done.left.get(each.tenant_id, upto) for each in group}
    ids = list(reached)
    with connection.cursor() as cursor:
        cursor.execute(
            MOVE,
            {
                "kind": kind, "now": now, "tenants": ids, "upto": [reached[each] for each in ids],
                "rows": [done.rows.get(each, 0) for each in ids],
            },
        )  # fmt: skip
        counted = {tenant_id: number for tenant_id, number in cursor.fetchall() if number}
        ended = [
            each.tenant_id
            for each in group
            if each.tenant_id in counted and (each.tenant_id in done.left or reached[each.tenant_id] >= each.cutoff)
        ]
        cursor.execute(TOLD, {"kind": kind, "tenants": ended})
    for tenant_id in ended:
        with tenant_context(tenant_id):
            told = {"what": kind, "rows": counted[tenant_id], "older_than": reached[tenant_id].date().isoformat()}
            record("retention.cleared", tenant_id=tenant_id, now=now, actor="retention", **told)


def clear() -> int:
    """Everything of this floor that is over its term: notifications, read or not. Returns how many."""
    return sweep(NOTIFICATIONS, Term.RAW, _notifications)


def _notifications(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    old = Notification.objects.all_tenants().filter(tenant_id__in=tenants, created_at__lt=upto)
    if after is not None:
        old = old.filter(created_at__gte=after)
    rows = dict(old.order_by().values_list("tenant_id").annotate(number=Count("pk")))
    old.delete()
    return Cleared(rows)
