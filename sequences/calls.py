"""How an AI call went: its end told by a status first and with all its words by the report, in either order.

Somebody who talked has answered: their sequences pause and their own words, never the assistant's, go through the gate.
A call that a person made to us has no message of ours; what they said in it counts just as much.
"""

from datetime import datetime

from django.db.models import F
from django.db.models.functions import Coalesce, Greatest
from django.urls import reverse

from contacts.locks import lock_contacts
from contacts.memory import find_inbound, record_interaction, shortened, update_interaction
from contacts.models import Contact, Interaction
from omnify.tenants.events import record
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.notifications import notify
from sequences import matching, optouts, states
from sequences.codes import Verdict, vapi
from sequences.failures import Failure
from sequences.listening import Words, heard
from sequences.models import Message, ProviderEvent
from sequences.reports import merge
from sequences.signals import CallEnded, CallProgress, SetAside
from sequences.touches import note_touch

# A call's outcome as the conversation shows it.
DISPOSITION = {
    "call_completed": "answered",
    "call_voicemail": "voicemail",
    "call_no_answer": "no-answer",
    "call_busy": "busy",
    "call_canceled": "canceled",
}
NOBODY_THERE = ("call_voicemail", "call_no_answer", "call_busy")


def call_progress(signal: CallProgress, event: ProviderEvent, now: datetime) -> bool:
    """A call rings or is talked on. False when its message is not known (yet)."""
    message = matching.message_of(event.provider, signal.mark, signal.provider_id)
    if message is None:
        return bool(signal.caller)
    report = states.report(event.provider, signal.status)
    if report is not None:
        merge(message, report, now)
    return True


def call_ended(signal: CallEnded, event: ProviderEvent, now: datetime) -> bool | str:
    """A call is over. False when its message is not known (yet)."""
    message = matching.message_of(event.provider, signal.mark, signal.provider_id)
    if message is None and signal.caller:
        if signal.complete:
            _they_called(signal, event, now)
        return True
    if message is None and signal.withheld:
        # Without words there is nothing to keep; the status of the end comes before the report that has them.
        return _nobody_known(signal, event) if signal.complete and signal.said else True
    if message is None:
        return False
    meaning = vapi.ended(signal.reason)
    report, failure = states.report("vapi", "ended"), None
    if signal.reason:
        report = states.call_ended(meaning.delivered)
        if not meaning.delivered:
            verdict = Verdict(meaning.outcome, meaning.permanent, meaning.sender_fault)
            failure = Failure(verdict, signal.reason, signal.reason)
    if report is not None:
        merge(message, report, now, failure)
    if signal.complete:
        _write_down(message, signal, meaning, event, now)
    return True


def _nobody_known(signal: CallEnded, event: ProviderEvent) -> SetAside:
    """Somebody called from a withheld number and said something: a member reads it, since no conversation can hold it."""
    said = shortened(" ".join(signal.said), 300)
    notify(
        tenant_id=event.tenant_id,
        type=NotificationType.NEEDS_HUMAN,
        title="Somebody called from a withheld number",
        body=said,
        priority=Priority.HIGH,
        url=reverse("sequences:held"),
        provider_event=event.pk,
    )
    return SetAside(f"Somebody called from a withheld number, so it is nobody's conversation. They said: {said}")


def _write_down(message: Message, signal: CallEnded, meaning: vapi.Ended, event: ProviderEvent, now: datetime) -> None:
    """The report's words into the call's one place in the conversation, and to whom they matter."""
    contact = lock_contacts([message.contact_id])[0]
    spoke = bool(signal.said) and meaning.outcome not in NOBODY_THERE
    disposition = "answered" if spoke else DISPOSITION.get(meaning.outcome, "failed")
    note_touch(message, signal.provider_id, message.sending_started_at or event.received_at)
    touch = Interaction.objects.only("pk").get(message_id=message.pk)
    update_interaction(
        touch.pk,
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
        at = spoken_at(signal, event)
        Contact.objects.filter(pk=contact.pk).update(
            last_inbound_at=Greatest(Coalesce(F("last_inbound_at"), at), at), inbound_count=F("inbound_count") + 1
        )
        people = [contact, *(each for each in matching.people_at(message.to_address) if each.pk != contact.pk)]
        heard(people, Words("\n".join(signal.said), "voice", message.to_address, event.received_at), now)
    if meaning.needs_human:
        optouts.hold_for_a_person([contact.pk])


def spoken_at(signal: CallEnded, event: ProviderEvent) -> datetime:
    """When what was said on a call was said: at its end, and never after we heard of it, whatever the provider's clock says. A
    time to come would make every later word of theirs, their START too, look older."""
    return min(signal.ended_at or event.received_at, event.received_at)


def _they_called(signal: CallEnded, event: ProviderEvent, now: datetime) -> None:
    """A call that somebody made to us, into their conversation, once. Who said nothing and is not known is not written down."""
    if matching.is_ours(signal.caller) or find_inbound(signal.provider_id) is not None:
        return
    people = matching.people_at(signal.caller)
    if not people and not signal.said:
        return
    people = people or matching.newcomer(signal.caller, "voice", now)
    at = spoken_at(signal, event)
    record_interaction(
        tenant_id=event.tenant_id,
        contact_id=people[0].pk,
        channel="voice",
        direction="inbound",
        at=at,
        body=signal.transcript,
        outcome="answered",
        provider_id=signal.provider_id,
        content_summary=signal.summary,
        call_duration_seconds=signal.seconds,
        call_disposition="answered",
    )
    if signal.said:
        heard(people, Words("\n".join(signal.said), "voice", signal.caller, at, event.sender), now)
    if vapi.ended(signal.reason).needs_human:
        optouts.hold_for_a_person([contact.pk for contact in people])
