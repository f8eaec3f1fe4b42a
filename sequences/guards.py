"""May this message go on the wire at this moment? The policy of the wire, top to bottom; each "no" is a visible state. Pure.

Everything was checked when the message was decided; minutes or hours may lie between, so it is checked again, on facts read
after the locks were taken. A guard that raises means no: whoever calls judge() must not send then.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sequences import states
from sequences.plan import CONSENT_NEEDED
from sequences.windows import Window, may_send, must_end

# A text needs a moment to arrive: what would leave in the last 90 seconds of the window waits for the next one.
MARGIN = timedelta(seconds=90)
RECHECK = timedelta(minutes=5)
# How long a message waits for another to the same person: a request takes a moment, an uncertain one minutes.
SHORT_PAUSE, UNCERTAIN_PAUSE = timedelta(seconds=5), timedelta(seconds=60)
# Answers that the person has asked for, by texting STOP or HELP: they go out even though the address is suppressed.
ASKED_FOR = frozenset({"confirmation", "help"})


@dataclass(frozen=True, slots=True)
class WireFacts:
    """What is true of one message now. `sender_*` are of the sender it will leave from; `in_flight` the state of another
    message to the same person that is on its way, "" if none is."""

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


def switches(facts: WireFacts, now: datetime) -> Stop | None:
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


def consent(facts: WireFacts, now: datetime) -> Stop | None:
    needed = CONSENT_NEEDED.get(facts.channel)
    if facts.marketing and needed and not needed & facts.consents:
        return Stop(states.SUPPRESSED, "no_consent")
    return None


def hours(facts: WireFacts, now: datetime) -> Stop | None:
    """Marketing waits for the window, or expires when it opens too late. Answers to a person who wrote to us do not wait."""
    if not facts.marketing:
        return None
    window = Window.from_json(dict(facts.window))
    opens = may_send(now, facts.zones, window, facts.channel, facts.tenant_zone)
    if opens == now and must_end(now, facts.zones, window, facts.channel, facts.tenant_zone) - now < MARGIN:
        opens = may_send(now + MARGIN, facts.zones, window, facts.channel, facts.tenant_zone)
    if opens is None:
        return Stop(states.EXPIRED, "never_open")
    if opens == now:
        return None
    if opens >= facts.expires_at:
        return Stop(states.EXPIRED, "outside_window")
    return Stop(states.DEFERRED, "outside_window", opens)


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


GUARDS: tuple[Guard, ...] = (
    switches,
    mode,
    sequence,
    enrollment,
    contact,
    suppression,
    consent,
    hours,
    freshness,
    sender,
    single_flight,
)


def judge(facts: WireFacts, now: datetime) -> Stop | None:
    """The first guard's objection, or None: it may go."""
    for guard in GUARDS:
        stop = guard(facts, now)
        if stop is not None:
            return stop
    return None


def latest_arrival(facts: WireFacts, now: datetime) -> datetime:
    """Until when the provider may still deliver it: the end of the window less a minute, or its expiry."""
    if not facts.marketing:
        return facts.expires_at
    window = Window.from_json(dict(facts.window))
    closes = must_end(now, facts.zones, window, facts.channel, facts.tenant_zone) - timedelta(seconds=60)
    return min(facts.expires_at, closes)
