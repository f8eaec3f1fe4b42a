"""What a failed message says about the person's address, for everybody who has it: gone, a landline, opted out."""

from dataclasses import dataclass
from datetime import datetime

from contacts.addresses import normalised, spellings
from contacts.models import Contact
from contacts.models.people import PhoneType
from contacts.permissions import started_after
from omnify.tenants.context import require_tenant_id
from omnify.tenants.events import record
from sequences import matching, optouts
from sequences.codes import Verdict
from sequences.models import Message


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message did not arrive, in our words and the provider's."""

    verdict: Verdict
    code: str = ""
    text: str = ""


def failed(message: Message, failure: Failure, now: datetime, *, told_at: datetime | None = None) -> None:
    """Follows from one failure, refused at once or reported later, then `told_at`. Run inside the tenant's context."""
    verdict = failure.verdict
    # A finding about a number says nothing about people who have it only as their second one: the columns are of the first.
    people = Contact.objects.filter(phone__in=spellings(message.to_address)).exclude(phone="")
    if verdict.failure_type == "opted_out":
        why = f"provider: {failure.code}"
        provider_says_opted_out(message.to_address, message.channel, why, now, said_at=told_at)
    elif verdict.failure_type == "landline":
        people.update(phone_type=PhoneType.LANDLINE)
    elif verdict.failure_type == "invalid_number" and verdict.permanent:
        people.update(phone_valid=False)
    elif verdict.failure_type == "email_bounced" and verdict.permanent:
        mailbox_is_gone(message.to_address)
    record(
        "message.failed",
        tenant_id=message.tenant_id,
        now=now,
        actor="provider",
        subject=message,
        channel=message.channel,
        failure_type=verdict.failure_type,
        permanent=verdict.permanent,
        enrollment_id=message.enrollment_id,
        contact_id=message.contact_id,
    )


def mailbox_is_gone(address: str) -> int:
    """Marks the address as one that takes no mail; returns for how many contacts."""
    return Contact.objects.filter(email=normalised(address)).update(email_valid=False)


def provider_says_opted_out(
    address: str, channel: str, why: str, now: datetime, *, said_at: datetime | None = None
) -> int:
    """Follows a provider's own block list (21610, its STOP, a suppressed mailbox). Returns how many channels were newly closed.

    Run inside the tenant's context. A phone number that said STOP is closed for calls too. `said_at`: when the provider told
    us, where that may have been long ago; what the person opened again after it stays open.
    """
    tenant_id, people = require_tenant_id(), matching.people_at(address)
    came_back_at = started_after(address, said_at) if said_at is not None else None
    were_open = optouts.still_open(tenant_id, address) if came_back_at is not None else ()
    newly = optouts.opt_out(
        people,
        tenant_id=tenant_id,
        address=address,
        channels=("email",) if channel == "email" else optouts.PHONE,
        reason=optouts.OPTED_OUT,
        source="provider",
        quote=why,
        now=now,
        actor="provider",
        came_back_at=came_back_at,
    )
    if came_back_at is not None:
        optouts.came_back(address, tenant_id=tenant_id, were_open=were_open, source="provider", now=now)
    return len(newly)
