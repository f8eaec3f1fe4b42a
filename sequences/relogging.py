"""What a provider's log says has left, written into a database that may not know of it. Safe to repeat.

An entry is one of our messages if it has our provider id, or our mark, or, where the log carries no mark (Twilio), if it has
the words and the address of a message that waits. Anything else left after the backup was made: it becomes a message of the
person it went to, so that later reports and answers find it, and what would decide the same step again is put before a person.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from omnify.tenants.context import tenant_context
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.notifications import notify
from sequences import matching, optouts, states
from sequences.addressing import fingerprint_of
from sequences.models import Enrollment, Message, Sender, Task
from sequences.models.enrollment import OPEN_STATUSES
from sequences.outcome import apply_report
from sequences.touches import note_touch
from sequences.transports.base import Logged
from sequences.wording import NOUNS

# What a message can be in while the provider has it and we do not know.
OPEN = (states.READY, states.DEFERRED, states.CLAIMED, states.SENDING, states.UNKNOWN, states.HELD)
KNOWN, MATCHED, ADDED, ELSEWHERE = "known", "matched", "added", "elsewhere"
REASON = "restored"
TITLE = "Look at what was sent before sending goes on"
WHY = (
    "Omnify was restored from a backup. This person got a {noun} after the backup was made ({at:%Y-%m-%d %H:%M} UTC), so the next "
    "step could be one they have had already. Read the conversation and decide where they go on."
)


def note(sender: Sender, entries: Sequence[Logged], now: datetime) -> Counter[str]:
    """Writes down these entries of one sender's log; returns how many were known, matched to a message, or added."""
    found = Counter[str]()
    for entry in entries:
        with tenant_context(sender.tenant_id):
            found[_note(sender, entry, now)] += 1
    return found


def in_words(found: Counter[str]) -> str:
    words = {
        KNOWN: "known already",
        MATCHED: "found to be messages that waited here",
        ADDED: "added to their conversations, and put before a person",
        ELSEWHERE: "known through another sender",
    }
    return ", ".join(f"{count} {words[kind]}" for kind, count in sorted(found.items())) + "." if found else ""


def _note(sender: Sender, entry: Logged, now: datetime) -> str:
    message = Message.objects.filter(provider=sender.provider, provider_id=entry.provider_id).first()
    kind = KNOWN
    if message is None:
        if Message.objects.all_tenants().filter(provider=sender.provider, provider_id=entry.provider_id).exists():
            return ELSEWHERE  # two tenants at one account
        message = _ours(sender, entry)
        kind = MATCHED
    if message is None:
        message = _added(sender, entry, now)
        kind = ADDED
    if message.sending_started_at is None:
        Message.objects.filter(pk=message.pk).update(sending_started_at=entry.at)
    if kind == ADDED:
        _before_a_person(message, entry, now)
    note_touch(message, entry.provider_id, entry.at)
    report = states.report(sender.provider, entry.status) or states.Report(states.ACCEPTED, 10)
    if sender.provider == "vapi" and report.rank > 35:
        report = states.Report(states.SENT, 35)  # how it ended is for its report to say
    apply_report(
        tenant_id=sender.tenant_id,
        message_id=message.pk,
        provider=sender.provider,
        provider_id=entry.provider_id,
        report=report,
        now=now,
        reason=REASON,
    )
    return kind


def _ours(sender: Sender, entry: Logged) -> Message | None:
    """The message of ours that this entry is, by our mark, or by words and address."""
    rows = Message.objects.filter(channel=sender.channel, provider_id="")
    found: Message | None
    if entry.mark:
        found = rows.filter(public_id=UUID(entry.mark)).first()
        return found
    if sender.provider != "twilio":
        return None
    found = rows.filter(to_address=entry.to, body=entry.text, state__in=OPEN).order_by("pk").first()
    return found


def _added(sender: Sender, entry: Logged, now: datetime) -> Message:
    """A message that this database has never seen, as the log shows it."""
    people = matching.people_at(entry.to)
    # Somebody whose contact was lost with the database stays known as one who has heard from us.
    person = people[0] if people else matching.newcomer(entry.to, sender.channel, now)[0]
    given = {"public_id": UUID(entry.mark)} if entry.mark and not _taken(entry.mark) else {}
    message: Message = Message.objects.create(
        contact=person,
        channel=sender.channel,
        sender=sender,
        to_address=entry.to,
        subject=entry.subject[:998],
        body=entry.text or f"[sent {entry.at:%Y-%m-%d %H:%M} UTC; its words were lost with the database]",
        state=states.ACCEPTED,
        state_reason=REASON,
        state_at=now,
        created_at=entry.at,
        not_before=entry.at,
        expires_at=entry.at,
        sending_started_at=entry.at,
        attempt=1,
        provider=sender.provider,
        provider_id=entry.provider_id[:120],
        account=fingerprint_of(sender, sender.tenant_id),
        **given,
    )
    return message


def _taken(mark: str) -> bool:
    return Message.objects.all_tenants().filter(public_id=UUID(mark)).exists()


def _before_a_person(message: Message, entry: Logged, now: datetime) -> None:
    """Holds everything automatic for the people at this address, with one task each that says why."""
    ids = {message.contact_id, *(contact.pk for contact in matching.people_at(message.to_address))}
    open_ones = Enrollment.objects.filter(contact_id__in=ids, status__in=OPEN_STATUSES)
    enrolled = dict(open_ones.order_by("-pk").values_list("contact_id", "pk"))
    if not enrolled:
        return
    optouts.hold_for_a_person(list(enrolled))
    asked = Task.objects.filter(contact_id__in=enrolled, title=TITLE, done_at=None)
    told = set(asked.values_list("contact_id", flat=True))
    body = WHY.format(noun=NOUNS[message.channel], at=entry.at)
    for contact_id, enrollment_id in enrolled.items():
        if contact_id not in told:
            Task.objects.create(
                contact_id=contact_id, enrollment_id=enrollment_id, title=TITLE, body=body, created_at=now
            )


def tell(tenant_id: int) -> int:
    """Tells a tenant's members how many people wait for them after a restore; returns how many. In its context."""
    waiting = int(Task.objects.filter(title=TITLE, done_at=None).count())
    if waiting:
        notify(
            tenant_id=tenant_id,
            type=NotificationType.NEEDS_HUMAN,
            title=f"{waiting} people were written to after the backup was made",
            body="Omnify was restored from it. Their sequences wait until somebody has looked; a task for each says why.",
            priority=Priority.HIGH,
        )
    return waiting
