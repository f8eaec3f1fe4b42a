"""Of the people chosen for a sequence, those in a country without rules: nothing will be sent to them, and it says so first."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from contacts.models import Contact
from sequences import law
from sequences.law.book import NO_RULE
from sequences.law.words import jurisdiction_name
from sequences.models import Sequence, Step

MESSAGES = ("sms", "email", "voice")


@dataclass(frozen=True, slots=True)
class Place:
    """A jurisdiction that is shut, its name, and how many of the chosen may be there."""

    code: str
    name: str
    people: int


@dataclass(frozen=True, slots=True)
class Closed:
    """`people` can be sent nothing by this sequence; somebody who may be in two closed places is counted once here."""

    people: int
    places: tuple[Place, ...]


def closed_to(sequence: Sequence, contact_ids: Iterable[int], now: datetime) -> Closed:
    """Those for whom the book of rules shuts every channel that the published version uses, at any hour. Two queries."""
    ids = list(contact_ids)
    steps = Step.objects.filter(version_id=sequence.published_id, enabled=True, kind__in=MESSAGES)
    channels = list(steps.order_by().values_list("kind", flat=True).distinct()) if ids else []
    if not channels:
        return Closed(0, ())
    people, found = 0, Counter[str]()
    alike = Contact.objects.filter(pk__in=ids).order_by().values_list("places").annotate(people=Count("pk"))
    for places, number in alike:
        shut = _shut(tuple(places or ()), channels, now)
        if shut:
            people += number
            found.update(dict.fromkeys(shut, number))
    return Closed(people, tuple(Place(code, jurisdiction_name(code), number) for code, number in found.most_common()))


def _shut(places: tuple[str, ...], channels: list[str], now: datetime) -> set[str]:
    """The jurisdictions that leave no channel open; empty where one of them is."""
    by_channel = [
        law.judged(now, (), places, channel, law.MARKETING, law.ANY_HOUR, "UTC").closed for channel in channels
    ]
    if not all(by_channel):
        return set()
    return {_jurisdiction(rule) for rules in by_channel for rule in rules}


def _jurisdiction(rule: str) -> str:
    return rule.removeprefix(NO_RULE) if rule.startswith(NO_RULE) else law.BY_ID[rule].jurisdiction
