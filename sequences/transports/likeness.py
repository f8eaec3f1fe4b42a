"""Which of the texts that a provider lists is ours, where the list carries no mark of ours: exactly one, or none. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sequences.transports.base import Absent, CannotSay, Found


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text to the same person, from the same sender and time, that is no other message of ours."""

    provider_id: str
    status: str
    text: str = field(repr=False)


def choice(text: str, candidates: Iterable[Candidate], *, complete: bool) -> Found | Absent | CannotSay:
    """Found only if exactly one candidate has these very words, Absent only if there is no candidate at all, and either only
    of a `complete` list. Other words are no proof either way: a provider may have replaced characters."""
    free = list(candidates)
    equal = [each for each in free if each.text == text]
    if len(equal) == 1 and complete:
        return Found(equal[0].provider_id, equal[0].status)
    if free:
        return CannotSay(f"Twilio has {len(free)} texts to this person from that time that may be this one.")
    return Absent() if complete else CannotSay("Twilio's list is too long to read to its end.")
