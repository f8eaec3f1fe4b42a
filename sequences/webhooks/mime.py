"""A whole mail, as it came over the wire, in our words: for providers that pass it on untouched. Pure. Source: RFC 5322, 2045."""

import re
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from email.policy import Policy
from email.utils import parseaddr
from typing import Any

from sequences.bouncemail import decoded_part
from sequences.charsets import decoded
from sequences.signals import MailReceived

MOST_HEADERS = 200
# What a report says for machines (RFC 3464, 6533, 5965).
_MACHINE_PARTS = ("message/delivery-status", "message/global-delivery-status", "message/feedback-report")
_ANGLED = re.compile(r"<([^\s<>@]{1,200}@[^\s<>@]{1,253})>\s*$")
_COMPAT: Policy = policy.compat32  # (the modern policy raises on headers that strangers write)


def received(raw: bytes, *, provider_id: str, sender: str = "", to: str = "") -> MailReceived:
    """The mail. `sender` and `to`: the provider's reading of them, where it has one. Bad encodings are replaced, never refused."""
    mail, modern = _parsed(raw, _COMPAT), _modern(raw)
    address, name = person_of(str(mail.get("From", "")))
    return MailReceived(
        provider_id=provider_id,
        sender=(address or sender.strip().lower())[:254],
        name=name,
        to=(to or parseaddr(str(mail.get("To", "")))[1])[:254],
        subject=" ".join(decoded(str(mail.get("Subject", ""))).split())[:998],
        text=_part(modern, "plain", mail) + _report(mail),
        html=_part(modern, "html", mail),
        headers=_kept(mail.items()),
    )


def headers_of(text: str) -> tuple[tuple[str, str], ...]:
    """A block of header lines."""
    return _kept(message_from_string(text.strip("\r\n") + "\n\n", policy=_COMPAT).items())


def person_of(text: str) -> tuple[str, str]:
    """(address in lower case, name) of a From line.

    The name is decoded after the two are told apart (RFC 2047 §6.2): in it a comma or an address is only text. Where a server
    decoded the line before and left such a name without its quotes, the address in angle brackets at its end counts; a line
    that names nobody until it is decoded is read then.
    """
    name, address = parseaddr(text)
    if "@" not in address and (found := _ANGLED.search(text)):
        name, address = text[: found.start()].strip().strip('"'), found[1]
    elif "@" not in address:
        name, address = parseaddr(decoded(text))
    return address.strip().lower()[:254], " ".join(decoded(name).split())[:200]


def _kept(headers: list[tuple[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Headers as text. Not Received-SPF: only a receiving server's own says anything, and here it cannot be told from a
    stranger's (sequences.returned believes the first one)."""
    return tuple(
        (str(name)[:200], " ".join(decoded(str(value)).split())[:4000])
        for name, value in headers[:MOST_HEADERS]
        if str(name).lower() != "received-spf"
    )


def _parsed(raw: bytes, how: Policy) -> Message:
    """The mail and its parts; of one with parts in parts beyond all reason (the parser goes down with each) only the head, and
    everything else as its text."""
    try:
        return message_from_bytes(raw, policy=how)
    except RecursionError:
        mail = BytesHeaderParser(policy=how).parsebytes(raw)
        for name in ("Content-Type", "Content-Transfer-Encoding"):
            del mail[name]
        return mail


def _modern(raw: bytes) -> EmailMessage | None:
    """The mail as the modern parser reads it; None where it stumbles over headers that a stranger wrote."""
    try:
        mail = _parsed(raw, policy.default)
    except (LookupError, ValueError, AttributeError):
        return None
    return mail if isinstance(mail, EmailMessage) else None


def _part(mail: EmailMessage | None, subtype: str, plainly: Message) -> str:
    """The readable body of one kind, "" if it has none. `plainly`: the same mail, for where the modern parser stumbles."""
    try:
        part: Message | None = (
            mail.get_body(preferencelist=(subtype,)) if mail is not None else _first(plainly, subtype)
        )
    except (LookupError, ValueError, AttributeError, RecursionError):
        part = _first(plainly, subtype)
    return decoded_part(part) if part is not None else ""


def _first(mail: Message, subtype: str) -> Message | None:
    return next((each for each in mail.walk() if each.get_content_type() == f"text/{subtype}"), None)


def _report(mail: Message) -> str:
    """The machine part of a report, to stand below its text."""
    reports = [each for each in mail.walk() if each.get_content_type() in _MACHINE_PARTS]
    return "".join(f"\n\n{block.as_string()}" for each in reports for block in _blocks(each))


def _blocks(report: Message) -> list[Message]:
    payload = report.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []
