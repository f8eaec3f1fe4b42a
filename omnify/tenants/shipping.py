"""Carries events and their seals off the host, where nobody who has the database can reach them.

`OMNIFY_AUDIT_SINK` is the path of a file that a log shipper follows, or an https address that takes JSON lines by POST
(public addresses only; signed with `OMNIFY_AUDIT_SECRET`, docs/operations.md). Empty: nothing is shipped. The cursor moves
when the sink has what it was given, so after a crash something arrives twice, and nothing is left out.
"""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from omnify.lib import outbound
from omnify.tenants import chain
from omnify.tenants.models import Event, Seal, SealState
from omnify.tenants.notary import LOCK
from omnify.tenants.proofreading import receipt

CHUNK = 256_000  # bytes, about, in one write or request
MOST = 200  # seals in one run
AT_ONCE = 20


class NotTaken(Exception):
    """The sink did not take it; it will be offered again."""


def ship(now: datetime, *, most: int = MOST) -> int:
    """Gives the sink what is sealed and not shipped, in order; returns how many seals it took. What went wrong is kept and shown."""
    if not settings.AUDIT_SINK:
        return 0
    taken = 0
    while taken < most:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK + 1])  # one shipper at a time
            if not cursor.fetchone()[0]:
                return taken
            state, _ = SealState.objects.get_or_create(pk=1)
            waiting = list(Seal.objects.all_tenants().filter(pk__gt=state.shipped).order_by("pk")[:AT_ONCE])
            if not waiting:
                if state.ship_problem:
                    SealState.objects.filter(pk=1).update(ship_problem="")
                return taken
            try:
                for chunk in chunks(waiting):
                    give(chunk, now)
            except (NotTaken, OSError) as problem:
                words = str(problem) if isinstance(problem, NotTaken) else f"{type(problem).__name__} at the file"
                SealState.objects.filter(pk=1).update(ship_problem=words[:200])
                return taken
            SealState.objects.filter(pk=1).update(shipped=waiting[-1].pk, shipped_at=now, ship_problem="")
            taken += len(waiting)
    return taken


def chunks(seals: list[Seal]) -> Iterator[bytes]:
    """Whole lines, each chunk about CHUNK bytes: the events of a seal, then the seal."""
    held: list[bytes] = []
    size = 0
    for seal in seals:
        for line in lines_of(seal):
            held.append(line.encode() + b"\n")
            size += len(held[-1])
            if size >= CHUNK:
                yield b"".join(held)
                held, size = [], 0
    if held:
        yield b"".join(held)


def lines_of(seal: Seal) -> Iterator[str]:
    rows = Event.objects.all_tenants().filter(tenant_id=seal.tenant_id, pk__gt=seal.after, pk__lte=seal.upto)
    for row in rows.order_by("pk").values(*chain.COLUMNS).iterator(chunk_size=2000):
        yield chain.line_of(row)
    yield json.dumps(receipt(seal), sort_keys=True, separators=(",", ":"))


def give(chunk: bytes, now: datetime) -> None:
    """One chunk to the sink. Raises NotTaken or OSError."""
    if settings.AUDIT_SINK.startswith("https://"):
        _post(chunk, now)
    else:
        _append(Path(settings.AUDIT_SINK), chunk)


def _append(path: Path, chunk: bytes) -> None:
    """Written and synced. A line that a crash cut short is ended first, so that it spoils nothing but itself."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            chunk = chunk if file.read(1) == b"\n" else b"\n" + chunk
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _post(chunk: bytes, now: datetime) -> None:
    headers = {"content-type": "application/x-ndjson"}
    if settings.AUDIT_SECRET:
        headers["x-omnify-signature"] = outbound.signature(settings.AUDIT_SECRET, chunk, now=now)
    try:
        answer = outbound.fetch(settings.AUDIT_SINK, method="POST", body=chunk, headers=headers)
    except (outbound.Refused, outbound.Unreachable) as problem:
        raise NotTaken(f"The sink could not be asked: {problem}") from problem
    if not 200 <= answer.status < 300:
        raise NotTaken(f"The sink answered {answer.status}.")
