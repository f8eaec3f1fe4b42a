"""Mails that report on mails of ours, and what makes such a report believable: anybody can write one.

A report is acted upon when it carries our mark (the Message-ID of the mail it is about, which only its recipient and the
servers on its way know) and then says something about that mail's recipient alone. Without the mark it must name an address
we wrote to lately and come, by SPF, from a server of that very domain or from our own mail server. Any other changes nothing.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from contacts.addresses import normalised
from intelligence.clean import is_auto_reply
from intelligence.markup import text_of_html
from sequences import bounces, matching
from sequences.models import Message, Sender
from sequences.signals import Bounced, Complained, MailReceived
from sequences.webhooks.base import marks_in

UNPROVEN = "It reports on a mail, and nothing shows that the mail was ours."
# Mail servers try for five days (RFC 5321 §4.5.4.1) before they report; two more for what waits on the way.
WRITTEN_LATELY = timedelta(days=7)
# Feedback types that are no complaint of a person's (RFC 5965; RFC 6591).
_NO_COMPLAINT = {"not-spam", "auth-failure"}
_ABOUT_PARTS = {"content-type", "content-transfer-encoding", "mime-version", "from", "subject"}
# RFC 7208 §9.1, as the server that took the mail in writes it; a report has no envelope sender, so `helo` is what was checked.
_PASSED = re.compile(r"^\s*pass\b", re.IGNORECASE)
_CHECKED = re.compile(r"\b(?:helo|envelope-from)=\"?<?(?:[^\s;\"@<>]*@)?([a-z0-9.-]+)", re.IGNORECASE)

Report = Bounced | Complained


def mail_returned(signal: MailReceived, now: datetime) -> list[Report]:
    """What a mail server's report says about mails of ours, as far as it is proven. Run inside the tenant's context."""
    return proven(signal, reports(signal), now)


def reports(signal: MailReceived) -> list[Report]:
    """What a mail server's report says. Empty for any other mail, also for one a person wrote about it."""
    headers = dict(signal.headers) | {"From": signal.sender}
    if is_auto_reply(headers, signal.subject, signal.text) is None:
        return []
    marks, found = marks_of(signal), list[Report]()
    for each in bounces.parse(as_mail(signal)):
        if each.kind in ("hard", "soft") and (each.recipient or marks):
            hard = each.kind == "hard"
            found.append(Bounced("", "", each.recipient, "returned mail", hard, each.status, each.diagnostic))
        elif (
            each.kind == "complaint"
            and each.diagnostic not in _NO_COMPLAINT
            and each.recipient.lower() != signal.sender.lower()
        ):
            # (who asks for an end themselves, as Apple's mail program does for them, is heard like anybody's words)
            found.append(Complained("", "", each.recipient))
    return found


def proven(signal: MailReceived, found: Sequence[Report], now: datetime) -> list[Report]:
    """Those of these reports that are about a mail of the current tenant's, each with its mark and its recipient's address."""
    known: list[Report] = []
    marked = matching.marked(marks_of(signal)) if found else None
    for report in found:
        message = marked or _unmarked(signal, report.address, now)
        if message is None:
            continue
        mark, address = str(message.public_id), message.to_address
        if isinstance(report, Complained):
            known.append(Complained(mark, "", address))
        else:
            known.append(Bounced(mark, "", address, report.kind, report.hard, report.code, report.text))
    return known


def marks_of(signal: MailReceived) -> tuple[str, ...]:
    """What may be our mark in a report: of the UUIDs that it refers to and then writes, whose servers add some of their own."""
    return marks_in(f"{signal.header('In-Reply-To')} {signal.header('References')} {signal.text}")


def _unmarked(signal: MailReceived, address: str, now: datetime) -> Message | None:
    """The last mail to this address, when it is a few days old at most and the report comes from where it went or left."""
    address = normalised(address)
    if "@" not in address or not _comes_from_there(signal, address):
        return None
    lately = Message.objects.filter(channel="email", to_address=address, created_at__gte=now - WRITTEN_LATELY)
    found: Message | None = lately.exclude(sending_started_at=None).order_by("-id").first()
    return found


def _comes_from_there(signal: MailReceived, address: str) -> bool:
    """The first Received-SPF is the receiving server's own; those below it came with the mail and prove nothing."""
    result = signal.header("Received-SPF")
    if not _PASSED.search(result):
        return False
    checked = {each.lower().rstrip(".") for each in _CHECKED.findall(result)}
    ours = Sender.objects.filter(channel="email", provider="smtp").values_list("config__host", flat=True)
    expected = {address.rpartition("@")[2], *(str(host).lower() for host in ours if host)}
    return any(one == end or one.endswith(f".{end}") for one in checked for end in expected)


def as_mail(signal: MailReceived) -> bytes:
    """The mail as one text part: an inbound webhook passes on headers and readable text, not the parts themselves."""
    kept = [(name, value) for name, value in signal.headers if name.lower() not in _ABOUT_PARTS]
    lines = [f"{name}: {' '.join(value.split())}" for name, value in kept if name and ":" not in name]
    lines += [f"From: {signal.sender}", f"Subject: {' '.join(signal.subject.split())}"]
    head = "\n".join([*lines, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"])
    text = signal.text if signal.text.strip() else text_of_html(signal.html)
    return f"{head}\n\n{text}".encode("utf-8", "replace")
