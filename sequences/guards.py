"""May this message go on the wire at this moment? The policy of the wire, top to bottom; each "no" is a visible state. Pure.

Everything was checked when the message was decided; minutes or hours may lie between, so it is checked again, on facts read
after the locks were taken. A guard that raises means no: whoever calls judge() must not send then.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sequences import law, states
from sequences.limits import (
    NO_LIMITS,
    NONE_AT_ALL,
    Limits,
    Touch,
    answers_reached,
    call_under_way,
    calls_again,
    caps_for,
    reached,
)
from sequences.windows import Window, turn_after

# A text needs a moment to arrive: what would leave in the last 90 seconds of the window waits for the next one.
MARGIN = timedelta(seconds=90)
RECHECK = timedelta(minutes=5)
# How long a message waits for another to the same person: a request takes a moment, an uncertain one minutes.
SHORT_PAUSE, UNCERTAIN_PAUSE = timedelta(seconds=5), timedelta(seconds=60)
# Answers that the person has asked for, by texting STOP or HELP: they go out even though the address is suppressed.
ASKED_FOR = frozenset({"confirmation", "help"})
# While they are on the phone with us.
CALL_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class WireFacts:
    """What is true of one message now. `sender_*` are of the sender it will leave from; `in_flight` the state of another
    message to the same person that is on its way, "" if none is; `switched_off` the kill switch that is off, "" if none is;
    `touches` what reached this person, or may have, in the last week; `lot` the enrolment's id, which draws its turn after an opening."""

    channel: str
    purpose: str
    expires_at: datetime
    sending_on: bool
    tenant_enabled: bool
    tenant_mode: str
    tenant_zone: str
    sequence_status: str
    enrollment_status: str
    enrollment_reason: str
    contact_deleted: bool
    zones: tuple[str, ...]
    places: tuple[str, ...]
    window: Mapping[str, Any]
    suppressed: bool
    consents: frozenset[str]
    has_sender: bool
    sender_simulated: bool
    sender_paused_until: datetime | None
    in_flight: str
    human_hold: bool = False
    switched_off: str = ""
    epoch: int = 1
    expected_epoch: int = 1
    limits: Limits = NO_LIMITS
    touches: tuple[Touch, ...] = ()
    postal_address: bool = True
    lot: int | None = None

    @property
    def marketing(self) -> bool:
        return self.purpose == "marketing"


@dataclass(frozen=True, slots=True)
class Stop:
    """Not now (`not_before` set) or not at all: the message's next state and the reason shown for it."""

    state: str
    reason: str
    not_before: datetime | None = None


Guard = Callable[[WireFacts, datetime], Stop | None]


def epoch(facts: WireFacts, now: datetime) -> Stop | None:
    """The second net: the claim does not take a message up at all while the database is of another epoch."""
    if facts.epoch != facts.expected_epoch:
        return Stop(states.DEFERRED, "send_epoch", now + RECHECK)
    return None


def switches(facts: WireFacts, now: datetime) -> Stop | None:
    if facts.switched_off:
        return Stop(states.DEFERRED, f"switch:{facts.switched_off}", now + timedelta(minutes=1))
    if not facts.sending_on or not facts.tenant_enabled:
        return Stop(states.DEFERRED, "sending_off", now + timedelta(minutes=1))
    return None


def mode(facts: WireFacts, now: datetime) -> Stop | None:
    """A tenant that only rehearses must never reach a real person, whatever its senders say."""
    if facts.tenant_mode != "live" and facts.has_sender and not facts.sender_simulated:
        return Stop(states.CANCELLED, "real_sender_in_simulated_mode")
    return None


def sequence(facts: WireFacts, now: datetime) -> Stop | None:
    """Archived goes on: it takes nobody new, and its people finish."""
    if not facts.marketing:
        return None
    if facts.sequence_status == "paused":
        return Stop(states.DEFERRED, "sequence_paused", now + RECHECK)
    return None


def enrollment(facts: WireFacts, now: datetime) -> Stop | None:
    """Completed goes on: a sequence is complete when its last message is decided, before that has left. So does parked: it
    was a later step that could not be decided."""
    if facts.marketing and facts.enrollment_status in ("paused", "exited"):
        return Stop(states.CANCELLED, facts.enrollment_reason or f"enrollment_{facts.enrollment_status}")
    if facts.marketing and facts.human_hold:
        return Stop(states.DEFERRED, "human_hold", now + RECHECK)
    return None


def contact(facts: WireFacts, now: datetime) -> Stop | None:
    return Stop(states.CANCELLED, "contact_deleted") if facts.contact_deleted else None


def suppression(facts: WireFacts, now: datetime) -> Stop | None:
    if facts.suppressed and facts.purpose not in ASKED_FOR:
        return Stop(states.SUPPRESSED, "suppressed")
    return None


def place(facts: WireFacts, now: datetime) -> Stop | None:
    """A country Omnify has no rules for, or a channel that a state forbids outright, is closed at any hour."""
    closed = verdict_of(facts, now).closed
    return Stop(states.SUPPRESSED, _by("closed_country", closed)) if closed else None


def consent(facts: WireFacts, now: datetime) -> Stop | None:
    if not facts.marketing:
        return None
    lacking = law.lacking(facts.places, facts.channel, facts.consents, now.date())
    return Stop(states.SUPPRESSED, _by("no_consent", [row.id for row in lacking])) if lacking else None


def identity(facts: WireFacts, now: datetime) -> Stop | None:
    """Where the law wants the sender's postal address in the mail, a tenant without one writes to nobody."""
    if not facts.marketing or facts.postal_address:
        return None
    rules = law.shows_address(facts.places, facts.channel, now.date())
    return Stop(states.DEFERRED, _by("no_postal_address", rules), now + RECHECK) if rules else None


def hours(facts: WireFacts, now: datetime) -> Stop | None:
    """Marketing waits for the window, or expires when it opens too late. Answers to a person who wrote to us do not wait."""
    verdict = verdict_of(facts, now)
    if verdict.allowed and verdict.until - now >= MARGIN:
        return None
    shut = verdict if not verdict.allowed else verdict_of(facts, verdict.until)
    opens = shut.next
    reason = _by("quiet_hours", shut.legal) if shut.legal else "outside_window"
    if opens is None:
        return Stop(states.EXPIRED, "never_open")
    if opens >= facts.expires_at:
        return Stop(states.EXPIRED, reason)
    closes = min(verdict_of(facts, opens).until, facts.expires_at)
    return Stop(states.DEFERRED, reason, turn_after(opens, closes, facts.lot))


def freshness(facts: WireFacts, now: datetime) -> Stop | None:
    return Stop(states.EXPIRED, "expired") if facts.expires_at <= now else None


def sender(facts: WireFacts, now: datetime) -> Stop | None:
    if not facts.has_sender:
        return Stop(states.DEFERRED, "no_sender", now + RECHECK)
    if facts.sender_paused_until is not None and facts.sender_paused_until > now:
        return Stop(states.DEFERRED, "sender_paused", facts.sender_paused_until)
    return None


def single_flight(facts: WireFacts, now: datetime) -> Stop | None:
    """One message at a time to one person: while one is uncertain, no other may start, on any channel."""
    if facts.in_flight:
        return Stop(
            states.READY, "one_at_a_time", now + (UNCERTAIN_PAUSE if facts.in_flight == states.UNKNOWN else SHORT_PAUSE)
        )
    return None


def calls(facts: WireFacts, now: datetime) -> Stop | None:
    """One live call to one person, and meanwhile nothing else of ours but a member's own words; no call after one of which
    nobody knows whether it was placed."""
    if (facts.marketing or facts.channel == "voice") and call_under_way(facts.touches, now):
        return Stop(states.READY, "call_under_way", now + CALL_PAUSE)
    again = calls_again(facts.touches, now) if facts.channel == "voice" and facts.marketing else None
    return _later(facts, "call_unknown", again) if again is not None else None


def person_caps(facts: WireFacts, now: datetime) -> Stop | None:
    """How often one person is written to, over all sequences: the tenant's caps and the law's. Counted under the person's
    lock from the messages themselves, so the claim is the spending and no counter can be wrong."""
    if not facts.marketing:
        return None
    found = reached(caps_for(facts.limits, facts.places, facts.channel, now), facts.touches, now)
    return _later(facts, found[0], found[1] or now + NONE_AT_ALL) if found is not None else None


def answers(facts: WireFacts, now: datetime) -> Stop | None:
    """Two machines that answer each other would never stop by themselves."""
    if facts.purpose in ASKED_FOR and answers_reached(facts.touches, ASKED_FOR, now):
        return Stop(states.CANCELLED, "cap:answers")
    return None


def _later(facts: WireFacts, reason: str, free: datetime) -> Stop:
    return Stop(states.EXPIRED, reason) if free >= facts.expires_at else Stop(states.DEFERRED, reason, free)


GUARDS: tuple[Guard, ...] = (
    epoch,
    switches,
    mode,
    sequence,
    enrollment,
    contact,
    suppression,
    place,
    consent,
    identity,
    hours,
    freshness,
    sender,
    single_flight,
    calls,
    person_caps,
    answers,
)


def judge(facts: WireFacts, now: datetime) -> Stop | None:
    """The first guard's objection, or None: it may go."""
    for guard in GUARDS:
        stop = guard(facts, now)
        if stop is not None:
            return stop
    return None


def _by(reason: str, rules: Iterable[str]) -> str:
    """A reason and the rules it rests on, as sequences.reasons tells it: "quiet_hours: US-PA-hours"."""
    return f"{reason}: {', '.join(rules)}"


def verdict_of(facts: WireFacts, now: datetime) -> law.Verdict:
    """The law and the window on this message at this moment: what may be kept with it as its permit."""
    window = Window.from_json(dict(facts.window))
    return law.judged(now, facts.zones, facts.places, facts.channel, facts.purpose, window, facts.tenant_zone)


def latest_arrival(facts: WireFacts, now: datetime) -> datetime:
    """Until when the provider may still deliver it: the end of the window less a minute, or its expiry."""
    if not facts.marketing:
        return facts.expires_at
    return min(facts.expires_at, verdict_of(facts, now).until - timedelta(seconds=60))
