"""A member's own words to a person, outside every sequence."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from contacts.models import Contact, Interaction
from contacts.models.conversation import Direction
from contacts.permissions import suppressed
from omnify.lib import live
from omnify.tenants.events import record
from sequences.drafting import By, actor_of
from sequences.models import Message, Sender
from sequences.models.message import Purpose

# A person waits for an answer: one that could not leave for so long is looked at again by its writer.
FRESH_FOR = timedelta(hours=24)


class CannotReply(Exception):
    """Why nothing can be written to this person on this channel; the message is for the writer."""


def reply_to(contact: Contact, *, channel: str, body: str, by: By, now: datetime, subject: str = "") -> Message:
    """Hands a member's own words to the wire at once. The wire's guards, suppression first, still decide. Raises CannotReply."""
    address = contact.address_for(channel)
    if channel not in ("sms", "email"):
        raise CannotReply("A reply is a text or an email.")
    if not body.strip():
        raise CannotReply("There is nothing to send yet.")
    if contact.deleted_at is not None or not address:
        raise CannotReply(f"There is no {'email address' if channel == 'email' else 'phone number'} for {contact}.")
    if suppressed(contact.tenant_id, [(channel, address)]):
        raise CannotReply(f"{contact} has opted out of this channel. Only they can change that, by writing START.")
    sender = Sender.objects.filter(channel=channel, is_default=True).first()
    if sender is None:
        raise CannotReply("No account is set up for this channel.")
    with transaction.atomic():
        message: Message = Message.objects.create(
            contact=contact,
            channel=channel,
            purpose=Purpose.REPLY,
            sender=sender,
            to_address=address,
            subject=(subject.strip() or _answered_subject(contact)) if channel == "email" else "",
            body=body.strip(),
            state_at=now,
            created_at=now,
            not_before=now,
            expires_at=now + FRESH_FOR,
        )
        record(
            "message.replied",
            tenant_id=contact.tenant_id,
            now=now,
            actor=actor_of(by),
            subject=message,
            channel=channel,
        )
        _wake(message)
    return message


def _answered_subject(contact: Contact) -> str:
    last = (
        Interaction.objects.filter(contact=contact, channel="email")
        .exclude(content_subject="")
        .values_list("content_subject", "direction")
        .first()
    )
    if last is None:
        return "A message for you"
    subject = last[0]
    answering = subject if subject.lower().startswith("re:") or last[1] != Direction.INBOUND else f"Re: {subject}"
    return answering[:998]


def _wake(message: Message) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('omnify_wake', %s)", [f"dispatch-{message.channel}"])
    live.hint(message.tenant_id, "sequences")
