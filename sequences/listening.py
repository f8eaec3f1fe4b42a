"""What a person said, on any channel, and what it stops at once: stored, paused, read by the gate, in one transaction.

No model is asked here. The gate's verdict may forbid, hold and hand over; only START gives anything back, and only to the
number that wrote it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contacts.memory import find_inbound, record_interaction, shortened
from contacts.models import Contact
from contacts.permissions import started_after
from intelligence import gate
from intelligence.clean import is_auto_reply, visible_reply
from omnify.lib import live
from omnify.tenants.events import record
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.notifications import notify
from sequences import matching, optouts, returned
from sequences.models import ProviderEvent, Sender
from sequences.signals import MailReceived, TextReceived

PHONE = ("sms", "voice")
# A short text is quoted whole: "please stop texting me" says more than the two words that decided. Of a long one, those.
QUOTED_WHOLE = 160
# Verdicts on which a member must look before anything else goes out, and how they are told.
NEEDS_A_PERSON = {
    "hold": ("may want us to stop; please look", Priority.HIGH),
    "complaint": ("complains", Priority.URGENT),
    "wrong_number": ("says this is the wrong number", Priority.NORMAL),
    "human": ("asks for a person", Priority.HIGH),
}
# Why a waiting message of theirs is cancelled; any other words are a reply.
CANCELS_AS = {"opt_out": optouts.OPTED_OUT, "complaint": "complaint", "wrong_number": "wrong_number"}


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody said, where, and through which sender of ours. `keyword`: the provider acted upon it and answered already."""

    text: str
    channel: str
    address: str
    at: datetime
    sender: Sender | None = None
    subject: str = ""
    keyword: str = ""
    machine: bool = False


def text_received(signal: TextReceived, event: ProviderEvent, now: datetime) -> str:
    """Stores a text from a person and obeys it. Returns a remark for the event, "" for the usual case."""
    if matching.is_ours(signal.sender):
        return "It came from a number of our own."
    if find_inbound(signal.provider_id) is not None:
        return "It was heard before, through another of our accounts."
    people = matching.people_at(signal.sender) or matching.newcomer(signal.sender, "sms", now)
    body = signal.body or (f"[{signal.media} pictures or files]" if signal.media else "")
    record_interaction(
        tenant_id=event.tenant_id,
        contact_id=people[0].pk,
        channel="sms",
        direction="inbound",
        at=event.received_at,
        body=body,
        outcome="replied",
        provider_id=signal.provider_id,
    )
    words = Words(signal.body, "sms", signal.sender, event.received_at, event.sender, keyword=signal.keyword)
    heard(people, words, now)
    return ""


def mail_received(signal: MailReceived, event: ProviderEvent, now: datetime) -> str:
    """Stores a mail and obeys what was written above the quoted thread. A machine's answer is no reply, but its STOP counts."""
    if matching.is_ours(signal.sender):
        return "It came from a mailbox of our own."
    if find_inbound(signal.provider_id) is not None:
        return "It was heard before, through another of our accounts."
    references = f"{signal.header('In-Reply-To')} {signal.header('References')}"
    headers = dict(signal.headers) | {"From": signal.sender}
    # What stands quoted below is of an earlier mail, perhaps a machine's.
    text = visible_reply(signal.text, html=signal.html) or signal.stripped
    machine = is_auto_reply(headers, signal.subject, text)
    if machine is not None and (reports := returned.reports(signal)):
        # A mail server's report, applied as what it reports where it is about a mail of ours.
        return "" if returned.proven(signal, reports, now) else returned.UNPROVEN
    people = matching.answered(references, signal.sender)
    if not people and machine is not None:
        return "A machine wrote it, and nobody here has its address."
    people = people or matching.newcomer(signal.sender, "email", now, name=signal.name)
    record_interaction(
        tenant_id=event.tenant_id,
        contact_id=people[0].pk,
        channel="email",
        direction="inbound",
        at=event.received_at,
        body=text,
        subject=signal.subject,
        outcome="auto_reply" if machine else "replied",
        provider_id=signal.provider_id,
    )
    words = Words(text, "email", signal.sender, event.received_at, event.sender, signal.subject, machine=bool(machine))
    heard(people, words, now)
    return ""


def heard(people: Sequence[Contact], words: Words, now: datetime) -> None:
    """Pauses these people's sequences, tells the tenant, and does what the gate says. Nobody is touched by it but by keywords."""
    tenant_id, ids, owner = people[0].tenant_id, [contact.pk for contact in people], people[0]
    found = gate.read(words.text, channel=words.channel, subject=words.subject)  # type: ignore[arg-type]
    if words.machine and found.verdict != "opt_out":
        return
    verdict = {"STOP": "opt_out", "START": "opt_in", "HELP": "help"}.get(words.keyword, found.verdict)
    if not words.machine:
        optouts.pause_for_reply(ids, now=words.at)
        optouts.cancel_waiting(ids, now=now, reason=CANCELS_AS.get(verdict, optouts.REPLIED))
        record("contact.replied", tenant_id=tenant_id, now=now, actor="person", subject=owner, channel=words.channel)
    match verdict:
        case "opt_out":
            _opted_out(people, words, found, now)
        case "opt_in" if words.channel == "sms":
            lifted = optouts.opt_in(words.address, tenant_id=tenant_id, source="sms", said_at=words.at, now=now)
            if lifted and not words.keyword:
                optouts.confirm_opt_in(owner, words.address, sender=words.sender, now=now)
            _told(owner, words, NotificationType.REPLY, "wants to hear from us again")
        case "help" if words.channel == "sms":
            if not words.keyword:
                optouts.answer_help(owner, words.address, sender=words.sender, now=now)
            _told(owner, words, NotificationType.REPLY, "asked for help")
        case "complaint" | "wrong_number" | "hold" | "human":
            _needs_a_person(people, words, found, now)
        case _:
            _told(owner, words, NotificationType.REPLY, "answered")
    for contact in people:
        live.hint(tenant_id, f"contact:{contact.public_id}")
    live.hint(tenant_id, "phone")


def _opted_out(people: Sequence[Contact], words: Words, found: gate.Gate, now: datetime) -> None:
    scope = tuple(found.scope) if found.verdict == "opt_out" else PHONE
    # Found late: what counts is the order in which they said it, by the provider's time. Of one moment the STOP wins.
    came_back_at = started_after(words.address, words.at)
    were_open = optouts.still_open(people[0].tenant_id, words.address) if came_back_at else ()
    newly = optouts.opt_out(
        people,
        tenant_id=people[0].tenant_id,
        address=words.address,
        channels=scope,
        reason="opted_out",
        source=words.channel,
        quote=quote_of(words.text, found) or words.text,
        now=now,
        came_back_at=came_back_at,
    )
    if came_back_at is not None:
        optouts.came_back(
            words.address, tenant_id=people[0].tenant_id, were_open=were_open, source=words.channel, now=now
        )
        _told(people[0], words, NotificationType.OPT_OUT, "opted out, and came back after that", Priority.NORMAL)
        return
    # One confirmation for each suppression in force, none where the provider has answered the keyword itself, and none for
    # words that were found late: it is presumed fine for five minutes only.
    fresh = now - words.at <= optouts.CONFIRM_WITHIN
    if "sms" in newly and words.channel == "sms" and not words.keyword and fresh:
        optouts.confirm_opt_out(people[0], words.address, sender=words.sender, now=now)
    _told(people[0], words, NotificationType.OPT_OUT, "opted out", Priority.NORMAL)


def quote_of(text: str, found: gate.Gate) -> str:
    """The words that a suppression, and every receipt that rests on it, quotes."""
    return text if found.quote in text and len(text) <= QUOTED_WHOLE else found.quote


def _needs_a_person(people: Sequence[Contact], words: Words, found: gate.Gate, now: datetime) -> None:
    # A threat closes everything, a wrong number the phone, a complaint about a bill nothing.
    closes = tuple(found.scope)
    if closes and found.verdict in {"complaint", "wrong_number"}:
        # A wrong number closes that number alone: the person meant may still be reached elsewhere.
        whose = people if found.verdict == "complaint" else ()
        optouts.opt_out(
            whose,
            tenant_id=people[0].tenant_id,
            address=words.address,
            channels=closes,
            reason=found.verdict,
            source=words.channel,
            quote=quote_of(words.text, found),
            now=now,
        )
    optouts.hold_for_a_person([contact.pk for contact in people])
    what, priority = NEEDS_A_PERSON[found.verdict]
    _told(people[0], words, NotificationType.NEEDS_HUMAN, what, priority)


def _told(contact: Contact, words: Words, kind: str, what: str, priority: str = Priority.NORMAL) -> None:
    notify(
        tenant_id=contact.tenant_id,
        type=kind,
        title=f"{contact} {what}",
        body=shortened(words.text, 200),
        priority=priority,
        url=contact.get_absolute_url(),
        contact=str(contact.public_id),
        channel=words.channel,
    )
