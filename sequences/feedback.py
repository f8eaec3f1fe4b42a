"""What a mailbox provider tells of a person's complaint: the feedback report of RFC 5965, Hotmail's older one, and Apple's for a List-Unsubscribe."""

from __future__ import annotations

import re
from email.message import Message
from typing import Final

from sequences.bouncemail import TEXT_LIMIT, address_in, header_of, parts_of, returned_headers, written_to

_ABUSE: Final = re.compile(r"^feedback-type:\s*[\w-]{3,20}|message/feedback-report", re.I | re.M)
_ABUSE_SUBJECT: Final = re.compile(r"^\s*complaint about message from\b", re.I)
_FEEDBACK_TYPE: Final = re.compile(r"^feedback-type:\s*([\w-]{3,20})", re.I | re.M)
_REMOVED: Final = re.compile(
    r"^(?:original-rcpt-to|x-original-to|removal-recipient|original-recipient|redacted-address|x-hmxmroriginalrecipient):\s*(.+)$",
    re.I | re.M,
)


def is_feedback(mail: Message, text: str) -> bool:
    """Whether somebody reports what they think of a mail: its part (RFC 5965), or its words in older ones."""
    if mail.get_content_type() == "multipart/report" and "feedback-report" in header_of(mail, "Content-Type").lower():
        return True
    if header_of(mail, "X-Apple-Unsubscribe") == "true":
        return True
    kinds = {part.get_content_type() for part in parts_of(mail)}
    if "message/feedback-report" in kinds or _ABUSE.search(text) or "abuse report" in text[:2_000].lower():
        return True
    return "message/rfc822" in kinds and bool(_ABUSE_SUBJECT.search(header_of(mail, "Subject")))


def feedback(mail: Message, text: str) -> tuple[str, list[str]]:
    """(the type of the report, everyone it is about): "abuse", "opt-out", but also "auth-failure" and "not-spam"."""
    if header_of(mail, "X-Apple-Unsubscribe") == "true":
        return "opt-out", [address_in(header_of(mail, "From"))]
    parts = [part for part in parts_of(mail) if part.get_content_type() == "message/feedback-report"]
    body = "\n".join([text, *(part.as_string()[:TEXT_LIMIT] for part in parts)])
    kind = _FEEDBACK_TYPE.search(body)
    found = [address_in(match[1]) for match in _REMOVED.finditer(body)]
    if not any(found):
        returned = "\n".join(returned_headers(mail))
        found = [address_in(match[1]) for match in _REMOVED.finditer(returned)]
        found = found if any(found) else [written_to(mail, returned)]
    recipients = list(dict.fromkeys(address for address in found if address)) or [""]
    return kind[1].lower() if kind else "abuse", recipients
