"""Postmark's lists: mails that people wrote to us, mails that came back, and mails that left.

Source: postmarkapp.com/developer/api (messages, bounces, suppressions). Dates filter by whole days in Eastern time; count and offset reach
10,000 entries. The list of inbound mails has no texts: a mail we do not have is fetched by itself.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from sequences.transports.asking import ask
from sequences.transports.base import (
    Account,
    Listed,
    Logged,
    TooMany,
    Unreadable,
)
from sequences.transports.listing import Reader
from sequences.transports.postmark import API, stream_of, token_of
from sequences.webhooks.base import mark_in, table, text_of
from sequences.webhooks.vapi import moment

EASTERN = ZoneInfo("America/New_York")
PAGE, REACH = 500, 10_000
# A complaint is listed among the bounces; its webhook has a record type of its own.
COMPLAINT = "SpamComplaint"


def events(account: Account, kind: str, since: datetime, until: datetime) -> Iterator[Listed]:
    """`inbound`: mails to us, only their heads (see complete). `status`: bounces, complaints, who unsubscribed, and of the mails
    that we sent the heads of their deliveries."""
    if kind == "inbound":
        return _inbound(account, since, until)
    closing = chain(_bounces(account, since, until), _unsubscribed(account, since, until))
    return chain(closing, _perhaps_delivered(account, since, until))


def complete(account: Account, listed: Listed) -> Listed | None:
    """The whole mail of a head, or the delivery that Postmark's own record of a mail holds."""
    if listed.kind != "mail":
        return listed
    if b'"RecordType"' in listed.body:
        told = json.loads(listed.body)
        return _delivered(account, told, listed) if HEAD in told else listed
    mail_id = json.loads(listed.body)["MessageID"]
    mail = _get(account, f"/messages/inbound/{mail_id}/details", {})
    if not isinstance(mail.get("Headers"), list) or mail.get("MessageID") != mail_id:
        raise Unreadable("Postmark's answer about a mail is not that mail.")
    return Listed(listed.kind, json.dumps(mail).encode(), listed.at)


def sent(account: Account, since: datetime, until: datetime) -> Iterator[Logged]:
    """The mails of this server that we sent: those with our mark in their metadata, or from this sender's mailbox."""
    for mail in _pages(account, "/messages/outbound", "Messages", since, until, stream_of(account)):
        at, mark = moment(mail.get("ReceivedAt")), mark_in(table(mail.get("Metadata")).get("m"))
        if at is None:
            raise Unreadable("Postmark listed a mail without a date.")
        if not since <= at <= until or not (mark or account.sender.lower() in text_of(mail.get("From")).lower()):
            continue
        for to in _recipients(mail):
            yield Logged(text_of(mail.get("MessageID")), "queued", to, at, "", text_of(mail.get("Subject")), mark)


def _inbound(account: Account, since: datetime, until: datetime) -> Iterator[Listed]:
    for mail in _pages(account, "/messages/inbound", "InboundMessages", since, until):
        # The date is the writer's own: it orders the conversation when it is credible, and decides nothing.
        yield Listed("mail", json.dumps({**mail, "Headers": []}).encode(), _credible(mail.get("Date"), since, until))


def _bounces(account: Account, since: datetime, until: datetime) -> Iterator[Listed]:
    for bounce in _pages(account, "/bounces", "Bounces", since, until, stream_of(account)):
        at = moment(bounce.get("BouncedAt")) or until
        if since <= at <= until:
            record = COMPLAINT if bounce.get("Type") == COMPLAINT else "Bounce"
            yield Listed("mail", json.dumps({**bounce, "RecordType": record}).encode(), at)


HEAD = "omnify-head"


def _perhaps_delivered(account: Account, since: datetime, until: datetime) -> Iterator[Listed]:
    """A delivery of each mail that left, without its moment: the list does not say whether it arrived, each mail's record does."""
    for entry in sent(account, since, until):
        head = {"RecordType": "Delivery", "MessageID": entry.provider_id, "Recipient": entry.to, HEAD: 1}
        yield Listed("mail", json.dumps({**head, "Metadata": {"m": entry.mark}}).encode(), entry.at)


def _delivered(account: Account, head: dict[str, Any], listed: Listed) -> Listed | None:
    """The delivery as its webhook would have told it; None while the mail has not arrived."""
    mail = _get(account, f"/messages/outbound/{head['MessageID']}/details", {})
    events = mail.get("MessageEvents")
    for event in map(table, events if isinstance(events, list) else []):
        at = moment(event.get("ReceivedAt"))
        if event.get("Type") == "Delivered" and event.get("Recipient") == head["Recipient"] and at is not None:
            told = {name: value for name, value in head.items() if name != HEAD}
            details = text_of(table(event.get("Details")).get("DeliveryMessage"), 500)
            body = {**told, "DeliveredAt": event["ReceivedAt"], "Details": details}
            return Listed("mail", json.dumps(body).encode(), at)
    return None


def _unsubscribed(account: Account, since: datetime, until: datetime) -> Iterator[Listed]:
    """Who took themselves off the list at Postmark. It does not say by which mail, so the event is the address and the moment;
    complaints and hard bounces are among the bounces already, and what we or a member put there is sequences.blocklists' concern."""
    page = _get(account, f"/message-streams/{stream_of(account)}/suppressions/dump", _days(since, until))
    entries = page.get("Suppressions")
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise Unreadable("Postmark's list is no list.")
    for each in entries:
        at = moment(each.get("CreatedAt"))
        if (each.get("SuppressionReason"), each.get("Origin")) != ("ManualSuppression", "Recipient"):
            continue
        if at is None or not since <= at <= until:
            continue
        event = {
            "RecordType": "SubscriptionChange",
            "MessageID": "suppressions",
            "Recipient": each.get("EmailAddress"),
            "Origin": each.get("Origin"),
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
            "ChangedAt": each.get("CreatedAt"),
        }
        yield Listed("mail", json.dumps(event).encode(), at)


def _days(since: datetime, until: datetime) -> dict[str, str]:
    """Whole days in Eastern time that hold this stretch for certain."""
    return {
        "fromdate": (since.astimezone(EASTERN) - timedelta(hours=1)).date().isoformat(),
        "todate": (until.astimezone(EASTERN) + timedelta(hours=1)).date().isoformat(),
    }


def _pages(
    account: Account, path: str, name: str, since: datetime, until: datetime, stream: str = ""
) -> Iterator[dict[str, Any]]:
    """Every entry of these days, of one stream where the list has several. What arrives meanwhile moves the others back, so none is passed over."""
    asked = _days(since, until) | ({"messagestream": stream} if stream else {})
    for offset in range(0, REACH, PAGE):
        page = _get(account, path, {**asked, "count": str(PAGE), "offset": str(offset)})
        entries = page.get(name)
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise Unreadable("Postmark's list is no list.")
        yield from entries
        if len(entries) < PAGE:
            return
    raise TooMany("Postmark lists no more than 10,000 entries.")


def _get(account: Account, path: str, query: dict[str, str]) -> dict[str, Any]:
    headers = {"X-Postmark-Server-Token": token_of(account)}
    url, simulated = f"{account.base_url or API}{path}", bool(account.base_url)
    return table(ask(url, headers, whose="Postmark's list", simulated=simulated, query=query))


def _recipients(mail: dict[str, Any]) -> list[str]:
    found = mail.get("Recipients")
    return [text_of(each, 254) for each in found] if isinstance(found, list) else []


def _credible(date: object, since: datetime, until: datetime) -> datetime:
    try:
        written = parsedate_to_datetime(date) if isinstance(date, str) else until
    except ValueError:
        return until
    return written if written.tzinfo is not None and since <= written <= until else until


READER = Reader(kinds=("inbound", "status"), events=events, sent=sent, complete=complete)
