"""One list of a provider's, read again to its end: what it holds and we do not is stored as its webhook would have been."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import QuerySet

from contacts.addresses import normalised
from contacts.permissions import suppressed
from omnify.tenants.context import tenant_context
from sequences import states
from sequences.addressing import account_of, fingerprint_of
from sequences.models import Message, ProviderEvent, Sender
from sequences.signals import Complained, OptedOutAtProvider, StatusChanged
from sequences.transports.base import Account, Listed, TooMany, Unreadable
from sequences.transports.listing import Reader, reader_for
from sequences.webhooks import base, ingest, storing

# As far back as a reading ever goes, unless more was missed.
WINDOW = timedelta(hours=48)
# No stretch of time is halved below this.
SHORTEST = timedelta(minutes=1)
BATCH = 200
# Of so many, the oldest first, the status is read at once; a mail's takes a question of its own.
MOST_UNSETTLED = 2_000


class TooLong(Exception):
    """A list was not read to its end in the time it had. What was read of it is stored."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One sender's list that is being read."""

    sender: Sender
    kind: str
    reader: Reader
    account: Account
    now: datetime
    # provider id -> rank of our messages that no report has settled; only their statuses are news.
    unsettled: dict[str, int] = field(default_factory=dict)
    # A monotonic time; None: it may take as long as it takes.
    until: float | None = None


def read_again(
    sender: Sender, kind: str, since: datetime, until: datetime, now: datetime, list_seconds: float | None = None
) -> int:
    """Stores what this list holds and we do not; returns how many events. Raises Unreadable or Refused, and TooLong when that
    took longer than `list_seconds`."""
    reader = reader_for(sender.provider)
    if reader is None:
        raise Unreadable("A mail server keeps nothing that could be read.", final=True)
    unsettled = _unsettled(sender, since) if kind == "status" else {}
    end = time.monotonic() + list_seconds if list_seconds is not None else None
    asked = Asked(sender, kind, reader, account_of(sender), now, unsettled, end)
    return _stretch(asked, since, until)


def kinds_of(sender: Sender) -> tuple[str, ...]:
    """The lists this sender's provider has; none for a mail server."""
    reader = reader_for(sender.provider)
    return reader.kinds if reader is not None else ()


def oldest_unsettled(sender: Sender, since: datetime) -> datetime | None:
    """From when on statuses are worth reading: just before the first message left of those that moved since then and have no
    last word; None when every one has."""
    with tenant_context(sender.tenant_id):
        rows = _without_a_last_word(sender, since).filter(state_at__gte=since)
        started = rows.order_by("sending_started_at").values_list("sending_started_at", flat=True).first()
    return started - SHORTEST if started is not None else None


def _stretch(asked: Asked, since: datetime, until: datetime) -> int:
    """Reads one stretch of time to its end, in halves where it holds too much for one list."""
    try:
        events = asked.reader.events(asked.account, asked.kind, since, until)
        stored = 0
        for batch in _batches(events):
            stored += _store(asked, batch)
            if asked.until is not None and time.monotonic() >= asked.until:
                raise TooLong
        return stored
    except TooMany:
        if until - since <= SHORTEST:
            raise
        middle = since + (until - since) / 2
        return _stretch(asked, since, middle) + _stretch(asked, middle, until)


def _store(asked: Asked, batch: list[Listed]) -> int:
    found = [(_row(asked, each), each) for each in batch]
    rows = {row.event_key: (row, each) for row, each in found if _is_news(asked, row)}
    with tenant_context(asked.sender.tenant_id):
        # Several senders may share an account: whichever of them heard it, it was heard.
        senders = list(Sender.objects.filter(provider=asked.sender.provider).values_list("pk", flat=True))
        heard = ProviderEvent.objects.filter(
            sender_id__in=senders, provider=asked.sender.provider, event_key__in=list(rows)
        )
        known = set(heard.values_list("event_key", flat=True)) | _obeyed(asked, list(rows.values()))
    fresh = [each for key, (_, each) in rows.items() if key not in known]
    whole = [asked.reader.complete(asked.account, each) for each in fresh]
    return storing.store_now([_row(asked, each) for each in whole if each is not None])


def _obeyed(asked: Asked, rows: list[tuple[storing.Row, Listed]]) -> set[str]:
    """Keys of what only says that an address is closed, where it is closed already: a provider's block list shows no event."""
    if asked.kind != "status":
        return set()
    closing: dict[tuple[str, str], str] = {}
    for row, _ in rows:
        signals = ingest.DOORS[row.provider].module.parse(row.kind, row.body, row.mark)
        match signals:
            case [OptedOutAtProvider(address=address, channel=channel)]:
                closing[(channel, normalised(address))] = row.event_key
            case [Complained(mark="", address=address)]:
                closing[("email", normalised(address))] = row.event_key
    closed = suppressed(asked.sender.tenant_id, list(closing)) if closing else set()
    return {key for where, key in closing.items() if where in closed}


def _row(asked: Asked, listed: Listed) -> storing.Row:
    """The row the door would have stored."""
    sender = asked.sender
    account = base.Account(sender.pk, sender.tenant_id, sender.provider, asked.account.config, {})
    headers = {"content-type": listed.content_type, "user-agent": "omnify re-reading"}
    request = base.Request("", listed.kind, "", headers, listed.body)
    return ingest.row_now(ingest.DOORS[sender.provider], account, request, at=min(listed.at, asked.now))


def _is_news(asked: Asked, row: storing.Row) -> bool:
    """A status is, only when it settles a message of ours further; everything else that was not heard yet is."""
    if asked.kind != "status":
        return True
    for signal in ingest.DOORS[row.provider].module.parse(row.kind, row.body, row.mark):
        if isinstance(signal, StatusChanged):
            report = states.report(row.provider, signal.status)
            known = asked.unsettled.get(signal.provider_id)
            return report is not None and known is not None and report.rank > known
    return row.provider != "twilio"


def _unsettled(sender: Sender, since: datetime) -> dict[str, int]:
    """Our messages of this account, since then, of which the provider has not said the last word."""
    with tenant_context(sender.tenant_id):
        rows = _without_a_last_word(sender, since).filter(account__in=("", fingerprint_of(sender, sender.tenant_id)))
        return dict(rows.order_by("id").values_list("provider_id", "status_rank")[:MOST_UNSETTLED])


def _without_a_last_word(sender: Sender, since: datetime) -> QuerySet[Message]:
    return Message.objects.filter(
        created_at__gte=since - WINDOW,
        channel=sender.channel,
        provider=sender.provider,
        state__in=(states.ACCEPTED, states.SENT),
    ).exclude(provider_id="")


def _batches(events: Iterable[Listed]) -> Iterator[list[Listed]]:
    each = iter(events)
    while batch := list(islice(each, BATCH)):
        yield batch
