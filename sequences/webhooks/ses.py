"""Amazon SES's events and mails, as Amazon SNS brings them: JSON signed with SNS's certificate, about the sender's own topic.

Source: docs.aws.amazon.com/sns ("Verifying the signatures", both versions), docs.aws.amazon.com/ses ("Contents of event data",
"Contents of notifications for email receiving"). Pure, but for the certificates that `prepare` has fetched.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sequences.signals import (
    Bounced,
    Clicked,
    Complained,
    MailReceived,
    Opened,
    OptedOutAtProvider,
    Signal,
    StatusChanged,
    TopicOffered,
)
from sequences.webhooks import certificates
from sequences.webhooks.base import Account, Identity, Request, event_key, mark_in, table, text_of, unreadable
from sequences.webhooks.mime import headers_of, person_of, received
from sequences.webhooks.vapi import moment

SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
HASHES: Mapping[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 (SNS's own version 1)
# SNS repeats a delivery for an hour, with the first one's time; its clock and ours may differ a little.
OLDEST, FUTURE = timedelta(hours=24), timedelta(minutes=15)
# In place of a mail's id, in events that are read off the account's list of addresses: they are about no mail.
NO_MAIL = "suppressions"
_STATUSES = {"Send": "accepted", "Delivery": "delivered", "DeliveryDelay": "deferred"}
# Feedback types that are no complaint of a person's (RFC 5965; RFC 6591).
_NO_COMPLAINT = {"not-spam", "auth-failure"}
TOO_LARGE = (
    "[Amazon SES did not pass on this mail's text: it is larger than 150 kB, or its rule stores mails elsewhere.]"
)


async def prepare(request: Request, account: Account) -> None:
    """Fetches the certificate that this message names, if it is about our topic and one of SNS's. Raises certificates.Unready."""
    told = _json(request.body)
    if _is_ours(told, account) and certificates.is_certificate(_certificate(told), simulated=account.simulated):
        await certificates.ready(_certificate(told), simulated=account.simulated)


def genuine(request: Request, account: Account, now: datetime) -> bool:
    """Signed by SNS within a day, and published to the sender's own topic: anybody may have a topic of theirs signed."""
    told = _json(request.body)
    if not _is_ours(told, account) or not _recent(told, now):
        return False
    url, version = _certificate(told), HASHES.get(str(told.get("SignatureVersion", "")))
    if version is None or not certificates.is_certificate(url, simulated=account.simulated):
        return False
    certificate = certificates.known(url)
    if certificate is None or not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return False
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        given = base64.b64decode(text_of(told.get("Signature"), 4000), validate=True)
        key.verify(given, signed_text(told), padding.PKCS1v15(), version)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    # One signature has one spelling; base64 would let its last bits be written in others.
    return base64.b64encode(given).decode() == told["Signature"]


def why_refused(request: Request, account: Account, now: datetime) -> str:
    """Why a request was not genuine, in words for the tenant."""
    told = _json(request.body)
    if not account.config.get("topic_arn"):
        return "no topic"
    if not _is_ours(told, account):
        return "another topic"
    return "bad signature" if _recent(told, now) else "stale timestamp"


def signed_text(told: Mapping[str, Any]) -> bytes:
    """What SNS signs: the names and values of these fields in this order, each on its line. ValueError for a type it never sends."""
    names = SIGNED.get(text_of(told.get("Type"), 40))
    if names is None:
        raise ValueError("SNS sends no such message.")
    pairs = [(name, told[name]) for name in names if told.get(name) is not None]
    if any(not isinstance(value, str) for _, value in pairs):
        raise ValueError("A field of the message is no text.")
    return "".join(f"{name}\n{value}\n" for name, value in pairs).encode("utf-8", "surrogatepass")


def _is_ours(told: Mapping[str, Any], account: Account) -> bool:
    topic = account.config.get("topic_arn")
    return isinstance(topic, str) and bool(topic) and told.get("TopicArn") == topic


def _recent(told: Mapping[str, Any], now: datetime) -> bool:
    at = moment(told.get("Timestamp"))
    return at is not None and now - OLDEST <= at <= now + FUTURE


def _certificate(told: Mapping[str, Any]) -> str:
    return text_of(told.get("SigningCertURL") or told.get("SigningCertUrl"), 500)


def identify(request: Request) -> Identity:
    told = _json(request.body)
    message_id = text_of(told.get("MessageId"), 100)
    if not message_id:
        return unreadable(request)
    if told.get("Type") != "Notification":
        return Identity("topic", event_key(text_of(told.get("Type"), 40), message_id))
    event = _event(told)
    if _kind(event) == "Received":
        # By SES's own id: two topics may bring one mail.
        return Identity("inbound", event_key("Received", text_of(table(event.get("mail")).get("messageId"), 120)))
    return Identity("mail", event_key("Notification", message_id), _mark(event))


def parse(kind: str, body: str, mark: str) -> list[Signal]:
    """A mail, or what became of one of ours; or that SNS offers its topic. ValueError when it names no message."""
    told = _json(body.encode("utf-8", "replace"))
    if kind == "topic":
        url, topic = text_of(told.get("SubscribeURL"), 2000), text_of(told.get("TopicArn"), 300)
        return [TopicOffered(topic, url)] if told.get("Type") == "SubscriptionConfirmation" else []
    event = _event(told)
    name, mail = _kind(event), table(event.get("mail"))
    message_id = text_of(mail.get("messageId"), 120)
    if not message_id:
        # SES announces itself once with a plain text when a topic is chosen.
        if text_of(told.get("Message")).startswith("Successfully validated SNS topic"):
            return []
        raise ValueError("Amazon SES's event names no message.")
    if name == "Received":
        return [_mail(event, mail, message_id)]
    message_id = "" if message_id == NO_MAIL else message_id
    if name in _STATUSES:
        return [StatusChanged(mark, message_id, _STATUSES[name])]
    match name:
        case "Bounce":
            return _bounces(table(event.get("bounce")), mail, mark, message_id)
        case "Complaint":
            return _complaints(table(event.get("complaint")), mail, mark, message_id)
        case "Reject" | "Rendering Failure":
            why = table(event.get("reject")).get("reason") or table(event.get("failure")).get("errorMessage")
            return [Bounced(mark, message_id, "", name, False, name, text_of(why, 500))]
        case "Open":
            return [Opened(mark, message_id, moment(table(event.get("open")).get("timestamp")))]
        case "Click":
            return [Clicked(mark, message_id, moment(table(event.get("click")).get("timestamp")))]
        case "Subscription":
            return _subscription(table(event.get("subscription")), mail)
    return []


def _bounces(bounce: dict[str, Any], mail: dict[str, Any], mark: str, message_id: str) -> list[Signal]:
    kind = f"{text_of(bounce.get('bounceType'), 40)}/{text_of(bounce.get('bounceSubType'), 60)}"
    hard = bounce.get("bounceType") == "Permanent"
    signals: list[Signal] = []
    for person in _people(bounce, "bouncedRecipients", mail):
        address = _address(person)
        code, text = text_of(person.get("status"), 60), text_of(person.get("diagnosticCode"), 500)
        signals.append(Bounced(mark, message_id, address, kind, hard, code, text))
        if kind.endswith("/UnsubscribedRecipient"):
            signals.append(OptedOutAtProvider(address, "email", kind))
    return signals


def _complaints(complaint: dict[str, Any], mail: dict[str, Any], mark: str, message_id: str) -> list[Signal]:
    if text_of(complaint.get("complaintFeedbackType"), 40) in _NO_COMPLAINT:
        return []
    addresses = [_address(person) for person in _people(complaint, "complainedRecipients", mail)]
    if complaint.get("complaintSubType") == "OnAccountSuppressionList":
        # SES did not send it: who complained did so about an earlier one.
        kind = "Permanent/OnAccountSuppressionList"
        refused: list[Signal] = [Bounced(mark, message_id, address, kind, False, kind) for address in addresses]
        return [*refused, *(Complained("", "", address) for address in addresses)]
    return [Complained(mark, message_id, address) for address in addresses]


def _subscription(change: dict[str, Any], mail: dict[str, Any]) -> list[Signal]:
    """The person changed what they get in SES's own list. Coming back is for their START with us."""
    wanted = table(change.get("newTopicPreferences"))
    statuses = wanted.get("topicSubscriptionStatus")
    out = wanted.get("unsubscribeAll") is True or any(
        table(each).get("subscriptionStatus") == "OptOut" for each in (statuses if isinstance(statuses, list) else [])
    )
    found = mail.get("destination")
    addresses = [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
    return [OptedOutAtProvider(person_of(each)[0], "email", "unsubscribed") for each in addresses] if out else []


def _mail(event: dict[str, Any], mail: dict[str, Any], message_id: str) -> MailReceived:
    """A mail to us. Without its content (SES passes on 150 kB) its head is kept: that somebody answered is what counts first."""
    receipt, content = table(event.get("receipt")), text_of(event.get("content"))
    recipients = receipt.get("recipients")
    to = text_of(recipients[0], 254) if isinstance(recipients, list) and recipients else ""
    source = text_of(mail.get("source"), 254)
    if content:
        raw = content.encode("utf-8", "surrogateescape" if content.isascii() else "replace")
        if text_of(table(receipt.get("action")).get("encoding")).upper() == "BASE64":
            raw = base64.b64decode(content, validate=False)
        return received(raw, provider_id=message_id, sender=source, to=to)
    heads = table(mail.get("commonHeaders"))
    written = heads.get("from")
    sender, name = person_of(text_of(written[0], 1000) if isinstance(written, list) and written else source)
    lines = mail.get("headers")
    block = "\n".join(
        f"{text_of(each.get('name'), 200)}: {' '.join(text_of(each.get('value'), 4000).split())}"
        for each in map(table, lines if isinstance(lines, list) else [])
        if text_of(each.get("name"), 200).replace("-", "").isalnum()
    )
    subject = text_of(heads.get("subject"), 998)
    return MailReceived(message_id, sender or source.lower(), name, to, subject, TOO_LARGE, headers_of(block))


def _people(holder: dict[str, Any], name: str, mail: dict[str, Any]) -> list[dict[str, Any]]:
    """Whom it is about; where a list does not say, whom the mail went to."""
    found = holder.get(name)
    people = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    to = mail.get("destination")
    return people or [{"emailAddress": each} for each in (to if isinstance(to, list) else []) if isinstance(each, str)]


def _address(person: dict[str, Any]) -> str:
    return person_of(text_of(person.get("emailAddress"), 400))[0]


def _mark(event: dict[str, Any]) -> str:
    """Our tag, which events of a configuration set bring; older notifications show our headers at most."""
    mail = table(event.get("mail"))
    tag = table(mail.get("tags")).get("m")
    return mark_in(tag[0]) if isinstance(tag, list) and tag else ""


def _kind(event: dict[str, Any]) -> str:
    return text_of(event.get("eventType") or event.get("notificationType"), 40)


def _event(told: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return table(json.loads(text_of(told.get("Message"))))
    except (ValueError, RecursionError):
        return {}


def _json(body: bytes) -> dict[str, Any]:
    try:
        return table(json.loads(body))
    except (ValueError, RecursionError):
        return {}
