"""Provider events as they lie in the table, made without the door, and the rows they are about."""

import itertools
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from contacts.memory import record_interaction
from contacts.models import Contact
from omnify.tenants.context import tenant_context
from sequences.inbound import apply_waiting
from sequences.models import Message, ProviderEvent, Sender

_count = itertools.count(1)


def make_message(contact: Contact, sender: Sender, now: datetime, **fields: Any) -> Message:
    """A message of ours that the provider has accepted, with its place in the conversation."""
    channel = sender.channel
    with tenant_context(contact.tenant_id):
        message: Message = Message.objects.create(
            **{
                "contact": contact,
                "channel": channel,
                "sender": sender,
                "to_address": contact.address_for(channel),
                "body": "Hello Pat",
                "state": "accepted",
                "status_rank": 10,
                "provider": sender.provider,
                "provider_id": f"{channel}-{next(_count)}",
                "state_at": now,
                "created_at": now,
                "not_before": now,
                "expires_at": now,
            }
            | fields
        )
        record_interaction(
            tenant_id=contact.tenant_id,
            contact_id=contact.pk,
            channel=channel,
            direction="outbound",
            at=now,
            body=message.body,
            outcome="sent",
            message_id=message.pk,
            enrollment_id=message.enrollment_id,
        )
    return message


def told(
    sender: Sender, now: datetime, kind: str, body: str, *, mark: object = "", provider: str = ""
) -> ProviderEvent:
    """One stored event."""
    with tenant_context(sender.tenant_id):
        event: ProviderEvent = ProviderEvent.objects.create(
            sender=sender,
            provider=provider or {"smtp": "postmark"}.get(sender.provider, sender.provider),
            kind=kind,
            event_key=f"key-{next(_count)}",
            mark=str(mark),
            body=body,
            received_at=now,
        )
    return event


def text(sender: Sender, now: datetime, person: str, body: str, **fields: str) -> ProviderEvent:
    form = {"MessageSid": f"SM{next(_count)}", "From": person, "To": sender.address, "Body": body}
    return told(sender, now, "inbound", urlencode(form | fields))


def status(sender: Sender, now: datetime, message: Message, word: str, **fields: str) -> ProviderEvent:
    form = {"MessageSid": message.provider_id or "SM-late", "MessageStatus": word, "To": message.to_address}
    return told(sender, now, "status", urlencode(form | fields), mark=message.public_id)


def call(sender: Sender, now: datetime, message: Message, kind: str, **fields: Any) -> ProviderEvent:
    about = {"type": kind, "call": {"id": message.provider_id, "name": str(message.public_id)}} | fields
    return told(sender, now, "call", json.dumps({"message": about}), mark=message.public_id)


def report(sender: Sender, now: datetime, message: Message, reason: str, *said: str, **fields: Any) -> ProviderEvent:
    turns = [{"role": "bot", "message": "Hello, this is an AI assistant. You can say stop at any time."}]
    turns += [{"role": "user", "message": line} for line in said]
    words = {"bot": "AI", "user": "User"}
    given = {
        "endedReason": reason,
        "messages": turns,
        "transcript": "\n".join(f"{words[turn['role']]}: {turn['message']}" for turn in turns),
        "analysis": {"summary": "They talked."},
        "durationSeconds": 31.4,
    }
    return call(sender, now, message, "end-of-call-report", **given | fields)


def mail(sender: Sender, now: datetime, person: str, body: str, **fields: Any) -> ProviderEvent:
    headers = [{"Name": name, "Value": value} for name, value in fields.pop("headers", {}).items()]
    event = {
        "MessageID": f"in-{next(_count)}",
        "FromFull": {"Email": person, "Name": "Pat Doe"},
        "Subject": "Re: Hello",
        "TextBody": body,
        "Headers": headers,
    }
    return told(sender, now, "inbound", json.dumps(event | fields))


def tracked(sender: Sender, now: datetime, message: Message, record: str, **fields: Any) -> ProviderEvent:
    event = {"RecordType": record, "MessageID": str(message.public_id), "Recipient": message.to_address}
    return told(sender, now, "mail", json.dumps(event | fields), mark=message.public_id)


def apply_all(now: datetime) -> int:
    return apply_waiting(now)


def rows(model: Any, **filters: Any) -> list[Any]:
    return list(model.objects.all_tenants().filter(**filters).order_by("pk"))


def only(model: Any, **filters: Any) -> Any:
    (row,) = rows(model, **filters)
    return row
