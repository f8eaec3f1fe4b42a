"""Mails that report on mails: bounces, delays, complaints, confirmations of delivery.

A delivery report (RFC 3464) is read from its fields, an abuse report (RFC 5965) from its; older mail servers only write
sentences, which are searched for a status code (RFC 3463), an SMTP reply and the usual words. "hard" means the address
itself is wrong for good; full, disabled, blocked or delayed is "soft".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from typing import Any, Final, Literal

from sequences.bouncewords import BLOCKED, HARD, SOFT

Kind = Literal["hard", "soft", "complaint", "auto_reply", "delivered", "none"]

MAIL_LIMIT: Final = 1_000_000
_TEXT_LIMIT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a report says about one recipient. "none": the mail is no report at all."""

    recipient: str
    status: str
    diagnostic: str
    kind: Kind


_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY: Final = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-#])")
_ADDRESS: Final = re.compile(
    r"(?:\"[^\"\s@<>]{1,64}\"|[\w.!#$%&'*+/=?^`{|}~-]{1,64})@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
)
_ORIGINAL: Final = re.compile(
    r"^(?:-{2,}.{0,10}(?:original message|below this line|this is a copy|returned message|message header|undelivered message).*"
    r"|message headers follow.*|original message follows.*|.{0,20}(?:copy of (?:the|your) (?:original )?message|headers of the message).{0,40}"
    r"|Received: (?:from|by|\().*)$",
    re.I | re.M,
)
_SUBJECT: Final = re.compile(
    r"deliver|undeliver|returned mail|failure notice|mail (?:system )?error|bounce|rejected|could not send|non remis|unzustellbar|"
    r"postmaster notify|mail status|notification message|warning: (?:message|could not)|mail failure|no entregad|devolvid|配信|送信",
    re.I,
)
_MACHINE: Final = re.compile(r"mailer-?daemon|postmaster|mail delivery|mdaemon|complaints?@|bounce", re.I)
_DELAYED: Final = re.compile(
    r"delayed|will be retried|still trying|not yet been|temporary|warning message only|4\.4\.[127]", re.I
)
_ABUSE: Final = re.compile(
    r"feedback-type:\s*(?:abuse|fraud|virus|other|not-spam|complaint)|message/feedback-report", re.I
)
_REMOVED: Final = re.compile(
    r"^(?:original-rcpt-to|x-original-to|removal-recipient|original-recipient|redacted-address):\s*(.+)$", re.I | re.M
)


def parse(raw: bytes) -> tuple[Bounce, ...]:
    """Every recipient a mail reports on; one Bounce of kind "none" (or "auto_reply") when it reports on nobody."""
    mail = message_from_bytes(raw[:MAIL_LIMIT], policy=policy.compat32)
    text = _readable(mail)
    if _is_abuse_report(mail, text):
        return _complaints(mail, text)
    if told := _amazon(text):
        return told
    reported = [bounce for fields in _reported_fields(mail) if (bounce := _from_fields(fields, text))]
    if reported:
        return tuple(reported)
    subject, sender = str(mail.get("Subject", "")), str(mail.get("From", ""))
    if _SUBJECT.search(_decoded(subject)) or _MACHINE.search(sender):
        return (_from_sentences(mail, text),)
    automatic = str(mail.get("Auto-Submitted", "no")).lower().startswith("auto")
    return (Bounce("", "", "", "auto_reply" if automatic else "none"),)


def classify(status: str, diagnostic: str, action: str = "") -> Kind:
    """hard, soft or delivered from a status code, the server's words and the action of a report."""
    action = action.lower().strip()
    if action in ("delivered", "relayed", "expanded") or (status.startswith("2") and action in ("", "delivered")):
        return "delivered"
    if action == "delayed" or SOFT.search(diagnostic):
        return "soft"
    if status.startswith("4"):
        return "soft"
    if HARD.search(diagnostic):
        return "hard"
    if BLOCKED.search(diagnostic):
        return "soft"
    if re.match(r"5\.1\.(?:[0-6]|10)$", status) or status in ("5.4.4", "5.1.10"):
        return "hard"
    return "soft"


def _parts(mail: Message) -> Iterator[Message]:
    """The parts of the report itself, not those of the returned mail inside it."""
    waiting = [mail]
    seen = 0
    while waiting and seen < 200:
        part = waiting.pop(0)
        seen += 1
        yield part
        if part.is_multipart() and part.get_content_type() != "message/rfc822":
            waiting = [*[child for child in part.get_payload() if isinstance(child, Message)], *waiting]


def decoded_part(part: Message) -> str:
    """The text of one part of a mail in its own charset, or read byte by byte where nobody knows that charset."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return payload.decode("latin-1")


def _readable(mail: Message) -> str:
    """The sentences of the report up to the returned mail."""
    found = []
    for part in _parts(mail):
        if part.get_content_type() in ("text/plain", "text/html") and not part.is_multipart():
            text = decoded_part(part)[:_TEXT_LIMIT]
            if part.get_content_type() == "text/html":
                text = re.sub(r"<[^@<>]{0,500}>", " ", text)
            found.append(text)
    joined = "\n".join(found)
    cut = _ORIGINAL.search(joined)
    return joined[: cut.start()] if cut and cut.start() > 0 else joined


def _reported_fields(mail: Message) -> Iterator[Mapping[str, str]]:
    """The fields of each recipient of a delivery report."""
    for part in _parts(mail):
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        blocks = [block for block in part.get_payload() if isinstance(block, Message)] if part.is_multipart() else []
        for block in blocks:
            fields = {name.lower(): " ".join(str(value).split()) for name, value in block.items()}
            if "final-recipient" in fields or "original-recipient" in fields:
                yield fields


def _from_fields(fields: Mapping[str, str], text: str) -> Bounce | None:
    recipient = _address(fields.get("final-recipient", "")) or _address(fields.get("original-recipient", ""))
    said = fields.get("diagnostic-code", "")
    found = _STATUS.search(fields.get("status", ""))
    status = found[0] if found else ""
    inner = _STATUS.search(said)
    if inner and (not status or status.endswith(".0.0")):
        status = inner[0]
    about = " ".join(filter(None, (said, fields.get("x-powermta-bouncecategory", ""))))
    if len(said) < 25 or not (HARD.search(about) or SOFT.search(about)):
        about = f"{about} {_near(text, recipient)}"
    return Bounce(
        recipient, status, said or _near(text, recipient).strip(), classify(status, about, fields.get("action", ""))
    )


def _near(text: str, recipient: str) -> str:
    at = text.find(recipient) if recipient else -1
    return " ".join(text[max(0, at - 200) : at + 800].split()) if at >= 0 else " ".join(text[:1_500].split())


def _from_sentences(mail: Message, text: str) -> Bounce:
    senders = {address.lower() for name in ("From", "To") for address in _ADDRESS.findall(str(mail.get(name, "")))}
    named = _ADDRESS.findall(str(mail.get("X-Failed-Recipients", ""))) or _ADDRESS.findall(text)
    recipient = next((address for address in named if address.lower() not in senders), named[0] if named else "")
    said = " ".join(text.split())
    found = _STATUS.search(said)
    reply = _REPLY.search(said)
    status = found[0] if found else (f"{reply[1][0]}.0.0" if reply else "")
    subject = _decoded(str(mail.get("Subject", "")))
    action = "delayed" if re.search(r"\bdelay", subject, re.I) or (not status and _DELAYED.search(said)) else ""
    if not recipient and not status and not HARD.search(said) and not SOFT.search(said):
        return Bounce("", "", "", "auto_reply")
    return Bounce(recipient, status, said[:500], classify(status, said, action))


def _is_abuse_report(mail: Message, text: str) -> bool:
    if mail.get_content_type() == "multipart/report" and "feedback-report" in str(mail.get("Content-Type", "")).lower():
        return True
    kinds = {part.get_content_type() for part in _parts(mail)}
    return "message/feedback-report" in kinds or bool(_ABUSE.search(text)) or "abuse report" in text[:2_000].lower()


def _complaints(mail: Message, text: str) -> tuple[Bounce, ...]:
    body = (
        text
        + "\n"
        + "\n".join(
            part.as_string()[:_TEXT_LIMIT]
            for part in _parts(mail)
            if part.get_content_type() == "message/feedback-report"
        )
    )
    found = [_address(match[1]) for match in _REMOVED.finditer(body)]
    if not any(found):
        for part in mail.walk():
            if part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
                found += _ADDRESS.findall(part.as_string()[:_TEXT_LIMIT].partition("\nTo:")[2].partition("\n")[0])
    recipients = list(dict.fromkeys(address for address in found if address)) or [""]
    return tuple(Bounce(recipient, "", "abuse report", "complaint") for recipient in recipients)


def _address(value: str) -> str:
    found = _ADDRESS.search(value.partition(";")[2] or value)
    return found[0] if found else ""


def _decoded(subject: str) -> str:
    try:
        return str(make_header(decode_header(subject)))
    except (LookupError, ValueError):
        return subject


def _amazon(text: str) -> tuple[Bounce, ...]:
    """The notification of Amazon SES, when it comes by mail: one JSON object at the head of the text."""
    if not text.lstrip().startswith("{") or "notificationType" not in text:
        return ()
    try:
        told, _ = json.JSONDecoder().raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return ()
    kind, bounce = str(told.get("notificationType")), told.get("bounce")
    if kind == "Delivery" and isinstance(told.get("delivery"), dict):
        delivery = told["delivery"]
        said = str(delivery.get("smtpResponse", ""))
        found = _STATUS.search(said)
        return tuple(
            Bounce(str(to), found[0] if found else "", said, "delivered") for to in _listed(delivery, "recipients")
        )
    if kind == "Complaint" and isinstance(told.get("complaint"), dict):
        people = _people(told["complaint"], "complainedRecipients")
        return tuple(Bounce(_address(str(to.get("emailAddress", ""))), "", "complaint", "complaint") for to in people)
    if not isinstance(bounce, dict):
        return ()
    hard = str(bounce.get("bounceType")) == "Permanent" and bounce.get("bounceSubType") in ("General", "NoEmail", None)
    return tuple(
        Bounce(
            _address(str(to.get("emailAddress", ""))),
            str(to.get("status", "")),
            str(to.get("diagnosticCode", "")),
            "hard"
            if hard and classify(str(to.get("status", "")), str(to.get("diagnosticCode", ""))) == "hard"
            else "soft",
        )
        for to in _people(bounce, "bouncedRecipients")
    )


def _listed(holder: dict[str, Any], key: str) -> list[Any]:
    found = holder.get(key)
    return found if isinstance(found, list) else []


def _people(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [person for person in _listed(holder, key) if isinstance(person, dict)]
