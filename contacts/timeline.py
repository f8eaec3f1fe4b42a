"""Everything that happened with one person, newest first: what was said, what they allowed or forbade, what was changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from contacts.clearing import CONVERSATION
from contacts.models import Consent, Contact, Interaction, Suppression
from omnify.tenants.models import Event, RetentionMark

PAGE = 30
# Events of the ledger worth a line here; the conversation itself comes from Interaction.
EVENTS = {
    "contact.created": "Contact created",
    "contact.updated": "Details changed",
    "contact.tagged": "Tag added",
    "contact.untagged": "Tag taken off",
    "contact.opted_in": "Asked to hear from us again",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind`: interaction, consent, revocation, suppression or event; `row` is the model behind it; `day` is in the person's zone."""

    at: datetime
    kind: str
    channel: str
    row: Any
    words: str = ""
    day: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    entries: list[Entry]
    before: datetime | None  # where older entries follow
    kept_since: datetime | None = None  # older touches have no words any more: the workspace's term for them is over


def timeline(contact: Contact, zone: ZoneInfo, *, channel: str = "", before: datetime | None = None) -> Timeline:
    """One page of the person's history. Five queries, whatever its length."""
    everything = [
        *_interactions(contact, channel, before),
        *_consents(contact, zone, channel, before),
        *_suppressions(contact, channel, before),
        *(() if channel else _events(contact, before)),
    ]
    everything.sort(key=lambda entry: entry.at, reverse=True)
    shown = everything[:PAGE]
    # Entries of the same instant stay together: the next page begins strictly before them.
    shown += [entry for entry in everything[PAGE:] if entry.at == shown[-1].at]
    more = len(everything) > len(shown)
    kept_since = RetentionMark.objects.filter(kind=CONVERSATION).values_list("upto", flat=True).first()
    return Timeline(list(_by_day(shown, zone)), shown[-1].at if more else None, kept_since)


def _by_day(entries: Iterable[Entry], zone: ZoneInfo) -> Iterable[Entry]:
    last = ""
    for entry in entries:
        day = entry.at.astimezone(zone).strftime("%A, %-d %B %Y")
        yield Entry(entry.at, entry.kind, entry.channel, entry.row, entry.words, day if day != last else "")
        last = day


def _interactions(contact: Contact, channel: str, before: datetime | None) -> list[Entry]:
    rows = Interaction.objects.filter(
        contact=contact, **_limits("at", before), **({"channel": channel} if channel else {})
    )
    return [Entry(row.at, "interaction", row.channel, row) for row in rows.order_by("-at", "-id")[: PAGE + 10]]


def _consents(contact: Contact, zone: ZoneInfo, channel: str, before: datetime | None) -> list[Entry]:
    found = []
    for row in Consent.objects.filter(contact=contact, **({"channel": channel} if channel else {})).order_by("-id")[
        :100
    ]:
        # A day without a time stands at the beginning of that day where the person is.
        at = datetime.combine(row.given_on, time.min, zone) if row.given_on else row.given_at
        found.append(Entry(at, "consent", row.channel, row))
        if row.revoked_at:
            found.append(Entry(row.revoked_at, "revocation", row.channel, row))
    return [entry for entry in found if before is None or entry.at < before]


def _suppressions(contact: Contact, channel: str, before: datetime | None) -> list[Entry]:
    addresses = [address for address in (contact.email, contact.phone) if address]
    rows = Suppression.objects.filter(address__in=addresses, lifted_at__isnull=True, **_limits("created_at", before))
    return [
        Entry(row.created_at, "suppression", row.channel, row) for row in rows if not channel or row.channel == channel
    ]


def _events(contact: Contact, before: datetime | None) -> list[Entry]:
    rows = Event.objects.filter(subject_type="contact", subject_id=contact.pk, kind__in=EVENTS, **_limits("at", before))
    return [Entry(row.at, "event", "", row, _sentence(row)) for row in rows.order_by("-id")[: PAGE + 10]]


def _sentence(event: Event) -> str:
    words = EVENTS[event.kind]
    if tag := event.data.get("tag"):
        return f"{words}: {tag}"
    if changed := event.data.get("fields"):
        return f"{words}: {', '.join(name.removesuffix('_id').replace('_', ' ') for name in changed)}"
    return words


def _limits(column: str, before: datetime | None) -> dict[str, Any]:
    return {f"{column}__lt": before} if before else {}
