"""SendGrid's webhooks: events in batches, signed with its key (ECDSA over timestamp and raw body), and mails to us, as forms
behind a password. Pure.

Source: docs.sendgrid.com, "Event Webhook Reference", "Event Webhook Security Features", "Setting Up The Inbound Parse Webhook".
"""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sequences.charsets import text_in
from sequences.signals import (
    Bounced,
    Clicked,
    Complained,
    MailReceived,
    Opened,
    OptedOutAtProvider,
    Signal,
    StatusChanged,
)
from sequences.transports.sendgrid import message_id_in
from sequences.webhooks import mail
from sequences.webhooks.base import (
    Account,
    Identity,
    Request,
    digest,
    event_key,
    mark_in,
    table,
    text_of,
    unreadable,
)
from sequences.webhooks.mime import headers_of, person_of, received
from sequences.webhooks.multipart import fields_of

SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
# The timestamp is that of the attempt, not of the event, so a late retry is as fresh as a first try.
TOLERANCE_SECONDS = 600
MOST_EVENTS = 5_000
OURS = "omnify-mail"  # in a stored mail: a form that was taken apart

_STATUSES = {"processed": "accepted", "deferred": "deferred", "delivered": "delivered"}
_OPT_OUTS = {"unsubscribe", "group_unsubscribe"}
# What a `dropped` says of the address; the mail itself was never tried (4-reliability §3.4).
_UNSUBSCRIBED, _COMPLAINED, _BOUNCED = "Unsubscribed Address", "Spam Reporting Address", "Bounced Address"
_INVALID = re.compile(r"^Invalid(?! SMTPAPI)")
_DROPS = (_UNSUBSCRIBED, _COMPLAINED, _BOUNCED, "Spam Content")


def genuine(request: Request, account: Account, now: datetime) -> bool:
    """Events: signed by the holder of the account's key, within ten minutes. Mails: the user and password of their address."""
    if request.kind == "inbound":
        return mail.genuine(request, account, now)
    key, stamp = _key(account.secret("event_public_key")), request.headers.get(TIMESTAMP, "")
    if key is None or not _recent(stamp, now):
        return False
    try:
        given = base64.b64decode(request.headers.get(SIGNATURE, ""), validate=True)
        key.verify(given, stamp.encode() + request.body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    # One signature has one spelling; base64 would let its last bits be written in others.
    return base64.b64encode(given).decode() == request.headers[SIGNATURE]


def why_refused(request: Request, account: Account, now: datetime) -> str:
    """Why a request was not genuine, in words for the tenant."""
    if request.kind == "inbound":
        return mail.why_refused(request, account, now)
    if _key(account.secret("event_public_key")) is None:
        return "no key"
    if not request.headers.get(SIGNATURE):
        return "no signature"
    return "bad signature" if _recent(request.headers.get(TIMESTAMP, ""), now) else "stale timestamp"


@lru_cache(maxsize=1024)
def _key(text: str) -> ec.EllipticCurvePublicKey | None:
    """The verification key as SendGrid shows it: base64 of a P-256 key. None for anything else."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True)) if text else None
    except (binascii.Error, ValueError, TypeError):
        return None
    fits = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    return key if fits else None  # type: ignore[return-value]


def _recent(stamp: str, now: datetime) -> bool:
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12:
        return False
    return abs(now.timestamp() - int(stamp)) <= TOLERANCE_SECONDS


def split(request: Request) -> Sequence[Request]:
    """The events of a batch, each a request of its own; a mail, or a batch that makes no sense, is one."""
    if request.kind == "inbound":
        return [replace(request, body=stored_body(request))]
    try:
        events = json.loads(request.body)
    except (ValueError, RecursionError):
        return [request]
    if not isinstance(events, list) or not 0 < len(events) <= MOST_EVENTS:
        return [request]
    return [replace(request, body=json.dumps(each).encode()) for each in events]


def stored_body(request: Request) -> bytes:
    """A mail's form as JSON, each field by its own charset, of the attachments only the names. A body that is no form stays."""
    try:
        found = fields_of(request.headers.get("content-type", ""), request.body)
    except ValueError:
        return request.body
    try:
        charsets = table(json.loads(found.get("charsets", b"{}")))
    except (ValueError, RecursionError):
        charsets = {}
    form = {
        name: text_in(value, text_of(charsets.get(name)) or "utf-8", otherwise="utf-8") for name, value in found.items()
    }
    return json.dumps({OURS: 1, **form}).encode()


def identify(request: Request) -> Identity:
    event = _event(request.body.decode("utf-8", "replace"))
    if OURS in event:
        return Identity("inbound", event_key("Inbound", digest(request.body)))
    name, message_id = text_of(event.get("event"), 40), text_of(event.get("sg_message_id"), 200)
    told = text_of(event.get("sg_event_id"), 120)
    if not name or not (told or message_id):
        return unreadable(request)
    mark = mark_in(event.get("m")) or mark_in(event.get("smtp-id"))
    return Identity("mail", event_key(told or f"{message_id}:{name}:{event.get('timestamp')}"), mark)


def parse(kind: str, body: str, mark: str) -> list[Signal]:
    """A mail, or one event of one of ours. ValueError when it names neither."""
    event = _event(body)
    if kind == "inbound":
        return [_mail(event, digest(body.encode("utf-8", "replace")))]
    name, address = text_of(event.get("event"), 40), text_of(event.get("email"), 254).strip().lower()
    message_id = message_id_in(text_of(event.get("sg_message_id"), 200))
    if not name or not (message_id or mark or address):
        raise ValueError("SendGrid's event names no message and nobody.")
    if name in _STATUSES:
        return [StatusChanged(mark, message_id, _STATUSES[name])]
    if name in _OPT_OUTS:
        return [OptedOutAtProvider(address, "email", name)]
    match name:
        case "bounce":
            return [_bounce(event, mark, message_id, address)]
        case "dropped":
            return _dropped(event, mark, message_id, address)
        case "spamreport":
            return [Complained(mark, message_id, address)]
        case "open" if event.get("sg_machine_open") is not True:  # (a mail program that fetches every picture)
            return [Opened(mark, message_id, _at(event))]
        case "click":
            return [Clicked(mark, message_id, _at(event))]
    # A resubscription is to one group of SendGrid's; what is closed here is wider, and only the person's START opens it.
    return []


def _bounce(event: dict[str, Any], mark: str, message_id: str, address: str) -> Bounced:
    """4-reliability §3.4: `bounce` is for good, `blocked` is about the mail or its sender."""
    kind = "blocked" if event.get("type") in ("blocked", "expired") else "bounce"
    return Bounced(
        mark,
        message_id,
        address,
        kind,
        hard=kind == "bounce",
        code=text_of(event.get("status"), 60),
        text=text_of(event.get("reason"), 500),
    )


def _dropped(event: dict[str, Any], mark: str, message_id: str, address: str) -> list[Signal]:
    """SendGrid did not try: the address is on one of its lists, or the mail is one it will not carry."""
    reason = text_of(event.get("reason"), 500)
    known = next((word for word in _DROPS if reason.startswith(word)), "Invalid" if _INVALID.match(reason) else "")
    hard = known in (_BOUNCED, "Invalid")
    kind = f"dropped: {known}" if known else "dropped"
    signals: list[Signal] = []
    if message_id or mark:
        signals.append(Bounced(mark, message_id, address, kind, hard, text_of(event.get("status"), 60), reason))
    elif hard:
        signals.append(Bounced("", "", address, kind, hard, "", reason))
    if known == _UNSUBSCRIBED:
        signals.append(OptedOutAtProvider(address, "email", reason))
    if known == _COMPLAINED:
        # Without the mail: this one never reached them, so it is not the one they complained about.
        signals.append(Complained("", "", address))
    return signals


def _mail(event: dict[str, Any], name: str) -> MailReceived:
    if OURS not in event:
        raise ValueError("SendGrid's form could not be read.")
    if raw := text_of(event.get("email")):
        return received(raw.encode("utf-8", "replace"), provider_id=f"sendgrid-{name[:40]}")
    headers = headers_of(text_of(event.get("headers")))
    sender, person = person_of(text_of(event.get("from"), 1000))
    try:
        envelope = table(json.loads(text_of(event.get("envelope")) or "{}"))
    except (ValueError, RecursionError):
        envelope = {}
    to = envelope.get("to")
    return MailReceived(
        provider_id=f"sendgrid-{name[:40]}",
        sender=sender or text_of(envelope.get("from"), 254).strip().lower(),
        name=person,
        to=text_of(to[0], 254) if isinstance(to, list) and to else text_of(event.get("to"), 254),
        subject=text_of(event.get("subject"), 998),
        text=text_of(event.get("text")),
        html=text_of(event.get("html")),
        headers=headers,
    )


def _at(event: dict[str, Any]) -> datetime | None:
    seconds = event.get("timestamp")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 10**11:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _event(body: str) -> dict[str, Any]:
    try:
        return table(json.loads(body))
    except (ValueError, RecursionError):
        return {}
