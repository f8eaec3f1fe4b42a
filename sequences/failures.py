"""What a failed message says about the person's address, for everybody who has it: gone, a landline, opted out."""

from dataclasses import dataclass
from datetime import datetime

from contacts.addresses import normalised, spellings
from contacts.models import Contact
from contacts.models.people import PhoneType
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


def failed(message: Message, failure: Failure, now: datetime) -> None:
    """Follows from one failure, refused at once or reported later. Run inside the tenant's context."""
    verdict = failure.verdict
    # A finding about a number says nothing about people who have it only as their second one: the columns are of the first.
    people = Contact.objects.filter(phone__in=spellings(message.to_address)).exclude(phone="")
    if verdict.failure_type == "opted_out":
        provider_says_opted_out(message.to_address, message.channel, f"provider: {failure.code}", now)
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


def provider_says_opted_out(address: str, channel: str, why: str, now: datetime) -> int:
    """Follows a provider's own block list (21610, its STOP, a suppressed mailbox). Returns how many channels were newly closed.

    Run inside the tenant's context. A phone number that said STOP is closed for calls too.
    """
    newly = optouts.opt_out(
        matching.people_at(address),
        tenant_id=require_tenant_id(),
        address=address,
        channels=("email",) if channel == "email" else optouts.PHONE,
        reason=optouts.OPTED_OUT,
        source="provider",
        quote=why,
        now=now,
        actor="provider",
    )
    return len(newly)
