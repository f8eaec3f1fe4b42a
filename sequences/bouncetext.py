"""The sentences of a report on a mail: whom they name, and what they say of each.

Mail servers older than RFC 3464 tell it in lines. An address at the head of a line opens what is said about it, and so
does one at the end of a line such as "Unable to deliver message to: <address>"; what stands before the first belongs to all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from email import message_from_string, policy
from typing import Final

ADDRESS: Final = re.compile(r"(?:\"[^\"\s@<>]{1,64}\"|[\w.!#$%&'*+/=?^`{|}~-]{1,64})@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_OPENS: Final = re.compile(
    r"^[\s>*•|-]{0,40}(?:[245]\d\d[ -]{1,3})?(?:[245]\.\d{1,3}\.\d{1,3} )?[<\"'(\[]{0,2}(?:" + ADDRESS.pattern + r")"
)
_CLOSES: Final = re.compile(
    r"^[\s>*-]{0,20}(?P<label>[^:@]{1,90}):\s{0,4}(?:rfc822;\s{0,2})?[<\"'(\[]?(?P<address>"
    + ADDRESS.pattern
    + r")\S{0,3}\s*$"
)
_X400: Final = re.compile(r"\bdda:SMTP=(" + ADDRESS.pattern + r")", re.I)
# Fields of the mail that came back, and of its sender.
_NO_RECIPIENT: Final = re.compile(
    r"^(?:to|cc|bcc|from|sender|reply-to|return-path|subject|mail from|envelope-from|x-.*|message-id|references|contact.*|please.*|.*questions?.*)$",
    re.I,
)
_OFFICE: Final = re.compile(r"^(?:postmaster|mailer-?daemon|abuse|support|help|helpdesk|admin(?:istrator)?)@", re.I)
_TOLD_TO: Final = re.compile(r"\b(?:to|recipients?|address(?:es|ed)?|user|mailbox|for)\b[^@\n]{0,40}$", re.I)
_FIELDS: Final = re.compile(r"^\s{0,8}(?:final|original)-recipient\s?:", re.I | re.M)
_ORIGINAL: Final = re.compile(
    r"^(?:[ >]{0,4}[-_=]{2,}.{0,10}(?:original (?:message|mail)|unsent message|below (?:this|the next) line|this is a copy|"
    r"returned (?:message|mail)|message header|undelivered message|mensaje original|the header of|your message follows).*"
    r"|.{0,10}(?:message headers follow|original (?:message|mail) (?:headers|follows|as (?:follows|received))|your message reads|old message:).*"
    r"|.{0,20}(?:copy of (?:the|your) (?:original )?message|headers of the message).{0,40}"
    r"|Received: ?(?:from|by|\().*)$",
    re.I | re.M,
)


def without_returned(text: str) -> tuple[str, str]:
    """(the report, the mail that came back with it)."""
    cut = _ORIGINAL.search(text)
    return (text[: cut.start()], text[cut.start() :]) if cut and cut.start() > 0 else (text, "")


def written_fields(text: str) -> Iterator[Mapping[str, str]]:
    """The fields of a delivery report that stand in the text instead of in a part of their own."""
    for block in re.split(r"\n[ \t\r]*\n", text):
        if _FIELDS.search(block):
            lines = block.strip("\r\n").split("\n")
            first = next((index for index, line in enumerate(lines) if re.match(r"\s{0,8}[\w-]{1,40}\s?:", line)), 0)
            depth = len(lines[first]) - len(lines[first].lstrip())
            fields = "\n".join(line[depth:] if not line[:depth].strip() else line for line in lines[first:])
            yield fields_of(message_from_string(fields, policy=policy.compat32).items())


def fields_of(items: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Header fields by their names in lower case, each value on one line."""
    return {name.lower().strip(): " ".join(str(value).split()) for name, value in items}


def told(text: str, named: Collection[str], others: Collection[str]) -> dict[str, str]:
    """What the text says of each recipient. `named` are known to have failed; `others` (in lower case) are no recipients."""
    if named:
        known = {address.lower() for address in named}
        found = {address.lower(): said for address, said in _openings(text, known.__contains__).items()}
        return {address: found.get(address.lower(), "") for address in named}
    if found := _openings(text, lambda address: address not in others):
        return found
    if anyone := _anyone(text, others):
        return {anyone: ""}
    return _openings(text, lambda address: True)  # (somebody wrote to their own address)


def _openings(text: str, wanted: Callable[[str], bool]) -> dict[str, str]:
    """The lines from each that opens on a wanted address (asked in lower case) to the next."""
    opened: dict[str, list[str]] = {}
    spelt: dict[str, str] = {}
    now = ""
    for line in text.split("\n"):
        address = _opened(line[:400])
        if address and wanted(address.lower()):
            now = address.lower()
            spelt.setdefault(now, address)
            opened.setdefault(now, [])
        if now:
            opened[now].append(line)
    return {spelt[key]: "\n".join(lines) for key, lines in opened.items()}


def _opened(line: str) -> str:
    if "@" not in line:
        return ""
    if _OPENS.match(line) and (found := ADDRESS.search(line)):
        return found[0]
    if found := _X400.search(line):
        return found[1]
    closed = _CLOSES.match(line)
    return closed["address"] if closed and not _NO_RECIPIENT.match(closed["label"].strip()) else ""


def _anyone(text: str, others: Collection[str]) -> str:
    """The first address the text speaks of, one that something was sent to before any other."""
    addresses = [match for match in ADDRESS.finditer(text) if match[0].lower() not in others]
    people = [match for match in addresses if not _OFFICE.match(match[0])] or addresses
    sent = (match for match in people if _TOLD_TO.search(text[max(0, match.start() - 60) : match.start()]))
    chosen = next(sent, people[0] if people else None)
    return chosen[0] if chosen else ""
