"""What a person may choose on the page behind the link in their mails: which channels stay open, without a log-in.

Whoever holds the link may close any of the person's channels; re-open only the mailbox that the link was sent to, and only what
the person themselves had closed. A telephone is opened again by START from that very telephone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from contacts.addresses import normalised
from contacts.models import Contact, Suppression
from contacts.permissions import LASTING, lift, note_start, suppress
from sequences import matching, optouts
from sequences.models import Message

CHANNELS = ("email", "sms", "voice")
SOURCE = "preferences"
# Where a person's own words come from; what a list, a member or a provider closed is not theirs to have closed.
THEIR_OWN = ("sms", "email", "voice", SOURCE)
QUOTE = "preference page"


@dataclass(frozen=True, slots=True)
class Choice:
    """One channel as the person sees it. `reopens`: it is closed, and they may open it on this page."""

    channel: str
    address: str
    open: bool
    reopens: bool = False


def choices(message: Message) -> list[Choice]:
    """The channels of the person this mail went to, those that have an address. Run inside the tenant's context."""
    person = _person(message)
    phone = person.phone if person else ""
    addresses = {"email": message.to_address} | ({"sms": phone, "voice": phone} if phone else {})
    rows = Suppression.objects.filter(address__in={normalised(each) for each in addresses.values()}, lifted_at=None)
    closed = {(row.channel, row.address): row for row in rows}
    found = []
    for channel, address in addresses.items():
        row = closed.get((channel, normalised(address)))
        found.append(Choice(channel, address, row is None, row is not None and channel == "email" and _is_theirs(row)))
    return found


def stop(message: Message, channels: Collection[str], now: datetime) -> set[str]:
    """Closes these channels at all addresses of the person; returns those newly closed. Of everything their sequences end; of one
    channel they go on without it, because they chose so. Run inside the tenant's context."""
    with transaction.atomic():
        people = matching.concerned(message, message.to_address)
        if set(channels) >= set(CHANNELS):
            return optouts.opt_out(
                people,
                tenant_id=message.tenant_id,
                address=message.to_address,
                channels=CHANNELS,
                reason=optouts.OPTED_OUT,
                source=SOURCE,
                quote=QUOTE,
                now=now,
            )
        newly: set[str] = set()
        for address, reach in optouts.addresses_to_close(people, message.to_address, channels).items():
            for channel in reach:
                if suppress(
                    tenant_id=message.tenant_id,
                    address=address,
                    channels=(channel,),
                    reason=optouts.OPTED_OUT,
                    source=SOURCE,
                    quote=QUOTE,
                    now=now,
                    actor="person",
                ):
                    newly.add(channel)
        ids = [person.pk for person in people]
        optouts.cancel_waiting(ids, now=now, reason=optouts.OPTED_OUT, channels=channels)
    return newly


def reopen(message: Message, now: datetime) -> bool:
    """Lets mail to this very mailbox begin again, as START does for a telephone. False where it is not theirs to open."""
    address = normalised(message.to_address)
    with transaction.atomic():
        row = Suppression.objects.filter(channel="email", address=address, lifted_at=None).first()
        if row is None or not _is_theirs(row):
            return False
        note_start(address=address, channel="email", said_at=now, now=now)
        return bool(lift(tenant_id=message.tenant_id, address=address, channels=("email",), source=SOURCE, now=now))


def _is_theirs(row: Suppression) -> bool:
    return row.source in THEIR_OWN and row.reason not in LASTING


def _person(message: Message) -> Contact | None:
    found: Contact | None = Contact.objects.alive().filter(pk=message.contact_id).first()
    return found
