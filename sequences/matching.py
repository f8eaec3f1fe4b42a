"""Whose is it? A provider's event finds our message by our own mark first; a person's words find their contact by address."""

import re
from collections.abc import Sequence
from datetime import datetime

from contacts.addresses import normalised
from contacts.erasing import recall
from contacts.locks import lock_contacts, lock_contacts_having, lock_first_words
from contacts.models import Contact
from contacts.places import place_of
from omnify.tenants.events import record
from sequences.models import Message, Sender
from sequences.webhooks.base import marks_in

PROVIDERS = {
    "twilio": ("twilio",), "vapi": ("vapi",), "postmark": ("postmark", "smtp"), "sendgrid": ("sendgrid",), "ses": ("ses",),
}  # fmt: skip
CHANNEL = {"twilio": "sms", "vapi": "voice", "postmark": "email", "sendgrid": "email", "ses": "email"}


_NAMES = re.compile(r"<([\w-]{20,120})@(?:[\w-]+\.)*amazonses\.com>")
MOST_NAMES = 20


def message_of(provider: str, mark: str, provider_id: str) -> Message | None:
    """The current tenant's message that a provider speaks of, locked: by the mark we gave it, else by the provider's id.

    None: we do not know it (yet). The channel must be the provider's, so that no event can touch another kind of message.
    """
    rows = Message.objects.filter(channel=CHANNEL[provider]).select_for_update(of=("self",), no_key=True)
    found: Message | None = rows.filter(public_id=mark).first() if mark else None
    if found is None and provider_id:
        found = rows.filter(provider__in=PROVIDERS[provider], provider_id=provider_id).first()
    if found is not None and not found.provider_id and provider_id:
        # The callback was faster than our own note of the answer. Where it is another message's already, leave it there.
        own = found.provider or provider
        if not Message.objects.filter(provider=own, provider_id=provider_id).exists():
            found.provider, found.provider_id = own, provider_id[:120]
            Message.objects.filter(pk=found.pk).update(provider=found.provider, provider_id=found.provider_id)
    return found


def is_ours(address: str) -> bool:
    """Whether a text or mail came from one of the tenant's own senders: two machines talking, never a person."""
    # A handful, compared here: only we know that a domain in letters and its ASCII form are one.
    return normalised(address) in {normalised(each) for each in Sender.objects.values_list("address", flat=True)}


def people_at(address: str) -> list[Contact]:
    """The tenant's contacts with this address, locked, the one the conversation is with first.

    That is the one we wrote to last at this address. Deleted contacts are not people any more.
    """
    alive = [contact for contact in lock_contacts_having(address) if contact.deleted_at is None]
    if len(alive) < 2:
        return alive
    ways = {normalised(address), address}
    sent = dict(
        Message.objects.filter(contact_id__in=[contact.pk for contact in alive], to_address__in=ways)
        .order_by("contact_id", "id")
        .values_list("contact_id", "id")
    )
    return sorted(alive, key=lambda contact: (-sent.get(contact.pk, 0), contact.pk))


def answered(references: str, sender: str) -> list[Contact]:
    """Who answers a mail: the person we sent it to, whatever mailbox they answer from, then everybody with that address."""
    found = marked(marks_in(references))
    if found is None and (named := _NAMES.findall(references)):
        # Amazon SES gives mails a Message-ID of its own: there the id that it answered us with stands before the @.
        found = Message.objects.filter(provider="ses", provider_id__in=named[:MOST_NAMES], channel="email").first()
    return people_at(sender) if found is None else concerned(found, sender)


def marked(marks: Sequence[str]) -> Message | None:
    """The tenant's mail that carries the first of these marks that is one of ours."""
    found = {
        str(message.public_id): message for message in Message.objects.filter(public_id__in=marks, channel="email")
    }
    return next((found[mark] for mark in marks if mark in found), None)


def concerned(message: Message, address: str) -> list[Contact]:
    """The person a message was written to, whatever address they have now, then everybody who has this one."""
    people = people_at(address)
    if message.contact_id not in {contact.pk for contact in people}:
        people += [contact for contact in lock_contacts([message.contact_id]) if contact.deleted_at is None]
    return sorted(people, key=lambda contact: contact.pk != message.contact_id)


def newcomer(address: str, channel: str, now: datetime, *, name: str = "") -> list[Contact]:
    """A contact for somebody who wrote to us first, so that no word is lost. Nothing is sent to them by that.

    Another worker may be reading another first word of theirs at this moment: then its contact is the answer.
    """
    address = normalised(address)
    if address:
        lock_first_words(address)
        if known := people_at(address):
            return known
    first, _, last = name.strip().partition(" ")
    fields: dict[str, object] = {"email": address[:254]} if "@" in address else {"phone": address[:20]}
    if "phone" in fields:
        place = place_of(e164=address)
        fields |= {"zones": list(place.zones), "places": list(place.places)}
    contact: Contact = Contact.objects.create(
        first_name=first[:100], last_name=last[:100], source=f"inbound {channel}", **fields
    )
    recall([address])
    record(
        "contact.created",
        tenant_id=contact.tenant_id,
        now=now,
        actor="person",
        subject=contact,
        source=contact.source,
    )
    return [contact]
