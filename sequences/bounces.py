"""Mails that report on mails: bounces, delays, complaints, confirmations of delivery.

A delivery report (RFC 3464) is read from its fields, an abuse report (RFC 5965) from its; older mail servers only write
sentences, which are searched for a status code (RFC 3463), an SMTP reply and the usual words. "hard" means the address
itself is wrong for good; full, disabled, blocked or delayed is "soft".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from typing import Final, Literal

from intelligence.autoreply import is_auto_reply
from sequences import bouncejson
from sequences.bouncemail import (
    address_in,
    failed_recipients,
    header_of,
    headers_of,
    no_recipients,
    parts_of,
    readable,
    written_to,
)
from sequences.bouncetext import fields_of, told, without_returned, written_fields
from sequences.bouncewords import BLOCKED, DELIVERED, FAILED, NOBODY, NOWHERE, SENDER, SOFT
from sequences.feedback import feedback, is_feedback

Kind = Literal["hard", "soft", "complaint", "auto_reply", "delivered", "none"]

MAIL_LIMIT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a report says about one recipient. "none": the mail is no report at all.

    The diagnostic of a "complaint" is the type of its feedback report: "abuse", but also "auth-failure" and "not-spam".
    """

    recipient: str
    status: str
    diagnostic: str
    kind: Kind


_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REFUSAL: Final = re.compile(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])")
_REPLY: Final = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-#])")
_MACHINE: Final = re.compile(
    r"mailer-?daemon|post_?master|mail delivery|mdaemon|complaints?@|bounce|system administrator|mail administrator|amazonses\.com|^<>$|^$",
    re.I,
)
_UNATTENDED: Final = re.compile(r"\bno[._-]?reply@", re.I)
_ANSWER: Final = re.compile(r"^\s*(?:re|fwd?|aw|wg|sv|tr|rv|antw)\s*:", re.I)
_FILTERED: Final = re.compile(r"\b(?:was|been|is) (?:automatically )?(?:rejected|refused)\b", re.I)
_DELAYED: Final = re.compile(
    r"delayed|will be retried|still (?:trying|being)|not yet been|temporary|warning message only|4\.4\.[127]", re.I
)


def parse(raw: bytes) -> tuple[Bounce, ...]:
    """Every recipient a mail reports on; one Bounce of kind "none" (or "auto_reply") when it reports on nobody.

    The recipient of an "auto_reply" is who answered.
    """
    mail = message_from_bytes(raw[:MAIL_LIMIT], policy=policy.compat32)
    text, returned = without_returned(readable(mail))
    if is_feedback(mail, text):
        kind, people = feedback(mail, text)
        return tuple(Bounce(each, "", kind, "complaint") for each in people)
    if told_by_amazon := bouncejson.amazon(text):
        return tuple(_from_amazon(each) for each in told_by_amazon)
    if (
        mail.get_content_type() == "multipart/report"
        and "disposition-notification" in header_of(mail, "Content-Type").lower()
    ):
        return (_refused_by_a_filter(mail, text) or Bounce("", "", "", "none"),)
    fields = [*_reported_fields(mail)] or [*written_fields(text)]
    if fields and (reported := _from_all_fields(mail, fields, text, returned)):
        return reported
    if _is_report(mail, text):
        return _from_sentences(mail, text, returned)
    found = is_auto_reply(dict(reversed([*headers_of(mail)])), header_of(mail, "Subject"), text)
    automatic = found is not None and (found.kind in ("away", "bounce") or found.evidence == "auto-submitted")
    sender = address_in(header_of(mail, "From")) or address_in(header_of(mail, "Return-Path"))
    return (Bounce(sender, "", "", "auto_reply") if automatic else Bounce("", "", "", "none"),)


def classify(status: str, diagnostic: str, action: str = "") -> Kind:
    """hard, soft or delivered from a status code, the server's words and the action of a report."""
    action = action.lower().strip().partition(" ")[0]
    if action in ("delivered", "relayed", "expanded", "deliverable") or (
        status.startswith("2") and action in ("", "delivered")
    ):
        return "delivered"
    if action == "delayed" or SOFT.search(diagnostic):
        return "soft"
    reply = _REPLY.search(diagnostic)
    if SENDER.search(diagnostic) or status in ("5.1.7", "5.1.8"):
        return "soft"
    if status.startswith("4") or (not status and reply and reply[1].startswith("4")):
        return "hard" if action == "failed" and NOBODY.search(diagnostic) else "soft"
    if NOBODY.search(diagnostic):
        return "hard"
    if BLOCKED.search(diagnostic):
        return "soft"
    if NOWHERE.search(diagnostic):
        return "hard"
    return "hard" if re.match(r"5\.1\.(?:[0-6]|10)$", status) or status == "5.4.4" else "soft"


def _refused_by_a_filter(mail: Message, text: str) -> Bounce | None:
    """What a recipient's own mail filter sends back in the shape of a read receipt (RFC 5429). Any other receipt is None."""
    parts = (part for part in parts_of(mail) if part.get_content_type() == "message/disposition-notification")
    fields = next((fields_of(block.items()) for part in parts for block in part.walk() if "Disposition" in block), None)
    if fields is None or "deleted" not in fields["disposition"].lower() or not _FILTERED.search(text):
        return None
    said = " ".join(text.split())[:500]
    return Bounce(_recipient(fields), "", said, classify("", said))


def _reported_fields(mail: Message) -> Iterator[Mapping[str, str]]:
    """The fields of each recipient of a delivery report."""
    for part in parts_of(mail):
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        blocks = [block for block in part.get_payload() if isinstance(block, Message)] if part.is_multipart() else []
        for block in blocks:
            fields = fields_of(block.items())
            if "final-recipient" in fields or "original-recipient" in fields:
                yield fields


def _from_all_fields(mail: Message, fields: list[Mapping[str, str]], text: str, returned: str) -> tuple[Bounce, ...]:
    """A Bounce for each recipient of a delivery report. One without an address of its own is the mail's only recipient."""
    named = [_recipient(each) for each in fields]
    said = told(text, [each for each in named if each], no_recipients(mail))
    if len(fields) == 1 and not named[0]:
        named = [
            next(iter(failed_recipients(mail) or told(text, (), no_recipients(mail))), "") or written_to(mail, returned)
        ]
    return tuple(
        _from_fields(each, address, said.get(address) or (text if len(fields) == 1 else ""))
        for each, address in zip(fields, named, strict=True)
    )


def _recipient(fields: Mapping[str, str]) -> str:
    names = ("final-recipient", "original-recipient", "x-actual-recipient")
    return next((address for name in names if (address := address_in(fields.get(name, "")))), "")


def _from_fields(fields: Mapping[str, str], recipient: str, text: str) -> Bounce:
    said = fields.get("diagnostic-code", "")
    found = _STATUS.search(fields.get("status", ""))
    status = found[0] if found else ""
    inner = _STATUS.search(said)
    if inner and (not status or status.endswith(".0.0")):
        status = inner[0]
    _, _, why = fields.get("action", "").partition("(")
    about = " ".join(filter(None, (said, why, fields.get("x-powermta-bouncecategory", ""))))
    near = " ".join(text.split())[:1_000]
    if len(said) < 25 or not _has_words(about):
        about = f"{about} {near}"
    return Bounce(recipient, status, said or near, classify(status, about, fields.get("action", "")))


def _has_words(said: str) -> bool:
    return any(words.search(said) for words in (SOFT, NOBODY, NOWHERE, SENDER, BLOCKED))


def _is_report(mail: Message, text: str) -> bool:
    """Whether a mail without a delivery report's part speaks of one that did not arrive."""
    subject, sender = header_of(mail, "Subject"), header_of(mail, "From").strip()
    beginning = text[:3_000]
    evidence = bool(_REFUSAL.search(beginning) or _REPLY.search(beginning) or _has_words(beginning))
    if mail.get("X-Failed-Recipients") or mail.get_content_type() == "multipart/report":
        return True
    if _MACHINE.search(sender) and "From" in mail:
        return evidence or bool(FAILED.search(subject) or FAILED.search(beginning) or DELIVERED.search(subject))
    if _UNATTENDED.search(sender):
        return bool(FAILED.search(beginning)) and bool(told(beginning, (), no_recipients(mail)))
    named = bool(FAILED.search(subject)) and not _ANSWER.match(subject)
    return named and evidence


def _from_sentences(mail: Message, text: str, returned: str) -> tuple[Bounce, ...]:
    subject = header_of(mail, "Subject")
    said = told(text, failed_recipients(mail), no_recipients(mail)) or {written_to(mail, returned): ""}
    bounces = tuple(_from_said(address, own, text, subject, len(said) == 1) for address, own in said.items())
    if len(bounces) == 1 and not bounces[0].recipient and not bounces[0].status and not _has_words(text):
        return (Bounce("", "", "", "auto_reply"),)
    return bounces


def _from_said(recipient: str, own: str, text: str, subject: str, alone: bool) -> Bounce:
    """Judged by the least text that says anything: the lines that name the recipient, what follows them, all of it."""
    lines = " ".join(line for line in own.split("\n") if recipient and recipient in line)
    everything = f"{subject} {text}" if alone or not own else own
    words = next((part for part in (lines, own, everything) if _has_words(part)), everything)
    whole = " ".join((own if own.strip() else text).split())
    words = " ".join(words.split())[:8_000]
    found = next((match for part in (words, whole, text) if (match := _REFUSAL.search(part))), None)
    reply = next((match for part in (words, whole) if (match := _REPLY.search(part))), None)
    status = found[0] if found else (f"{reply[1][0]}.0.0" if reply else "")
    if DELIVERED.search(f"{subject} {whole}") and not FAILED.search(f"{subject} {whole}"):
        return Bounce(recipient, status, whole[:500], "delivered")
    delayed = re.search(r"\bdelay", subject, re.I) or (not status and _DELAYED.search(whole))
    return Bounce(recipient, status, whole[:500], classify(status, words, "delayed" if delayed else ""))


def _from_amazon(each: bouncejson.Told) -> Bounce:
    found = _STATUS.search(each.status) or _STATUS.search(each.diagnostic)
    status, kind = found[0] if found else "", each.kind
    if kind == "permanent":
        return Bounce(
            each.recipient, status, each.diagnostic, _worst(classify(status, each.diagnostic, "failed"), each)
        )
    return Bounce(each.recipient, status, each.diagnostic, "soft" if kind == "transient" else kind)


def _worst(kind: Kind, each: bouncejson.Told) -> Kind:
    """Amazon's own judgement counts where the server's words are missing."""
    return "hard" if not each.diagnostic and not each.status else kind
