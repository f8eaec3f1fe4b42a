"""Postmark's webhooks, tracking and inbound: JSON behind HTTP basic authentication. Pure.

https://postmarkapp.com/developer/webhooks. Mail that we sent by SMTP comes back through the same door.
"""

import base64
import binascii
import hmac
import json
from datetime import datetime
from typing import Any

from sequences.signals import (
    Bounced,
    Clicked,
    Complained,
    MailReceived,
    Opened,
    OptedInAtProvider,
    OptedOutAtProvider,
    Signal,
    StatusChanged,
)
from sequences.webhooks.base import Account, Identity, Request, event_key, mark_in, table, text_of, unreadable
from sequences.webhooks.vapi import moment

# Bounce types (postmarkapp.com/developer/api/bounce-api): what this mailbox will never take again.
HARD = {"HardBounce", "BadEmailAddress"}
COMPLAINTS = {"SpamComplaint", "SpamNotification"}
OPT_OUTS = {"Unsubscribe", "ManuallyDeactivated"}
# Machines that answered: no bounce, no reply.
ANSWERS = {"AutoResponder", "AddressChange", "ChallengeVerification", "OpenRelayTest", "Subscribe", "VirusNotification"}


def genuine(request: Request, account: Account, now: datetime) -> bool:
    """The user and password of the webhook's address, which Postmark sends as basic authentication."""
    secret = account.secret("webhook_secret")
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and ":" in secret and hmac.compare_digest(given, secret.encode())


def why_refused(request: Request, account: Account, now: datetime) -> str:
    """Why a request was not genuine, in words for the tenant."""
    return "wrong password" if request.headers.get("authorization") else "no password"


def identify(request: Request) -> Identity:
    event = _event(request.body.decode("utf-8", "replace"))
    record, message_id = text_of(event.get("RecordType"), 40), text_of(event.get("MessageID"), 200)
    if not record and message_id and "Headers" in event:
        return Identity("inbound", event_key("Inbound", message_id))
    if not record or not message_id:
        return unreadable(request)
    # Bounces have an id; the others repeat for each open, click or change and are told apart by their moment.
    when = next(
        (event[name] for name in ("ReceivedAt", "DeliveredAt", "ChangedAt", "BouncedAt") if event.get(name)), ""
    )
    told = event.get("ID") or f"{event.get('Recipient', '')}:{when}:{event.get('OriginalLink', '')}"
    mark = mark_in(table(event.get("Metadata")).get("m")) or mark_in(message_id if "@" in message_id else "")
    return Identity("mail", event_key(record, message_id, told), mark or mark_in(request.mark))


def stored_body(body: bytes) -> bytes:
    """The event without its attachments' contents: their names and sizes are kept, megabytes of base64 are not."""
    event = _event(body.decode("utf-8", "replace"))
    attachments = event.get("Attachments")
    if not isinstance(attachments, list) or not attachments:
        return body
    slim = [{name: value for name, value in table(each).items() if name != "Content"} for each in attachments]
    return json.dumps({**event, "Attachments": slim, "RawEmail": ""}).encode()


def parse(kind: str, body: str, mark: str) -> list[Signal]:
    """A mail, or what became of one of ours. ValueError when it names no message."""
    event = _event(body)
    message_id = text_of(event.get("MessageID"), 200)
    if not message_id:
        raise ValueError("Postmark's event names no message.")
    if kind == "inbound":
        return [_mail(event, message_id)]
    # Mail sent by SMTP has no id of Postmark's: there the bare Message-ID, our own, stands in its place.
    record, address = text_of(event.get("RecordType")), text_of(event.get("Recipient") or event.get("Email"), 254)
    at = moment(event.get("ReceivedAt"))
    match record:
        case "Delivery":
            return [StatusChanged(mark, message_id, "delivered")]
        case "Open":
            return [Opened(mark, message_id, at)]
        case "Click":
            return [Clicked(mark, message_id, at)]
        case "SpamComplaint":
            return [Complained(mark, message_id, address)]
        case "SubscriptionChange":
            return _subscription(event, mark, message_id, address)
        case "Bounce":
            return _bounce(event, mark, message_id, address)
    return []


def _subscription(event: dict[str, Any], mark: str, message_id: str, address: str) -> list[Signal]:
    if not event.get("SuppressSending"):
        # Only the person may open it again; a member who clears the provider's list may not.
        return [OptedInAtProvider(address, "email")] if event.get("Origin") == "Recipient" else []
    reason = text_of(event.get("SuppressionReason"), 40)
    if reason == "SpamComplaint":
        return [Complained(mark, message_id, address)]
    if reason == "HardBounce":
        return [Bounced(mark, message_id, address, reason, hard=True)]
    return [OptedOutAtProvider(address, "email", reason or "unsubscribed")]


def _bounce(event: dict[str, Any], mark: str, message_id: str, address: str) -> list[Signal]:
    """4-reliability §3.4. `Inactive` means that Postmark will refuse this mailbox from now on."""
    kind = text_of(event.get("Type"), 40)
    if kind in COMPLAINTS:
        return [Complained(mark, message_id, address)]
    if kind in OPT_OUTS:
        return [OptedOutAtProvider(address, "email", kind)]
    if kind in ANSWERS:
        return []
    hard = kind in HARD or (event.get("Inactive") is True and kind not in ("Blocked", "DMARCPolicy"))
    text = text_of(event.get("Details")) or text_of(event.get("Description"))
    return [Bounced(mark, message_id, address, kind, hard, code=str(event.get("TypeCode", ""))[:60], text=text[:500])]


def _mail(event: dict[str, Any], message_id: str) -> MailReceived:
    headers = event.get("Headers")
    full = table(event.get("FromFull"))
    return MailReceived(
        provider_id=message_id,
        sender=text_of(full.get("Email") or event.get("From"), 254).strip().lower(),
        name=text_of(full.get("Name") or event.get("FromName"), 200),
        to=text_of(event.get("OriginalRecipient") or event.get("To"), 254),
        subject=text_of(event.get("Subject"), 998),
        text=text_of(event.get("TextBody")),
        html=text_of(event.get("HtmlBody")),
        headers=tuple(
            (text_of(each.get("Name"), 200), text_of(each.get("Value"), 4000))
            for each in (headers if isinstance(headers, list) else [])
            if isinstance(each, dict)
        ),
        stripped=text_of(event.get("StrippedTextReply")),
    )


def _event(body: str) -> dict[str, Any]:
    try:
        return table(json.loads(body))
    except (ValueError, RecursionError):
        return {}
