"""May this person be reached at this moment, and if not, when? The intersection of every candidate zone and jurisdiction. Pure.

The sequence's own window narrows it further. Wall clocks are read exactly: an hour that spring skips opens at the first
instant after it, and of an hour that autumn has twice both are judged. What is asked for many people of one place at one
moment is worked out once.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final

from sequences.law import book
from sequences.law.rows import HoursRow, Span
from sequences.windows import CONTINENTAL, EVERY_DAY, Window, zone

MARKETING: Final = "marketing"
# Open at any hour: the law alone decides.
ANY_HOUR: Final = Window(EVERY_DAY, time.min, time.max)
# What nothing closes for so many days never opens: longer than any run of holidays on one weekday.
HORIZON_DAYS: Final = 32
_DAY: Final = 86_400_000_000  # microseconds
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_FOR_EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_OWN: Final = "window"
Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Person:
    """Where somebody may be: `zones` all candidate time zones, `places` all candidate jurisdictions (US-FL, CA-ON, GB)."""

    zones: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Objection:
    """One rule that forbids one moment on one clock: `local` is that clock ("Sun 10:00"), `hours` what the rule allows that
    day ("09:00–19:00", "" for nothing). The rule "window" is the sequence's own."""

    rule: str
    zone: str
    local: str
    hours: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`next`: the first allowed instant from now on, None when there is none in a month; `until`: when what is open now
    closes, else now. `rule_ids`: the rules that forbid it, or, when it is allowed, all that were asked. `why` says each
    objection. `closed`: the rules that leave the channel shut whatever the hour (a country without rows: "no-rule:DE")."""

    allowed: bool
    next: datetime | None
    until: datetime
    rule_ids: tuple[str, ...]
    why: tuple[Objection, ...] = ()
    closed: tuple[str, ...] = ()

    @property
    def permit(self) -> dict[str, Any]:
        """What is kept beside a message that was let through: the rules that were asked, and how long it held."""
        return {"rules": list(self.rule_ids), "until": self.until.isoformat()}

    @property
    def legal(self) -> tuple[str, ...]:
        """The rules of law among `rule_ids`: all but the sequence's own window."""
        return tuple(rule for rule in self.rule_ids if rule != _OWN)


def allowed(
    now: datetime, person: Person, channel: str, kind: str = MARKETING, window: Window = ANY_HOUR, home: str = "UTC"
) -> Verdict:
    """The verdict on sending `kind` to this person on this channel at `now`.

    `window` is the sequence's own; `home` the zone whose clock counts for e-mail to somebody of unknown zone. Only marketing
    is bound by hours and places: whoever wrote to us may be answered.
    """
    return judged(now, person.zones, person.places, channel, kind, window, home)


@lru_cache(maxsize=16_384)
def judged(
    now: datetime, zones: tuple[str, ...], places: tuple[str, ...], channel: str, kind: str, window: Window, home: str
) -> Verdict:
    """The same on plain values; people of one place share the answer."""
    if kind != MARKETING:
        return Verdict(True, now, _FOR_EVER, ())
    bound = book.jurisdictions(places, not places or (channel != "email" and not zones))
    shut = book.closed_by(bound, channel, now.date())
    if shut:
        return Verdict(False, None, now, shut, closed=shut)
    clocks = clocks_of(zones, bound, channel, now, home)
    opens, closes = _around(now, clocks, bound, channel, window)
    if opens == now:
        return Verdict(True, now, closes, _asked(now, clocks, bound, channel))
    why = _objections(now, clocks, bound, channel, window)
    return Verdict(False, opens, now, tuple(dict.fromkeys(each.rule for each in why)), why)


def clocks_of(
    zones: tuple[str, ...], bound: tuple[str, ...], channel: str, now: datetime, home: str
) -> tuple[str, ...]:
    """Every zone whose clock is read: the candidates, the continent's four for an unknown place, and those rules name."""
    if channel == "email":
        return zones or (home,)
    named = (row.zone for row in book.hours_rows(bound, channel, now.date()) if row.zone)
    return tuple(dict.fromkeys((*zones, *(CONTINENTAL if "unknown" in bound else ()), *named)))


def _around(
    now: datetime, clocks: tuple[str, ...], bound: tuple[str, ...], channel: str, window: Window
) -> tuple[datetime | None, datetime]:
    """The first open instant from `now` on, and when what is open now closes (`now` if nothing is)."""
    moment = _micros(now)
    today = moment // _DAY
    for day in range(today, today + HORIZON_DAYS):
        for start, end in _open_in(day, clocks, bound, channel, window):
            if end <= moment:
                continue
            if start > moment:
                return _moment(start), now
            return now, _moment(_end_of(end, day, clocks, bound, channel, window))
    return None, now


def _end_of(end: int, day: int, clocks: tuple[str, ...], bound: tuple[str, ...], channel: str, window: Window) -> int:
    """The end of a stretch that reaches `end` on `day`: it goes on where the next day begins open. Two days are enough."""
    for later in (day + 1, day + 2):
        if end != later * _DAY:
            return end
        ahead = _open_in(later, clocks, bound, channel, window)
        if not ahead or ahead[0][0] != end:
            return end
        end = ahead[0][1]
    return end


@lru_cache(maxsize=65_536)
def _open_in(
    day: int, clocks: tuple[str, ...], bound: tuple[str, ...], channel: str, window: Window
) -> tuple[Interval, ...]:
    """The stretches of one UTC day that are open on every clock, in microseconds since 1970."""
    open_: tuple[Interval, ...] = ((day * _DAY, (day + 1) * _DAY),)
    for name in clocks:
        open_ = _both(open_, _open_on(day, name, bound, channel, window))
    return open_


@lru_cache(maxsize=65_536)
def _open_on(day: int, name: str, bound: tuple[str, ...], channel: str, window: Window) -> tuple[Interval, ...]:
    """The stretches of one UTC day that are open on one zone's clock."""
    found: list[Interval] = []
    for start, end, offset in _offsets(name, day):
        first, last = start + offset, end + offset
        for local_day in range(first // _DAY, (last - 1) // _DAY + 1):
            span = _span(local_day, bound, channel, window)
            if span is None:
                continue
            opens = max(first, local_day * _DAY + span[0]) - offset
            closes = min(last, local_day * _DAY + span[1]) - offset
            if opens >= closes:
                continue
            if found and found[-1][1] == opens:
                found[-1] = (found[-1][0], closes)
            else:
                found.append((opens, closes))
    return tuple(found)


@lru_cache(maxsize=65_536)
def _span(local_day: int, bound: tuple[str, ...], channel: str, window: Window) -> Interval | None:
    """From when to when every rule and the window are open on a local day, in microseconds of the wall clock."""
    day = date.fromordinal(local_day + _EPOCH_ORDINAL)
    if day.weekday() not in window.days:
        return None
    start, end = _of_day(window.start), _of_day(window.end)
    if channel != "email":
        for row in book.hours_rows(bound, channel, day):
            span = hours_on(row, day)
            if span is None:
                return None
            start, end = max(start, _of_day(span[0])), min(end, _of_day(span[1]))
    return (start, end) if start < end else None


def hours_on(row: HoursRow, day: date) -> Span | None:
    """What a row allows on one local day."""
    if row.holidays and book.is_holiday(row.holidays, day):
        return row.holiday
    return (row.weekday, row.saturday, row.sunday)[max(0, day.weekday() - 4)]


@lru_cache(maxsize=65_536)
def _offsets(name: str, day: int) -> tuple[tuple[int, int, int], ...]:
    """The pieces (from, to, offset from UTC) of one UTC day in which a zone's clock runs without a jump."""
    place = zone(name)

    def offset(second: int) -> int:
        away = (_EPOCH + timedelta(seconds=second)).astimezone(place).utcoffset() or timedelta()
        return (away.days * 86_400 + away.seconds) * 1_000_000

    first, last = day * 86_400, (day + 1) * 86_400
    before, after = offset(first), offset(last - 1)
    if before == after:
        return ((day * _DAY, (day + 1) * _DAY, before),)
    low, high = first, last - 1  # the jump lies in (low, high]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == before else (low, middle)
    return (day * _DAY, high * 1_000_000, before), (high * 1_000_000, (day + 1) * _DAY, after)


def _both(some: tuple[Interval, ...], others: tuple[Interval, ...]) -> tuple[Interval, ...]:
    return tuple((max(a, c), min(b, d)) for a, b in some for c, d in others if max(a, c) < min(b, d))


def _asked(now: datetime, clocks: tuple[str, ...], bound: tuple[str, ...], channel: str) -> tuple[str, ...]:
    """Every rule that was asked about an allowed moment: hours and consent, in the order of the book."""
    rules = dict.fromkeys(row.id for row in book.consent_rows(bound, channel, now.date()))
    for name in clocks if channel != "email" else ():
        day = now.astimezone(zone(name)).date()
        rules |= dict.fromkeys(row.id for row in book.hours_rows(bound, channel, day))
    return tuple(rules)


def _objections(
    now: datetime, clocks: tuple[str, ...], bound: tuple[str, ...], channel: str, window: Window
) -> tuple[Objection, ...]:
    """Each rule that forbids `now`, once for each clock it forbids it on; the law before the sequence's window."""
    legal: list[Objection] = []
    own: list[Objection] = []
    for name in clocks:
        local = now.astimezone(zone(name))
        said = f"{local:%a %H:%M}"
        clock = local.time()
        for row in book.hours_rows(bound, channel, local.date()) if channel != "email" else ():
            span = hours_on(row, local.date())
            if span is None or not span[0] <= clock < span[1]:
                legal.append(Objection(row.id, name, said, f"{span[0]:%H:%M}–{span[1]:%H:%M}" if span else ""))
        if not window.open_at(local):
            kept = local.weekday() in window.days
            own.append(Objection(_OWN, name, said, f"{window.start:%H:%M}–{window.end:%H:%M}" if kept else ""))
    return (*legal, *own)


def _micros(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _of_day(clock: time) -> int:
    if clock == time.max:
        return _DAY
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * 1_000_000 + clock.microsecond
