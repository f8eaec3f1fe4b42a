"""Lets a restored database send again, after it has learnt from the providers what left since its backup was made.

Without it, the engine would decide the same steps again and everybody would get them twice. In this order, each part safe to
repeat after a crash at any point: read every provider's log of what left, and match it to our messages; write down what has no
message here, and put those people before a person; read again what came in, and obey it; let everything that still waits
expire; and only then write the new epoch. docs/reliability.md says what an operator does.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction

from omnify.tenants.context import tenant_context
from omnify.tenants.events import record
from sequences import epochs, relogging, rereading
from sequences.addressing import account_of
from sequences.guards import ASKED_FOR
from sequences.inbound import apply_waiting
from sequences.models import Message, SendEpoch, Sender
from sequences.models.message import WAITING, MessageState
from sequences.transports.base import Logged, Refused, TooMany, Unreadable
from sequences.transports.listing import reader_for

# Before the backup's own time: what was on the wire while it was made, and clocks that differ.
SLACK = timedelta(minutes=10)
SHORTEST = timedelta(minutes=1)
BATCH = 200
RESTORED = "restored"
# Rounds of applying what was read; each takes up a few hundred events.
MOST_ROUNDS = 100_000

Say = Callable[[str], None]


class CannotThaw(Exception):
    """Why it stays frozen, for the operator."""


@dataclass(slots=True)
class Thawed:
    """What a thaw found and did, in numbers."""

    read: int = 0
    found: Counter[str] = field(default_factory=Counter)
    heard: int = 0
    expired: int = 0


def thaw(
    *,
    since: datetime,
    by: str,
    now: Callable[[], datetime],
    without: Collection[str] = (),
    say: Say = lambda text: None,
) -> Thawed:
    """Thaws this database. `since`: when its backup was made. `without`: senders, by name or public id, whose log cannot be read
    and whose people may therefore get something twice; saying so is the operator's decision.

    Run as the system role, outside any transaction. Raises CannotThaw, and then the database is as frozen as before.
    """
    began = now()
    _check(since, began)
    told = Thawed()
    unread = _read_logs(since - SLACK, now(), set(without), told, say)
    if unread:
        raise CannotThaw(
            "Still frozen: what left through these senders since the backup is not known.\n"
            + "\n".join(f"  {each}" for each in unread)
            + '\nRepair it and run this again, or name each with --without "<sender>": then whoever got something through it '
            "since the backup may get it again."
        )
    told.heard = _hear(since - SLACK, now(), set(without), say)
    told.expired = _expire(began, now(), say)
    _write_epoch(by, now(), told, say)
    return told


def _check(since: datetime, now: datetime) -> None:
    ours = epochs.epoch()
    if ours == settings.SEND_EPOCH:
        raise CannotThaw(f"Nothing to thaw: the database and OMNIFY_SEND_EPOCH are both of epoch {ours}.")
    if ours > settings.SEND_EPOCH:
        raise CannotThaw(
            f"The database is of epoch {ours}, OMNIFY_SEND_EPOCH is {settings.SEND_EPOCH}: raise it to {ours + 1}, so that an "
            "older copy that is still running somewhere cannot send, and run this again."
        )
    if since >= now:
        raise CannotThaw("--since is when the backup was made: a time in the past.")


def _read_logs(since: datetime, until: datetime, without: set[str], told: Thawed, say: Say) -> list[str]:
    """Reads what left through every sender; returns a line for each that could not be read to its end."""
    unread = []
    for sender in Sender.objects.all_tenants().select_related("tenant").order_by("tenant_id", "pk"):
        name = f"{sender.name} ({sender.tenant.name})"
        if _named(sender, without):
            say(f"{name}: not read, as you said.")
            continue
        reader = reader_for(sender.provider)
        if reader is None:
            if _may_have_sent(sender):
                unread.append(f"{name}: a mail server keeps no log that could be read.")
            continue
        try:
            found = Counter[str]()
            for batch in _batches(_log(sender, since, until)):
                found += relogging.note(sender, batch, until)
        except (Unreadable, Refused) as problem:
            # (final: there is no log at all; of a sender that was never used there is nothing to know)
            if not getattr(problem, "final", False) or _may_have_sent(sender):
                unread.append(f"{name}: {problem.text}")
            continue
        told.read += 1
        told.found += found
        say(f"{name}: {sum(found.values())} left since then. {relogging.in_words(found)}")
    return unread


def _log(sender: Sender, since: datetime, until: datetime) -> Iterator[Logged]:
    """One sender's log, in halves of the time where it is too long to be read at once. An entry may come twice."""
    reader = reader_for(sender.provider)
    if reader is None:
        raise Unreadable("There is no log.", final=True)
    try:
        yield from reader.sent(account_of(sender), since, until)
    except TooMany:
        if until - since <= SHORTEST:
            raise
        middle = since + (until - since) / 2
        yield from _log(sender, since, middle)
        yield from _log(sender, middle, until)


def _hear(since: datetime, now: datetime, without: set[str], say: Say) -> int:
    """Reads what people answered since the backup, and obeys it before anything else may be sent."""
    found = 0
    for sender in Sender.objects.all_tenants().order_by("tenant_id", "pk"):
        for kind in rereading.kinds_of(sender):
            try:
                found += rereading.read_again(sender, kind, since, now, now)
            except (Unreadable, Refused) as problem:
                if _named(sender, without):  # what left cannot be read; who may not be written to perhaps can
                    say(f"{sender.name}: what people answered is not read again, as you said. {problem.text}")
                    continue
                raise CannotThaw(
                    f"Still frozen: what people answered to {sender.name} cannot be read again. {problem.text}"
                ) from problem
    for _ in range(MOST_ROUNDS):
        if not apply_waiting(now):
            break
    say(f"{found} answers and reports were read again and taken to heart.")
    return found


def _expire(began: datetime, now: datetime, say: Say) -> int:
    """What still waits is old news, or was decided a second time: it is not sent. Not so the confirmation of a STOP that was
    heard a moment ago."""
    waiting = (*WAITING, MessageState.CLAIMED)
    tenants = Message.objects.all_tenants().filter(state__in=waiting).values_list("tenant_id", flat=True)
    expired = 0
    for tenant_id in sorted(set(tenants)):
        with tenant_context(tenant_id):
            rows = Message.objects.filter(state__in=waiting, created_at__lte=now)
            expired += rows.exclude(purpose__in=ASKED_FOR, created_at__gte=began).update(
                state=MessageState.EXPIRED, state_reason=RESTORED, state_at=now, claim_token=None
            )
    say(f"{expired} messages that were waiting have expired; the steps after them go on.")
    return expired


def _write_epoch(by: str, now: datetime, told: Thawed, say: Say) -> None:
    with transaction.atomic():
        SendEpoch.objects.all().delete()
        SendEpoch.objects.create(epoch=settings.SEND_EPOCH, thawed_at=now, thawed_by=by[:120])
        for tenant_id in sorted(set(Sender.objects.all_tenants().values_list("tenant_id", flat=True))):
            with tenant_context(tenant_id):
                relogging.tell(tenant_id)
                record(
                    "sending.thawed", tenant_id=tenant_id, now=now, actor="operator", epoch=settings.SEND_EPOCH, by=by
                )
    say(f"Thawed: the database is of epoch {settings.SEND_EPOCH} now, and may send.")


def _may_have_sent(sender: Sender) -> bool:
    """Whether anything can have left through a sender without a log: it is in use, or was."""
    used = Message.objects.all_tenants().filter(tenant_id=sender.tenant_id, sender_id=sender.pk).exists()
    return bool(used or sender.is_default)


def _named(sender: Sender, without: set[str]) -> bool:
    return bool({sender.name, str(sender.public_id)} & without)


def _batches(log: Iterator[Logged]) -> Iterator[list[Logged]]:
    while batch := list(islice(log, BATCH)):
        yield batch
