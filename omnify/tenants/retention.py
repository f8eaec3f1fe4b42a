"""How long what people said is kept. Pure.

Three terms: words (texts, mails, what was said on calls, and what was read out of it), raw (what providers and lists brought us,
notifications), and the words of people who were deleted. What remains afterwards is the record: who was written to or called,
when, on which channel, by which rule and consent, and what became of it. 16 CFR 310.5 asks for five years of such records,
so five years are also the words' term unless a workspace chooses another. Suppressions, consents and the ledger stay.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

FEWEST_WORDS, FEWEST_RAW = 30, 7
# The migration contacts.0011 says the same to the database.
ERASED_DAYS = 30

# What is removed, as people call it: the kinds that the floors sweep.
KINDS = {
    "messages": "Words of messages we sent",
    "conversation": "Words of conversations",
    "erased messages": "Words sent to people who were deleted",
    "erased conversation": "Conversations with people who were deleted",
    "reports": "Providers’ raw reports",
    "parked reports": "Raw reports that nobody decided about",
    "lists": "Leftovers of imported lists",
    "notifications": "Notifications",
}


class Term(StrEnum):
    WORDS = "words"
    RAW = "raw"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Terms:
    """A workspace's choice, in days. `words` None: for ever. `hold`: nothing goes, whatever its age."""

    words: int | None
    raw: int
    hold: bool

    def days(self, term: Term) -> int | None:
        """None: what is under this term is not removed."""
        if self.hold:
            return None
        return {Term.WORDS: self.words, Term.RAW: self.raw, Term.ERASED: ERASED_DAYS}[term]

    def cutoff(self, term: Term, now: datetime) -> datetime | None:
        """What is older than this goes. A midnight in UTC, so that a day's removal is one piece of work and one line in the ledger."""
        days = self.days(term)
        if days is None:
            return None
        return (now.astimezone(UTC) - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
