"""What follows when a person takes their permission back, or gives it again: for the gate, the providers and the one-click link.

All in the caller's transaction: forbid, cancel what waits, let the engine end their sequences with a receipt, confirm once.
"""

from collections import abc
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Case, DateTimeField, Exists, OuterRef, Q, Value, When

from contacts.addresses import channels_of
from contacts.locks import lock_contacts_having
from contacts.models import Contact
from contacts.permissions import lift, note_start, suppress, suppressed
from omnify.tenants.models import Tenant
from sequences.models import Enrollment, Message, MessageState, Sender, Sequence
from sequences.models.enrollment import OPEN_STATUSES, EnrollmentStatus
from sequences.models.message import WAITING, Purpose

OPTED_OUT, REPLIED = "opted_out", "replied"
PHONE = ("sms", "voice")
# 47 CFR 64.1200(a)(12): one confirmation, presumed fine within five minutes of the revocation.
CONFIRM_WITHIN = timedelta(minutes=5)
# Two machines that text HELP to each other stop here.
HELP_AGAIN_AFTER = timedelta(minutes=5)


def opt_out(
    people: abc.Sequence[Contact],
    *,
    tenant_id: int,
    address: str,
    channels: abc.Collection[str],
    reason: str,
    source: str,
    quote: str = "",
    now: datetime,
    actor: str = "person",
    came_back_at: datetime | None = None,
) -> set[str]:
    """Forbids these channels to the address they came from and to these people's own; returns the channels newly forbidden.

    Their sequences end: one opt-out is meant for all of it (revoke-all, DA 26-12). What a provider has but has not sent is
    called back after the commit (subscribers of contact.opted_out). `reason` is also why their waiting messages are
    cancelled. `came_back_at`: words that were found late, and after which they said START then (came_back): what was begun
    since goes on. Idempotent.
    """
    newly: set[str] = set()
    for target, closed in addresses_to_close(people, address, channels).items():
        newly |= set(
            suppress(
                tenant_id=tenant_id,
                address=target,
                channels=closed,
                reason=reason,
                source=source,
                quote=quote,
                now=now,
                actor=actor,
            )
        )
    ids = [contact.pk for contact in people]
    # In this order: what a tick decided a moment ago is committed once its enrolment is ours, and so found by the second.
    end_sequences(ids, now=now, enrolled_before=came_back_at)
    cancel_waiting(ids, now=now, reason=reason)
    return newly


def still_open(tenant_id: int, address: str) -> tuple[str, ...]:
    """The channels that nothing forbids to this address now."""
    closed = suppressed(tenant_id, [(channel, address) for channel in channels_of(address)])
    return tuple(channel for channel in channels_of(address) if (channel, address) not in closed)


def came_back(address: str, *, tenant_id: int, were_open: abc.Collection[str], source: str, now: datetime) -> None:
    """Opens this address again after an opt-out that was said before their START, and found only after it. `were_open`: the
    channels that were open until then; what was closed already was closed by something later."""
    lift(tenant_id=tenant_id, address=address, channels=were_open, source=source, now=now)


def addresses_to_close(
    people: abc.Sequence[Contact], address: str, channels: abc.Collection[str]
) -> dict[str, tuple[str, ...]]:
    """address -> channels to forbid there: everything the words closed, at every address of these people that carries it."""
    closed: dict[str, tuple[str, ...]] = {}
    own = [
        each
        for contact in people
        for each in (contact.phone, contact.alternative_phone, contact.email, contact.alternative_email)
    ]
    for each in dict.fromkeys([address, *own]):
        reach = tuple(channel for channel in channels_of(each) if channel in channels) if each else ()
        if reach:
            closed[each] = reach
    return closed


def cancel_waiting(
    contact_ids: abc.Collection[int], *, now: datetime, reason: str, channels: abc.Collection[str] | None = None
) -> int:
    """Cancels these people's marketing messages (of these channels, or of all) that have not reached the wire; returns how many."""
    waiting = Message.objects.filter(contact_id__in=contact_ids, state__in=WAITING, purpose=Purpose.MARKETING)
    if channels is not None:
        waiting = waiting.filter(channel__in=channels)
    return waiting.update(state=MessageState.CANCELLED, state_reason=reason, state_at=now)


def pause_for_reply(contact_ids: abc.Collection[int], *, now: datetime) -> int:
    """Stops the automation for people who answered, until somebody decides. Returns how many enrolments it held.

    A parked enrolment stays parked, with the time of the reply; one that waits to be ended stays so.
    """
    open_ones = Enrollment.objects.filter(contact_id__in=contact_ids).exclude(status_reason=OPTED_OUT)
    open_ones.filter(status=EnrollmentStatus.FAILED).update(replied_at=now)
    # Where the sequence ends with a reply, the engine comes at once to take them out, with a receipt.
    ends = Exists(Sequence.objects.filter(pk=OuterRef("sequence_id"), exit_rules__on_reply="exit"))
    return open_ones.filter(status__in=(EnrollmentStatus.ACTIVE, EnrollmentStatus.PAUSED)).update(
        status=EnrollmentStatus.PAUSED,
        status_reason=REPLIED,
        replied_at=now,
        next_run_at=Case(When(ends, then=Value(now)), default=None, output_field=DateTimeField()),
    )


def end_sequences(contact_ids: abc.Collection[int], *, now: datetime, enrolled_before: datetime | None = None) -> int:
    """Hands these people's open enrolments to the engine, which ends each with a receipt that quotes the opt-out."""
    open_ones = Enrollment.objects.filter(contact_id__in=contact_ids, status__in=OPEN_STATUSES)
    if enrolled_before is not None:
        open_ones = open_ones.filter(enrolled_at__lt=enrolled_before)
    ended = open_ones.exclude(Q(status_reason=OPTED_OUT) & Q(next_run_at__isnull=False)).update(
        status=EnrollmentStatus.PAUSED, status_reason=OPTED_OUT, next_run_at=now
    )
    if ended:
        wake("tick")
    return ended


def hold_for_a_person(contact_ids: abc.Collection[int]) -> int:
    """Nothing automatic goes out in these enrolments until a member has looked."""
    return Enrollment.objects.filter(contact_id__in=contact_ids, status__in=OPEN_STATUSES).update(
        needs_human_intervention=True
    )


def opt_in(address: str, *, tenant_id: int, source: str, said_at: datetime, now: datetime) -> int:
    """The person's own START for this very number or mailbox. Their sequences stay ended; members may enrol them again.

    0 when something they said after it (`said_at`) was read before it: that may have been the STOP that counts.
    """
    later = [contact.last_inbound_at for contact in lock_contacts_having(address)]
    if any(at is not None and at > said_at for at in later):
        return 0
    channels = channels_of(address)
    if channels:
        note_start(address=address, channel=channels[0], said_at=said_at, now=now)
    return lift(tenant_id=tenant_id, address=address, channels=channels, source=source, now=now)


def confirm_opt_out(contact: Contact, address: str, *, sender: Sender | None, now: datetime) -> Message:
    """The one text that says it was heard: no marketing, and gone within five minutes or never."""
    text = "You are unsubscribed and will get no more texts or calls from us. Reply START if you change your mind."
    return _answer(contact, address, text, Purpose.CONFIRMATION, sender=sender, now=now)


def confirm_opt_in(contact: Contact, address: str, *, sender: Sender | None, now: datetime) -> Message:
    text = "You are subscribed again. Reply STOP at any time to end it, HELP for help."
    return _answer(contact, address, text, Purpose.CONFIRMATION, sender=sender, now=now)


def answer_help(contact: Contact, address: str, *, sender: Sender | None, now: datetime) -> Message | None:
    """Who we are and how to reach a human (CTIA's HELP). None if that was answered a moment ago."""
    since = now - HELP_AGAIN_AFTER
    if Message.objects.filter(contact=contact, purpose=Purpose.HELP, created_at__gt=since).exists():
        return None
    reach = Tenant.objects.get(pk=contact.tenant_id).support_contact
    text = f"For help contact {reach}. " if reach else ""
    text += "Reply STOP to get no more messages. Message and data rates may apply."
    return _answer(contact, address, text, Purpose.HELP, sender=sender, now=now)


def _answer(
    contact: Contact, address: str, text: str, purpose: str, *, sender: Sender | None, now: datetime
) -> Message:
    """A text the person asked for by a keyword, through the number they wrote to."""
    name = Tenant.objects.values_list("name", flat=True).get(pk=contact.tenant_id)
    message: Message = Message.objects.create(
        contact=contact,
        channel="sms",
        purpose=purpose,
        sender=sender,
        to_address=address,
        body=f"{name}: {text}",
        state_at=now,
        created_at=now,
        not_before=now,
        expires_at=now + CONFIRM_WITHIN,
    )
    wake("dispatch-sms")
    return message


def wake(what: str) -> None:
    """Wakes the cluster that this word belongs to (sequences.wakeups), when this transaction has committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('omnify_wake', %s)", [what])
