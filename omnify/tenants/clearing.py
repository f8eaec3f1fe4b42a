"""Removes what has been kept long enough, in every workspace: a few hundred rows at a time, oldest first, one transaction each.

What is removed, and from which tables, each floor says itself: it calls `sweep` with a function that does it. A mark a workspace
and kind says how far the removal has come, and moves in the transaction that removed; so it does not matter where a worker is
killed, and nothing is looked at twice. When a workspace's day is done the ledger is told how many rows it was.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count

from omnify.tenants.context import require_tenant_id, tenant_context
from omnify.tenants.events import record
from omnify.tenants.models import Notification, RetentionMark, Tenant
from omnify.tenants.retention import Term, Terms

NOTIFICATIONS = "notifications"
LOCK = 7_304  # key space of the advisory lock: one sweeper a kind
SECONDS = 20.0
# So many rows at a time: nobody waits for long for what a piece of work has locked.
AT_ONCE = 500
# So much of history is looked at for them: more where little was, less where it was much.
FIRST, LONGEST, SHORTEST = timedelta(hours=1), timedelta(days=128), timedelta(minutes=1)

# retention_terms: nobody shortens a term, or puts everything on hold, between this look and the removal.
TERMS = """
SELECT id, keep_words_days, keep_raw_days, legal_hold FROM tenants_tenant WHERE id = ANY(%s) FOR SHARE
"""
# retention_move: how far the removal has come, and what it removed since the ledger was told.
MOVE = """
INSERT INTO tenants_retentionmark AS mark (tenant_id, kind, upto, counted, total, cleared_at)
SELECT tenant_id, %(kind)s, upto, rows, rows, CASE WHEN rows > 0 THEN %(now)s END
FROM unnest(%(tenants)s::bigint[], %(upto)s::timestamptz[], %(rows)s::bigint[]) AS new (tenant_id, upto, rows)
ON CONFLICT (tenant_id, kind) DO UPDATE SET
    upto = greatest(mark.upto, excluded.upto), counted = mark.counted + excluded.counted,
    total = mark.total + excluded.total, cleared_at = coalesce(excluded.cleared_at, mark.cleared_at)
"""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What one piece of work did: rows by tenant. `left`: by tenant, the time of the oldest row that had to stay, because somebody
    holds it or something is still to be done with it; its workspace's mark waits there. `reached`: how far it came, where the
    span held more than AT_ONCE rows."""

    rows: Mapping[int, int]
    left: Mapping[int, datetime] = field(default_factory=dict)
    reached: datetime | None = None


# Given tenants and a span of time (from None: from the beginning) removes what lies in it, AT_ONCE rows at most: see Cleared.
Clear = Callable[[Sequence[int], datetime | None, datetime], Cleared]


@dataclass(frozen=True, slots=True)
class _Due:
    tenant_id: int
    after: datetime | None
    begins: datetime
    cutoff: datetime


def sweep(kind: str, term: Term, clear: Clear, *, seconds: float = SECONDS) -> int:
    """Removes for about so long what is over its term; returns how many rows. 0 at once while another worker is at it, and where
    nothing is due: then it costs three queries."""
    until, total, pieces, waiting, length = time.monotonic() + seconds, 0, 0, set[int](), FIRST
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s)), now()", [LOCK, kind])
            free, now = cursor.fetchone()
            if not free:
                return total
            due, untold = _look(kind, term, now)
            due = [each for each in due if each.tenant_id not in waiting]
            if not due or (pieces and time.monotonic() >= until):
                going_on = {each.tenant_id for each in due}
                _tell(kind, {each: told for each, told in untold.items() if each not in going_on}, now)
                return total
            group, after, upto = _piece(due, length)
            group = _still_due(group, term, upto, now)
            done = clear([each.tenant_id for each in group], after, upto)
            _move(kind, group, done, done.reached or upto, now)
        rows = sum(done.rows.values())
        total, pieces = total + rows, pieces + 1
        waiting |= done.left.keys()
        if done.reached:
            length = max(length / 2, SHORTEST)
        elif rows < AT_ONCE // 4:
            length = min(length * 2, LONGEST)


def rows_of(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What one statement gives back, in the piece's own transaction."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def reopen(kind: str, at: datetime) -> None:
    """Something of that time was written behind the mark of the current tenant: what lies there is looked at once more."""
    RetentionMark.objects.filter(tenant_id=require_tenant_id(), kind=kind, upto__gt=at).update(upto=at)


def _look(kind: str, term: Term, now: datetime) -> tuple[list[_Due], dict[int, tuple[int, datetime]]]:
    """The workspaces that have something older than their term in front of their mark; and, by tenant, what the ledger was not told
    of yet: rows, and up to when."""
    known = RetentionMark.objects.all_tenants().filter(kind=kind).values_list("tenant_id", "upto", "counted")
    marks = {tenant_id: (upto, counted) for tenant_id, upto, counted in known}
    columns = ("pk", "created_at", "keep_words_days", "keep_raw_days", "legal_hold")
    found = []
    for pk, created_at, *terms in Tenant.objects.values_list(*columns):
        cutoff = Terms(*terms).cutoff(term, now)
        begins = created_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        after = marks[pk][0] if pk in marks else None
        if cutoff is not None and (after or begins) < cutoff:
            found.append(_Due(pk, after, begins, cutoff))
    return found, {pk: (counted, upto) for pk, (upto, counted) in marks.items() if counted}


def _piece(due: Sequence[_Due], length: timedelta) -> tuple[list[_Due], datetime | None, datetime]:
    """Who stands furthest back, from where, and up to where they go on together."""
    after = min(due, key=lambda each: (each.after is not None, each.after or each.begins)).after
    group = [each for each in due if each.after == after]
    upto = min(each.cutoff for each in group)
    return group, after, min(upto, after + length if after else min(each.begins for each in group))


def _still_due(group: Sequence[_Due], term: Term, upto: datetime, now: datetime) -> list[_Due]:
    with connection.cursor() as cursor:
        cursor.execute(TERMS, [[each.tenant_id for each in group]])
        cutoffs = {pk: Terms(*terms).cutoff(term, now) for pk, *terms in cursor.fetchall()}
    return [each for each in group if (cutoff := cutoffs.get(each.tenant_id)) and cutoff >= upto]


def _move(kind: str, group: Sequence[_Due], done: Cleared, reached: datetime, now: datetime) -> None:
    """Puts the group's marks forward."""
    ids = [each.tenant_id for each in group]
    given: dict[str, Any] = {
        "kind": kind, "now": now, "tenants": ids, "upto": [done.left.get(each, reached) for each in ids],
        "rows": [done.rows.get(each, 0) for each in ids],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(MOVE, given)


def _tell(kind: str, untold: Mapping[int, tuple[int, datetime]], now: datetime) -> None:
    """One line in the ledger of each workspace whose day is done, or was broken off by a hold or another term."""
    for tenant_id, (rows, upto) in untold.items():
        with tenant_context(tenant_id):
            told = {"what": kind, "rows": rows, "older_than": upto.date().isoformat()}
            record("retention.cleared", tenant_id=tenant_id, now=now, actor="retention", **told)
    if untold:
        RetentionMark.objects.all_tenants().filter(kind=kind, tenant_id__in=untold).update(counted=0)


def clear(*, seconds: float = SECONDS) -> int:
    """Everything of this floor that is over its term: notifications, read or not. Returns how many."""
    return sweep(NOTIFICATIONS, Term.RAW, _notifications, seconds=seconds)


def _notifications(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    old = Notification.objects.all_tenants().filter(tenant_id__in=tenants, created_at__lt=upto).order_by("created_at")
    if after is not None:
        old = old.filter(created_at__gte=after)
    found = list(old.values_list("pk", "created_at")[:AT_ONCE])
    gone = Notification.objects.all_tenants().filter(pk__in=[pk for pk, _ in found])
    rows = dict(gone.order_by().values_list("tenant_id").annotate(number=Count("pk")))
    gone.delete()
    return Cleared(rows, reached=found[-1][1] if len(found) == AT_ONCE else None)
