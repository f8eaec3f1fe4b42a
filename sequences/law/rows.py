"""What a row of the law looks like: every rule that binds the engine is one of these, with its citation and its dates. Pure data.

Not legal advice: nobody who may practise law has signed these rows. Each says so, says where it was read, and falls due for
another reading 180 days after the last one; the tests fail from that day on.
"""

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Final

REVIEW_EVERY: Final = timedelta(days=180)
PHONE: Final = ("sms", "voice")
CHANNELS: Final = ("sms", "email", "voice")
# When these rows were last held against their sources, and by whom.
READ_ON: Final = date(2026, 11, 21)
READER: Final = "Omnify's engineers, from the pages named as source; not a lawyer"
# From when a row binds whose first day we do not know: long before anything Omnify ever sent.
ALWAYS: Final = date(2000, 1, 1)
COUNSEL: Final = "Not signed by counsel."

# Local hours: start <= t < end.
Span = tuple[time, time]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule. `id` names it on receipts and never changes; `jurisdiction` is a country (US), a state of it (US-FL) or
    "unknown"; `valid_to` is its last day. `citation` is the statute or rule, `source` where its content was read."""

    id: str
    jurisdiction: str
    channels: tuple[str, ...]
    citation: str
    source: str
    valid_from: date = ALWAYS
    valid_to: date | None = None
    reviewed_on: date = READ_ON
    reviewer: str = READER
    note: str = COUNSEL

    @property
    def kind(self) -> str:
        return _KINDS[type(self)]

    @property
    def country(self) -> str:
        return self.jurisdiction.partition("-")[0]

    @property
    def review_due(self) -> date:
        return self.reviewed_on + REVIEW_EVERY

    def in_force(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRow(Row):
    """Local hours in which a person may be texted or called; None: not at all that day. `holidays` names the list of days
    on which `holiday` holds instead of the weekday's hours; without a list holidays are days like any other. `zone`: the
    rule reads the clock of this zone as well, wherever in the state the person is."""

    weekday: Span | None
    saturday: Span | None
    sunday: Span | None
    holiday: Span | None = None
    holidays: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapRow(Row):
    """At most `count` texts and calls, together, in any stretch of time as long as `per`, on the same subject."""

    count: int
    per: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRow(Row):
    """What marketing on these channels needs: one of the kinds of consent in `needed` (contacts.models.ConsentKind), none
    when empty; and the sender's postal address in the message where `postal_address` is set."""

    needed: frozenset[str] = frozenset()
    postal_address: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedRow(Row):
    """These channels may not be used there at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayRow(Row):
    """A list of holidays: (name, when) pairs, `when` read by sequences.law.holidays. `observed`: how a holiday of a fixed
    date moves when it falls on a weekend: "nearest" weekday, "next" free weekday; the date itself stays a holiday, too."""

    days: tuple[tuple[str, str], ...] = field(default=())
    observed: str = "nearest"


_KINDS: Final[dict[type[Row], str]] = {
    HoursRow: "hours",
    CapRow: "cap",
    ConsentRow: "consent",
    ClosedRow: "closed",
    HolidayRow: "holidays",
}


def hours(start: str, end: str) -> Span:
    """A span from two clock times as people write them: hours("8:00", "21:00")."""
    return _clock(start), _clock(end)


def _clock(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute or 0))
