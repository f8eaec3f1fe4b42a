"""What became of what we sent: a provider's reports merged into the message by rank, and written into the conversation.

Every function returns False when it does not know the message (yet). Twice, late, and in any order: one final state.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce, Greatest

from contacts.addresses import normalised
from contacts.locks import having, lock_contacts
from contacts.memory import record_interaction, shortened, update_interaction
from contacts.models import Contact, Interaction
from contacts.models.people import PhoneType
from omnify.lib import live
from omnify.tenants.context import require_tenant_id
from omnify.tenants.events import record
from sequences import matching, optouts, states
from sequences.codes import Verdict, mail, twilio, vapi
from sequences.listening import Words, heard
from sequences.models import Message, ProviderEvent
from sequences.signals import Bounced, CallEnded, CallProgress, Clicked, Complained, Opened, StatusChanged
from sequences.touches import note_touch

# A call's outcome as the conversation shows it.
DISPOSITION = {
    "call_completed": "answered",
    "call_voicemail": "voicemail",
    "call_no_answer": "no-answer",
    "call_busy": "busy",
    "call_canceled": "canceled",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message did not arrive, in our words and the provider's."""

    verdict: Verdict
    code: str = ""
    text: str = ""


def status_changed(signal: StatusChanged, event: ProviderEvent, now: datetime) -> bool:
    """A text or a mail has come further. A status nobody knows changes nothing."""
    message = matching.message_of(event.provider, signal.mark, signal.provider_id)
    if message is None:
        return False
    report = states.report(event.provider, signal.status)
    if report is not None:
        failure = None
        if report.state == states.UNDELIVERED:
            failure = Failure(twilio.verdict(signal.error_code), signal.error_code, signal.error_text)
        merge(message, report, now, failure)
    return True


def merge(message: Message, report: states.Report, now: datetime, failure: Failure | None = None) -> bool:
    """Applies one report to a locked message. False when the message had come further already."""
    merged = states.merge(message.state, message.status_rank, report)
    if merged is None:
        return False
    message.state, message.status_rank = merged
    changes: dict[str, Any] = {"state": message.state, "status_rank": message.status_rank, "state_reason": ""}
    if failure is not None:
        changes |= {
            "failure_type": failure.verdict.failure_type,
            "permanent": failure.verdict.permanent,
            "error_code": failure.code[:60],
            "error_text": shortened(failure.text, 500),
        }
    elif message.state == states.DELIVERED:
        # A failure reported before the delivery was a rumour.
        changes |= {"failure_type": "", "permanent": None, "error_code": "", "error_text": ""}
    Message.objects.filter(pk=message.pk).update(state_at=now, **changes)
    note_touch(message, message.provider_id, now)
    told(message, message.state if failure is None else "bounced" if message.channel == "email" else "undelivered")
    if failure is not None:
        failed(message, failure, now)
    return True


def failed(message: Message, failure: Failure, now: datetime) -> None:
    """What a failure says about the person's address is true for every contact with it."""
    verdict = failure.verdict
    people = Contact.objects.filter(having(message.to_address))
    if verdict.failure_type == "opted_out":
        provider_says_opted_out(message.to_address, message.channel, f"provider: {failure.code}", now)
    elif verdict.failure_type == "landline":
        people.update(phone_type=PhoneType.LANDLINE)
    elif verdict.failure_type == "invalid_number" and verdict.permanent:
        people.filter(phone=normalised(message.to_address)).update(phone_valid=False)
    elif verdict.failure_type == "email_bounced" and verdict.permanent:
        people.filter(email=normalised(message.to_address)).update(email_valid=False)
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


def told(message: Message, outcome: str) -> None:
    """The outcome in the conversation, and a hint to pages that show it."""
    Interaction.objects.filter(message_id=message.pk).exclude(outcome__in=("opened", "clicked")).update(outcome=outcome)
    public_id = Contact.objects.filter(pk=message.contact_id).values_list("public_id", flat=True).first()
    if public_id is not None:
        live.hint(message.tenant_id, f"contact:{public_id}")


def bounced(signal: Bounced, event: ProviderEvent, now: datetime) -> bool:
    """A mail came back. Without its message the mailbox is still marked, when the refusal was for good."""
    if signal.kind in mail.POSTMARK_BOUNCES:
        verdict = mail.postmark_bounce(signal.kind, signal.hard)
    else:
        verdict = mail.HARD if signal.hard else mail.SOFT
    message = matching.message_of(event.provider, signal.mark, signal.provider_id)
    report = states.report("postmark", "bounced")
    if message is not None and report is not None:
        merge(message, report, now, Failure(verdict, signal.code, signal.text))
    if verdict.permanent and signal.address:
        # Also when the mail counted as delivered before: some servers accept first and refuse later.
        Contact.objects.filter(email=normalised(signal.address)).update(email_valid=False)
        return True
    return message is not None


def complained(signal: Complained, event: ProviderEvent, now: datetime) -> bool:
    """Marked as spam: no more mail to them, whether or not we know which mail it was."""
    message = matching.message_of(event.provider, signal.mark, signal.provider_id)
    if message is not None:
        _reported(message, "complained", now)
    address = signal.address or (message.to_address if message else "")
    if not address:
        return False
    optouts.opt_out(
        matching.people_at(address),
        tenant_id=event.tenant_id,
        address=address,
        channels=("email",),
        reason="complaint",
        source="provider",
        quote="marked as spam",
        now=now,
        actor="provider",
    )
    return True


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


def opened(signal: Opened, event: ProviderEvent, now: datetime) -> bool:
    """The first open counts; more of them are the same reading, or a scanner's."""
    return _engaged(signal, event, "opened", signal.at or event.received_at, now)


def clicked(signal: Clicked, event: ProviderEvent, now: datetime) -> bool:
    return _engaged(signal, event, "clicked", signal.at or event.received_at, now)


def _engaged(signal: Opened | Clicked, event: ProviderEvent, what: str, at: datetime, now: datetime) -> bool:
    message = matching.message_of(event.provider, signal.mark, signal.provider_id)
    if message is None:
        return False
    _reported(message, what, now)
    touch = Interaction.objects.filter(message_id=message.pk)
    touch.filter(**{f"{what}_at__isnull": True}).update(**{f"{what}_at": at})
    rest = touch if what == "clicked" else touch.exclude(outcome="clicked")
    rest.update(outcome=what)
    return True


def _reported(message: Message, word: str, now: datetime) -> None:
    report = states.report("postmark", word)
    if report is not None:
        merge(message, report, now)


def call_progress(signal: CallProgress, event: ProviderEvent, now: datetime) -> bool:
    message = matching.message_of(event.provider, signal.mark, signal.provider_id)
    if message is None:
        return False
    report = states.report(event.provider, signal.status)
    if report is not None:
        merge(message, report, now)
    return True


def call_ended(signal: CallEnded, event: ProviderEvent, now: datetime) -> bool:
    """The end of a call, told by its status first and with all its words by the report, in either order."""
    message = matching.message_of(event.provider, signal.mark, signal.provider_id)
    if message is None:
        return False
    meaning = vapi.ended(signal.reason)
    if not signal.reason:
        report = states.report("vapi", "ended")
        failure = None
    else:
        report = states.call_ended(meaning.delivered)
        kind = Verdict(meaning.outcome, meaning.permanent, meaning.sender_fault)
        failure = None if meaning.delivered else Failure(kind, signal.reason, signal.reason)
    if report is not None:
        merge(message, report, now, failure)
    if not signal.complete:
        return True
    contact = lock_contacts([message.contact_id])[0]
    spoke = bool(signal.said) and meaning.outcome not in ("call_voicemail", "call_no_answer", "call_busy")
    disposition = "answered" if spoke else DISPOSITION.get(meaning.outcome, "failed")
    update_interaction(
        call_of(message, signal, event).pk,
        content_body=signal.transcript,
        content_summary=signal.summary,
        call_duration_seconds=signal.seconds,
        call_disposition=disposition,
        outcome=disposition,
    )
    record(
        "call.ended",
        tenant_id=message.tenant_id,
        now=now,
        actor="provider",
        subject=message,
        outcome=meaning.outcome,
        seconds=signal.seconds,
        contact_id=message.contact_id,
        enrollment_id=message.enrollment_id,
    )
    if spoke and contact.deleted_at is None:
        at = signal.ended_at or event.received_at
        Contact.objects.filter(pk=contact.pk).update(
            last_inbound_at=Greatest(Coalesce(F("last_inbound_at"), at), at), inbound_count=F("inbound_count") + 1
        )
        people = [contact, *(each for each in matching.people_at(message.to_address) if each.pk != contact.pk)]
        heard(people, Words("\n".join(signal.said), "voice", message.to_address, event.received_at), now)
    if meaning.needs_human:
        optouts.hold_for_a_person([contact.pk])
    return True


def call_of(message: Message, signal: CallEnded, event: ProviderEvent) -> Interaction:
    """The call's one place in the conversation; made here when the report is faster than our own note of the call."""
    found: Interaction | None = Interaction.objects.filter(message_id=message.pk).first()
    return found or record_interaction(
        tenant_id=message.tenant_id,
        contact_id=message.contact_id,
        channel="voice",
        direction="outbound",
        at=message.sending_started_at or event.received_at,
        enrollment_id=message.enrollment_id,
        step_id=message.step_id,
        message_id=message.pk,
        provider_id=signal.provider_id,
    )
