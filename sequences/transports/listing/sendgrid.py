"""What SendGrid keeps: its lists of addresses, and, where the account pays for Email Activity, what became of our mails.

Source: docs.sendgrid.com, Suppressions and Email Activity (queries of at most 1,000 messages; the list shows no custom
arguments, each message does). Mails to us are not kept: Inbound Parse repeats for three days, and nothing lists them.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from sequences.transports.base import Account, CannotSay, Listed, Logged, TooMany, Unreadable
from sequences.transports.listing import Reader
from sequences.transports.sendgrid import ask, has_activity, mark_of, message_id_in
from sequences.transports.suppressions.sendgrid import created, pages
from sequences.webhooks.base import table, text_of
from sequences.webhooks.vapi import moment

AT_MOST = 1_000
# A list, and the event that its entry would have been.
EVENTS = {
    "unsubscribes": {"event": "unsubscribe"},
    "spam_reports": {"event": "spamreport"},
    "bounces": {"event": "bounce", "type": "bounce"},
    "invalid_emails": {"event": "dropped", "reason": "Invalid"},
}
# Email Activity's status: the event that ends there. "processed" and "not_delivered" say less than events do.
STATUSES = {"delivered": "delivered"}


def events(account: Account, kind: str, since: datetime, until: datetime) -> Iterator[Listed]:
    """`status`: who came onto a list in this time; and deliveries, where Email Activity shows them."""
    closing = chain.from_iterable(_closed(account, name, since, until) for name in EVENTS)
    return chain(closing, _deliveries(account, since, until)) if has_activity(account) else closing


def sent(account: Account, since: datetime, until: datetime) -> Iterator[Logged]:
    """The mails that left from this sender's address, with our marks. Raises Unreadable without Email Activity."""
    if not has_activity(account):
        raise Unreadable("SendGrid shows what left only to accounts with Email Activity.", final=True)
    for entry in _activity(account, since, until):
        whole = ask(account, f"/v3/messages/{text_of(entry.get('msg_id'), 200)}", {})
        if isinstance(whole, CannotSay):
            raise Unreadable(whole.text)
        yield Logged(
            message_id_in(text_of(entry.get("msg_id"), 200)),
            "queued",
            text_of(entry.get("to_email"), 254),
            _last(entry),
            "",
            text_of(entry.get("subject")),
            mark_of(whole),
        )


def _closed(account: Account, name: str, since: datetime, until: datetime) -> Iterator[Listed]:
    query = {"start_time": str(int(since.timestamp())), "end_time": str(int(until.timestamp()) + 1)}
    for entry in pages(account, name, query):
        at, address = created(entry), text_of(entry.get("email"), 254).lower()
        if at is None or not address:
            raise Unreadable("SendGrid listed an address without a date.")
        event = {
            **EVENTS[name],
            "email": address,
            "timestamp": entry["created"],
            "sg_event_id": f"list:{name}:{address}:{entry['created']}",
        }
        event |= {key: text_of(entry.get(key), 500) for key in ("reason", "status") if entry.get(key)}
        yield Listed("events", json.dumps(event | EVENTS[name]).encode(), min(at, until))


def _deliveries(account: Account, since: datetime, until: datetime) -> Iterator[Listed]:
    for entry in _activity(account, since, until):
        if (word := STATUSES.get(text_of(entry.get("status")))) is None:
            continue
        at, message_id = _last(entry), text_of(entry.get("msg_id"), 200)
        event = {
            "event": word,
            "email": entry.get("to_email"),
            "sg_message_id": message_id,
            "timestamp": int(at.timestamp()),
            "sg_event_id": f"activity:{message_id}:{word}",
        }
        yield Listed("events", json.dumps(event).encode(), at)


def _activity(account: Account, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """Messages from this sender with an event in this time. Raises Unreadable, or TooMany where the list is cut."""
    span = f'last_event_time BETWEEN TIMESTAMP "{_stamp(since)}" AND TIMESTAMP "{_stamp(until)}"'
    query = f'({span}) AND (from_email="{account.sender.replace(chr(34), "")}")'
    answer = ask(account, "/v3/messages", {"limit": str(AT_MOST), "query": query})
    if isinstance(answer, CannotSay):
        raise Unreadable(answer.text)
    found = answer.get("messages")
    if not isinstance(found, list):
        raise Unreadable("SendGrid's activity is no list.")
    if len(found) >= AT_MOST:
        raise TooMany("SendGrid shows no more than 1,000 messages at once.")
    yield from map(table, found)


def _last(entry: dict[str, Any]) -> datetime:
    at = moment(entry.get("last_event_time"))
    if at is None:
        raise Unreadable("SendGrid listed a message without a date.")
    return at


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


READER = Reader(kinds=("status",), events=events, sent=sent)
