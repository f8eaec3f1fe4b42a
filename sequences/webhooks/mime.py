"""A whole mail, as it came over the wire, in our words: for providers that pass it on untouched. Pure. Source: RFC 5322, 2045."""

from email import message_from_bytes, message_from_string, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import Policy
from email.utils import parseaddr
from typing import Any

from sequences.bouncemail import decoded_part
from sequences.signals import MailReceived

MOST_HEADERS = 200
# What a report says for machines (RFC 3464, 6533, 5965).
_MACHINE_PARTS = ("message/delivery-status", "message/global-delivery-status", "message/feedback-report")
_COMPAT: Policy = policy.compat32  # (the modern policy raises on headers that strangers write)


def received(raw: bytes, *, provider_id: str, sender: str = "", to: str = "") -> MailReceived:
    """The mail. `sender` and `to`: the provider's reading of them, where it has one. Bad encodings are replaced, never refused."""
    mail = message_from_bytes(raw, policy=_COMPAT)
    address, name = person_of(decoded(str(mail.get("From", ""))))
    return MailReceived(
        provider_id=provider_id,
        sender=(address or sender.strip().lower())[:254],
        name=name,
        to=(to or parseaddr(decoded(str(mail.get("To", ""))))[1])[:254],
        subject=" ".join(decoded(str(mail.get("Subject", ""))).split())[:998],
        text=_part(raw, "plain"),
        html=_part(raw, "html"),
        headers=_kept(mail.items()),
    )


def headers_of(text: str) -> tuple[tuple[str, str], ...]:
    """A block of header lines."""
    return _kept(message_from_string(text.strip("\r\n") + "\n\n", policy=_COMPAT).items())


def person_of(text: str) -> tuple[str, str]:
    """(address in lower case, name) of a From line."""
    name, address = parseaddr(decoded(text))
    return address.strip().lower()[:254], " ".join(name.split())[:200]


def decoded(text: str) -> str:
    """A header's text without RFC 2047's encoding; one that is broken stays as it is."""
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError, HeaderParseError):
        return text


def _kept(headers: list[tuple[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Headers as text. Not Received-SPF: only a receiving server's own says anything, and here it cannot be told from a
    stranger's (sequences.returned believes the first one)."""
    return tuple(
        (str(name)[:200], " ".join(decoded(str(value)).split())[:4000])
        for name, value in headers[:MOST_HEADERS]
        if str(name).lower() != "received-spf"
    )


def _part(raw: bytes, subtype: str) -> str:
    """The readable body of one kind, "" if it has none; a report's machine part is appended to its text."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    try:
        part = mail.get_body(preferencelist=(subtype,))
    except (LookupError, ValueError, AttributeError):
        part = None
    found = decoded_part(part) if part is not None else ""
    if subtype == "plain":
        reports = [each for each in mail.walk() if each.get_content_type() in _MACHINE_PARTS]
        found += "".join(f"\n\n{block.as_string()}" for each in reports for block in _blocks(each))
    return found


def _blocks(report: object) -> list[EmailMessage]:
    payload = report.get_payload() if isinstance(report, EmailMessage) else []
    return [block for block in payload if isinstance(block, EmailMessage)] if isinstance(payload, list) else []
