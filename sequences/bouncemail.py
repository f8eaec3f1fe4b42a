"""The mail that a report is: its headers, its parts, its sentences, and the mail that came back inside it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from email.message import Message
from typing import Final

from intelligence.markup import text_of_html
from sequences.bouncetext import ADDRESS
from sequences.charsets import decoded, text_in

_RETURNED_TYPES: Final = frozenset(
    {"message/rfc822", "text/rfc822-headers", "text/rfc822-header", "text/rfc822", "message/rfc822-headers"}
)
_RETURNED_TO: Final = re.compile(r"^(?:to|x-apparently-to|delivered-to|x-original-to): ?(.{0,1000})", re.I | re.M)
TEXT_LIMIT: Final = 20_000
_TEXT_PARTS: Final = 5


def parts_of(mail: Message) -> Iterator[Message]:
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
    return text_in(payload, str(part.get_content_charset() or "utf-8"), otherwise="latin-1")


def readable(mail: Message) -> str:
    """The sentences of the report; an HTML part is read where no plain text says anything."""
    plain, html = [], []
    for part in parts_of(mail):
        kind = part.get_content_type()
        if kind == "text/html":
            html.append(decoded_part(part)[: 4 * TEXT_LIMIT])
        elif not part.is_multipart() and (kind == "text/plain" or kind.startswith("multipart/")):
            # (a multipart without parts is one whose boundary got lost)
            plain.append(decoded_part(part)[:TEXT_LIMIT])
    said = "\n".join(plain[:_TEXT_PARTS])
    return (said if said.strip() else "\n".join(text_of_html(each) for each in html[:2])).replace("\r\n", "\n")


def header_of(mail: Message, name: str) -> str:
    """The first header of this name, "" if there is none."""
    return next((value for known, value in headers_of(mail) if known.lower() == name.lower()), "")


def headers_of(mail: Message) -> Iterator[tuple[str, str]]:
    """The headers as text, also where a program wrote them unencoded."""
    for name, value in mail.raw_items():
        yield name, decoded(str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def failed_recipients(mail: Message) -> list[str]:
    """Exim's and Google's list, in their own header."""
    named = (address for value in mail.get_all("X-Failed-Recipients", []) for address in ADDRESS.findall(str(value)))
    return list(dict.fromkeys(named))


def no_recipients(mail: Message) -> Collection[str]:
    """Who wrote the report and who got it: none of them is the recipient it is about."""
    names = ("From", "To", "Reply-To", "Sender", "Return-Path", "Delivered-To")
    return {
        address.lower() for name in names for value in mail.get_all(name, []) for address in ADDRESS.findall(str(value))
    }


def returned_headers(mail: Message) -> list[str]:
    """The beginnings of the mails that came back as parts."""
    parts = (part for part in parts_of(mail) if part.get_content_type() in _RETURNED_TYPES)
    return [(decoded_part(part) or part.as_string())[:TEXT_LIMIT] for part in parts]


def written_to(mail: Message, returned: str) -> str:
    """Whom the mail that came back was written to, "" when it does not say."""
    others = no_recipients(mail)
    headers = "\n".join([returned[:TEXT_LIMIT], *returned_headers(mail)])
    found = (address for match in _RETURNED_TO.finditer(headers) for address in ADDRESS.findall(match[1]))
    return next((address for address in found if address.lower() not in others), "")


def address_in(value: str) -> str:
    """The address in the value of a field, with or without its type: "rfc822; <address>"."""
    found = ADDRESS.search(value.partition(";")[2] or value)
    return found[0] if found else ""
