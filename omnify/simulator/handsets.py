"""What one tenant may see of the simulated people: its own contacts, and of their threads only what it sent or was sent.

The simulator serves all tenants and knows none. Two tenants may write to one number; each sees its own half.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from django.db.models import Q

from contacts.finding import Filters, found
from contacts.models import Contact
from omnify.simulator.people import normal
from sequences.models import Message, Sender

SHOWN = 60
# So many of the simulator's people, the most recent first, are looked up among the tenant's contacts.
LOOKED_UP = 2000

Summary = Mapping[str, Any]


@dataclass(frozen=True)
class Handset:
    """One contact with what the simulator knows of their number and mailbox."""

    contact: Contact
    summaries: list[Summary]

    @property
    def unread(self) -> int:
        return sum(each["unread"] for each in self.summaries)

    @property
    def temperament(self) -> str:
        return next((str(each["temperament"]) for each in self.summaries), "manual")

    @property
    def used(self) -> bool:
        return any(each["last"] for each in self.summaries)


@dataclass(frozen=True)
class Bubble:
    """One entry of a thread as the page shows it."""

    seq: int
    at: datetime
    channel: str
    received: bool
    subject: str = ""
    body: str = ""
    message_id: str = ""
    ours: str = ""
    turns: list[Mapping[str, str]] = field(default_factory=list)
    ended_reason: str = ""


def addresses_of(contact: Contact) -> list[str]:
    """The number and mailbox of a contact in the simulator's spelling, the alternative ones too; none twice."""
    given = (contact.phone, contact.email, contact.alternative_phone, contact.alternative_email)
    return list(dict.fromkeys(normal(each) for each in given if each))


def handsets(everyone: Iterable[Summary], search: str, *, now: datetime) -> list[Handset]:
    """The tenant's contacts as handsets: those who received something first, in that order, then the newest others.

    Run in the tenant's context. `everyone` is the simulator's list of people, the most recent first; `search` the contact
    list's own search.
    """
    known = {str(each["address"]): each for each in everyone}
    contacts = found(Filters(q=search), now=now).filter(Q(phone__gt="") | Q(email__gt=""))
    active = [address for address, each in known.items() if each["last"]][:LOOKED_UP]
    with_thread = list(contacts.filter(Q(phone__in=active) | Q(email__in=active))[:LOOKED_UP])
    used = [_handset(contact, known) for contact in with_thread]
    used.sort(key=lambda each: -max((one["last"] or {"seq": 0})["seq"] for one in each.summaries))
    rest = contacts.exclude(pk__in=[contact.pk for contact in with_thread]).order_by("-id")[:SHOWN]
    return (used + [_handset(contact, known) for contact in rest])[:SHOWN]


def _handset(contact: Contact, known: Mapping[str, Summary]) -> Handset:
    return Handset(contact, [known[address] for address in addresses_of(contact) if address in known])


def visible(threads: Iterable[Mapping[str, Any]]) -> list[Bubble]:
    """The entries of one contact's threads that belong to the current tenant, oldest first.

    Received: it carries the mark of a message of ours, or, for what a provider says by itself, comes from a number of ours.
    Sent: to an address of ours.
    """
    entries = [entry for thread in threads for entry in thread["entries"]]
    marks = {mark for entry in entries if (mark := _uuid(entry.get("mark")))}
    ours = {str(mark) for mark in Message.objects.filter(public_id__in=marks).values_list("public_id", flat=True)}
    mine = {normal(address) for address in Sender.objects.values_list("address", flat=True)}

    def belongs(entry: Mapping[str, Any]) -> bool:
        if entry["direction"] == "sent":
            return mailbox(entry.get("to", "")) in mine
        mark = _uuid(entry.get("mark"))
        return str(mark) in ours if mark else mailbox(entry.get("from", "")) in mine

    shown = {entry["seq"]: _bubble(entry) for entry in entries if belongs(entry)}
    return [shown[seq] for seq in sorted(shown)]


def mailbox(address: str) -> str:
    """The bare address of "Northwind <hello@northwind.example>", in the simulator's spelling; a number stays a number."""
    return normal(parseaddr(address)[1] if "@" in address else address)


def _bubble(entry: Mapping[str, Any]) -> Bubble:
    received = entry["direction"] == "received"
    return Bubble(
        seq=entry["seq"],
        at=datetime.fromisoformat(entry["at"]),
        channel={"call": "voice"}.get(entry["channel"], entry["channel"]),
        received=received,
        subject=entry.get("subject", ""),
        body=entry.get("body") or entry.get("first_message", ""),
        message_id=entry.get("message_id", ""),
        ours=entry.get("from" if received else "to", ""),
        turns=entry.get("turns", []),
        ended_reason=str(entry.get("ended_reason", "")).replace("-", " "),
    )


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
