"""Seals what the ledger holds: afterwards, in order, one at a time, so that writers never queue up behind a chain's last link.

Ids are handed out when a row is written and seen when its transaction commits, so a small id may appear late. A seal covers
all ids up to a horizon below which nothing can appear any more: first the newest id ever handed out is read, then who holds
a writer's lock on the ledger (taken before an id is asked for, kept to the end of the transaction). When none of those
transactions runs any more, that id is certain. Nobody is waited for: the horizon is remembered for the next round.
"""

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import connection, transaction

from omnify.lib.sealing import vouch
from omnify.tenants import chain
from omnify.tenants.models import Event, Seal, SealHead, SealState

LOCK = 7_316_204_551  # one notary at a time
STEP = 20_000  # ids a transaction
SECONDS = 10.0
PURPOSE = "audit"
SEALING = ("sealed_upto", "sealed_at", "last_made", "horizon", "waits_for")  # the rest of the row is the shipper's

HANDED_OUT = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM tenants_event_id_seq"
# Fast-path locks are listed too; so are prepared transactions, which have no pid.
WRITERS = """
SELECT DISTINCT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = 'tenants_event'::regclass AND mode = 'RowExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid IS DISTINCT FROM pg_backend_pid()
"""


def seal(now: datetime, *, seconds: float = SECONDS) -> int:
    """Seals whatever is certain by now, for about `seconds`; returns how many seals it made. 0 while another notary works."""
    until, made = time.monotonic() + seconds, 0
    while True:
        step = _step(now)
        if step is None:
            return made
        made += step
        if time.monotonic() >= until:
            return made


def _step(now: datetime) -> int | None:
    """One range of ids, all tenants in it, one transaction. None: there is nothing more that is certain."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        state, _ = SealState.objects.get_or_create(pk=1)
        state.sealed_at = now
        certain = _certain(state, cursor)
        if certain is None or certain <= state.sealed_upto:
            state.save(update_fields=SEALING)
            return None
        upto = min(certain, state.sealed_upto + STEP)
        rows = _rows(state.sealed_upto, upto)
        made = 0
        for tenant_id, mine in groupby(rows, key=lambda row: row["tenant_id"]):
            state.last_made = _seal_tenant(tenant_id, list(mine), upto=upto, now=now)
            made += 1
        state.sealed_upto = upto
        state.save(update_fields=SEALING)
        return made


def _certain(state: SealState, cursor: Any) -> int | None:
    """The newest id below which nothing can appear any more; keeps a horizon that is not certain yet in `state`."""
    if state.horizon is None:
        cursor.execute(HANDED_OUT)
        state.horizon = cursor.fetchone()[0]
        state.waits_for = _writers(cursor)
    elif state.waits_for:
        running = set(_writers(cursor))
        state.waits_for = [each for each in state.waits_for if each in running]
    if state.waits_for:
        return None
    certain = state.horizon
    if certain <= state.sealed_upto + STEP:
        state.horizon = None  # used up by this step; the next one looks for a newer
    return certain


def _writers(cursor: Any) -> list[str]:
    cursor.execute(WRITERS)
    return [row[0] for row in cursor.fetchall()]


def _rows(after: int, upto: int) -> Iterator[dict[str, Any]]:
    found = Event.objects.all_tenants().filter(pk__gt=after, pk__lte=upto).order_by("tenant_id", "pk")
    return iter(found.values(*chain.COLUMNS).iterator(chunk_size=2000))


def _seal_tenant(tenant_id: int, rows: list[dict[str, Any]], *, upto: int, now: datetime) -> int:
    """The next link of one tenant; returns its id. It begins where the tenant's last one ended: ranges in which nothing happened
    make no seal of their own."""
    head = SealHead.objects.all_tenants().filter(tenant_id=tenant_id).first() or SealHead(
        tenant_id=tenant_id, number=0, upto=0, root=""
    )
    lines = [chain.line_of(row) for row in rows]
    number, previous = head.number + 1, head.root
    first = chain.header(
        tenant=tenant_id, number=number, after=head.upto, upto=upto, count=len(rows), previous=previous
    )
    root = chain.root_of(first, lines)
    made: Seal = Seal.objects.create(
        tenant_id=tenant_id, number=number, after=head.upto, upto=upto, count=len(rows), previous=previous, root=root,
        leaves=b"".join(chain.leaf(row["id"], line) for row, line in zip(rows, lines, strict=True)),
        signature=vouch(root, purpose=PURPOSE), made_at=now,
    )  # fmt: skip
    head.number, head.upto, head.root = number, upto, root
    head.save()
    return made.pk
