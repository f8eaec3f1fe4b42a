"""A provider's reports on what we sent, applied: how far it came, that it came back, that it was read.

Every function returns False when it does not know the message (yet). Twice, late, and in any order: one final state.
"""

from datetime import datetime

from contacts.models import Contact, Interaction
from omnify.lib import live
from sequences import matching, optouts, states
from sequences.codes import mail, twilio
from sequences.failures import Failure, failed, mailbox_is_gone
from sequences.models import Message, ProviderEvent
from sequences.models.message import EventState
from sequences.outcome import apply_report
from sequences.signals import Bounced, Clicked, Complained, Opened, StatusChanged
from sequences.touches import note_touch


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
        merge(message, report, now, failure, told_at=event.received_at)
    return True


def merge(
    message: Message,
    report: states.Report,
    now: datetime,
    failure: Failure | None = None,
    *,
    told_at: datetime | None = None,
) -> bool:
    """Applies one report, told at `told_at`, to a locked message, and what follows from it. False when the message had come
    further already."""
    verdict = failure.verdict if failure else None
    moved = apply_report(
        tenant_id=message.tenant_id,
        message_id=message.pk,
        provider=message.provider,
        provider_id=message.provider_id,
        report=report,
        now=now,
        failure_type=verdict.failure_type if verdict else "",
        error_code=failure.code if failure else "",
        error_text=failure.text if failure else "",
        permanent=verdict.permanent if verdict else None,
    )
    if moved:
        tell(message, "bounced" if failure and message.channel == "email" else report.state)
    if moved and failure is not None:
        failed(message, failure, now, told_at=told_at)
    return moved


def tell(message: Message, outcome: str) -> None:
    """The outcome in the conversation, and a hint to pages that show it."""
    Interaction.objects.filter(message_id=message.pk).exclude(outcome__in=("opened", "clicked")).update(outcome=outcome)
    public_id = Contact.objects.filter(pk=message.contact_id).values_list("public_id", flat=True).first()
    if public_id is not None:
        live.hint(message.tenant_id, f"contact:{public_id}")


def bounced(signal: Bounced, event: ProviderEvent, now: datetime) -> bool:
    """A mail came back. Without its message the mailbox is still marked, when the refusal was for good."""
    verdict = mail.bounce(signal.kind, signal.hard, signal.code, signal.text)
    message = matching.message_of(event.provider, signal.mark, signal.provider_id)
    report = states.report("postmark", "bounced")
    if message is not None and report is not None:
        merge(message, report, now, Failure(verdict, signal.code, signal.text), told_at=event.received_at)
    if verdict.permanent and verdict.failure_type == "email_bounced" and signal.address and not _looked_at(event):
        # Also when the mail counted as delivered before: some servers accept first and refuse later.
        mailbox_is_gone(signal.address)
    return message is not None or not _names_one(signal)


def complained(signal: Complained, event: ProviderEvent, now: datetime) -> bool:
    """Marked as spam: no more mail to them, whether or not we know which mail it was."""
    message = matching.message_of(event.provider, signal.mark, signal.provider_id)
    if message is not None:
        _reported(message, "complained", now)
    address = signal.address or (message.to_address if message else "")
    if address and (message is not None or not _looked_at(event)):
        optouts.opt_out(
            matching.concerned(message, address) if message else matching.people_at(address),
            tenant_id=event.tenant_id,
            address=address,
            channels=("email",),
            reason="complaint",
            source="provider",
            quote="marked as spam",
            now=now,
            actor="provider",
        )
    return message is not None or (bool(address) and not _names_one(signal))


def _looked_at(event: ProviderEvent) -> bool:
    """Whether it was applied before, but for what it says of a message that was not known yet."""
    return bool(event.state == EventState.UNMATCHED)


def _names_one(signal: Bounced | Complained) -> bool:
    return bool(signal.mark or signal.provider_id)


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
    note_touch(message, message.provider_id, now)
    touch = Interaction.objects.filter(message_id=message.pk)
    touch.filter(**{f"{what}_at__isnull": True}).update(**{f"{what}_at": at})
    rest = touch if what == "clicked" else touch.exclude(outcome="clicked")
    rest.update(outcome=what)
    return True


def _reported(message: Message, word: str, now: datetime) -> None:
    report = states.report("postmark", word)
    if report is not None:
        merge(message, report, now)
