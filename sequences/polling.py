"""Reads again what every provider holds, so that a word no webhook could bring is found within minutes.

Webhooks get lost: Twilio tries an unreachable address once more, VAPI not at all. What is found here is stored through the
door's own statement under the key its webhook would have had, so an event that came both ways is one event. No transaction is
open while a provider is asked, and a reading that dies half-way is simply done again.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Greatest

from omnify.tenants.context import tenant_context
from omnify.tenants.models.people import SendingMode
from sequences import alarms
from sequences.models import Polling, Sender
from sequences.rereading import WINDOW, TooLong, kinds_of, oldest_unsettled, read_again
from sequences.transports.base import Refused, Unreadable

# How often each list is read. Statuses are read only while a message of ours has none that settles it.
EVERY = {"inbound": timedelta(minutes=5), "call": timedelta(minutes=5), "status": timedelta(minutes=30)}
# A reading begins an hour before the last one ended, for lists that lag and clocks that differ; once an hour, and the first
# time, it goes back the whole WINDOW.
OVERLAP = timedelta(hours=1)
# So far behind, a member is told.
LATE = timedelta(minutes=30)
BUDGET_SECONDS = 60.0
# A round of the workers takes so long, and the list that it is at; what it leaves comes with the next. A list that takes
# longer is read where there is more time.
ROUND_SECONDS, LIST_SECONDS = 3.0, 20.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one round did: lists read to their end, events no webhook had brought, what could not be read, how many lists it
    left for the next round, and which (id of the Polling, of the tenant) were too long for it."""

    read: int = 0
    found: int = 0
    problems: tuple[str, ...] = ()
    left: int = 0
    long: tuple[tuple[int, int], ...] = ()


def poll(
    now: datetime,
    *,
    since: datetime | None = None,
    every_one: bool = False,
    budget_seconds: float = BUDGET_SECONDS,
    list_seconds: float | None = None,
) -> Reading:
    """Reads every list that is due, those read longest ago first. `every_one`: also those read a moment ago.

    `since`: how far back at least, for a database that missed more than two days. No list is begun when `budget_seconds` are
    over; the next round goes on. `list_seconds`: no list is read for longer. Run as the system role, outside any transaction.
    """
    until = time.monotonic() + budget_seconds
    _make_rows()
    begun, read, found = 0, 0, 0
    problems: list[str] = []
    long: list[tuple[int, int]] = []
    due = _due(now, every_one or since is not None)
    for place, polling in enumerate(due):
        if begun and time.monotonic() >= until:
            return Reading(read, found, tuple(problems), len(due) - place, tuple(long))
        if not _taken(polling, now):
            continue
        begun += 1
        try:
            found += _read_again(polling, now, since, list_seconds)
            read += 1
        except TooLong:
            long.append((polling.pk, polling.tenant_id))
        except (Unreadable, Refused) as problem:
            problems.append(f"{polling.sender.name}: {problem.text}")
            _failed(polling, problem.text, now)
        except Exception as error:  # (one sender's trouble must not keep the others from being read)
            logger.exception("Sender %s could not be read again", polling.sender_id)
            problems.append(f"{polling.sender.name}: {type(error).__name__}")
            _failed(polling, f"Our own fault: {type(error).__name__}.", now)
    return Reading(read, found, tuple(problems), 0, tuple(long))


def poll_one(polling_id: int, tenant_id: int, now: datetime) -> Reading:
    """Reads one list of this tenant's that was too long for a round, however long it takes."""
    polling = Polling.objects.all_tenants().select_related("sender").get(pk=polling_id, tenant_id=tenant_id)
    try:
        return Reading(1, _read_again(polling, now, None))
    except (Unreadable, Refused) as problem:
        _failed(polling, problem.text, now)
        return Reading(0, 0, (f"{polling.sender.name}: {problem.text}",))


def _make_rows() -> None:
    """A row for each list of each sender. Not for a simulated sender of a machine without a simulator: nobody is there."""
    known = set(Polling.objects.all_tenants().values_list("sender_id", "kind"))
    missing: dict[int, list[Polling]] = {}
    for sender in Sender.objects.all_tenants().order_by("pk"):
        for kind in kinds_of(sender):
            if (sender.pk, kind) not in known:
                row = Polling(tenant_id=sender.tenant_id, sender_id=sender.pk, kind=kind)
                missing.setdefault(sender.tenant_id, []).append(row)
    for tenant_id, rows in missing.items():
        with tenant_context(tenant_id):
            Polling.objects.bulk_create(rows, ignore_conflicts=True)


def _due(now: datetime, every_one: bool) -> list[Polling]:
    rows = Polling.objects.all_tenants().select_related("sender").order_by(F("asked_at").asc(nulls_first=True), "pk")
    # A workspace that only rehearses asks no real provider anything.
    rows = rows.filter(Q(sender__simulated=True) | Q(tenant__sending_mode=SendingMode.LIVE))
    if every_one:
        return list(rows)
    due = Q(asked_at__isnull=True)
    for kind, every in EVERY.items():
        due |= Q(kind=kind, asked_at__lte=now - every)
    return list(rows.filter(due))


def _taken(polling: Polling, now: datetime) -> bool:
    """Notes, and commits, that this list is being read; False when another worker was faster."""
    with tenant_context(polling.tenant_id):
        same = Polling.objects.filter(pk=polling.pk, asked_at=polling.asked_at)
        return bool(same.update(asked_at=now))


def _read_again(polling: Polling, now: datetime, since: datetime | None, list_seconds: float | None = None) -> int:
    begin = begins(polling.read_until, now)
    begin = min(begin, since) if since is not None else begin
    found = 0
    if polling.kind == "status" and polling.sender.provider == "twilio":
        oldest = oldest_unsettled(polling.sender, begin)
        if oldest is not None:
            found = read_again(polling.sender, polling.kind, oldest, now, now, list_seconds)
    else:
        found = read_again(polling.sender, polling.kind, begin, now, now, list_seconds)
    with tenant_context(polling.tenant_id):
        Polling.objects.filter(pk=polling.pk).update(
            read_until=Greatest(F("read_until"), now), found=F("found") + found, problem=""
        )
    return found


def begins(read_until: datetime | None, now: datetime) -> datetime:
    """Where the next reading begins. Whatever is older than that was read to its end before."""
    if read_until is None:
        return now - WINDOW
    overlapping = read_until - OVERLAP
    return overlapping if read_until.hour == now.hour else min(overlapping, now - WINDOW)


def _failed(polling: Polling, problem: str, now: datetime) -> None:
    """Keeps the reason in sight; a member is told once, when it has gone on for too long."""
    last = polling.read_until or polling.sender.created_at
    was_late = polling.asked_at is not None and polling.asked_at - last > LATE
    with tenant_context(polling.tenant_id):
        Polling.objects.filter(pk=polling.pk).update(problem=problem[:300])
        if now - last > LATE and not was_late:
            alarms.unread(polling.tenant_id, polling.sender.name, problem, now - last)
