"""What can be decided about one person at one step: a closed union, each with its reason and the facts it rests on. Pure."""

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any

from omnify.lib.values import value


class Reason(StrEnum):
    """Why. Stored on the receipt; sequences.receipts says each in a sentence."""

    # 0 human hold
    HUMAN_HOLD = "human_hold"
    # 1 exit rules and skip conditions
    CONTACT_DELETED = "contact_deleted"
    OPTED_OUT = "opted_out"
    REPLIED = "replied"
    PAUSED = "paused"
    SEQUENCE_PAUSED = "sequence_paused"
    SEQUENCE_ARCHIVED = "sequence_archived"
    SENDING_OFF = "sending_off"
    STEP_DISABLED = "step_disabled"
    # 2 route
    NO_ADDRESS = "no_address"
    ADDRESS_INVALID = "address_invalid"
    LANDLINE = "landline"
    SUPPRESSED = "suppressed"
    NO_CONSENT = "no_consent"
    CLOSED_COUNTRY = "closed_country"
    NO_SENDER = "no_sender"
    # 3, 4 hours
    OUTSIDE_WINDOW = "outside_window"
    QUIET_HOURS = "quiet_hours"
    NEVER_OPEN = "never_open"
    # 5 caps
    CAPPED = "capped"
    # 8 render
    MISSING_VARIABLE = "missing_variable"
    TEMPLATE_FAILED = "template_failed"
    # 10, 11 what was done
    SENT = "sent"
    WAITING = "waiting"
    WAIT_OVER = "wait_over"
    TASK_CREATED = "task_created"
    EXIT_STEP = "exit_step"
    FINISHED = "finished"
    # guards of the machine itself
    LOOP_GUARD = "loop_guard"
    CRASHED = "crashed"


Facts = dict[str, Any]


@value
class Send:
    """Hand this text to the wire."""

    channel: str
    to: str
    sender_id: int
    subject: str
    body: str
    expires_at: datetime
    reason: Reason = Reason.SENT
    facts: Facts = field(default_factory=dict)


@value
class Wait:
    """Not now; look again at `until`, or, with None, when somebody changes something. Not an error."""

    until: datetime | None
    reason: Reason
    facts: Facts = field(default_factory=dict)


@value
class Skip:
    """This step is left out; the walk goes on."""

    reason: Reason
    facts: Facts = field(default_factory=dict)


@value
class Task:
    """A person of the tenant has something to do; the walk goes on."""

    title: str
    body: str
    reason: Reason = Reason.TASK_CREATED
    facts: Facts = field(default_factory=dict)


@value
class Handoff:
    """The automation stops here and shows itself to a person."""

    reason: Reason
    facts: Facts = field(default_factory=dict)


@value
class Exit:
    """The person leaves the sequence."""

    reason: Reason
    facts: Facts = field(default_factory=dict)


Decision = Send | Wait | Skip | Task | Handoff | Exit

WORD = {Send: "send", Wait: "wait", Skip: "skip", Task: "task", Handoff: "handoff", Exit: "exit"}


@value
class Entry:
    """One decision at one step: one receipt."""

    step_id: int | None
    visit: int
    decision: Decision
    next_run_at: datetime | None = None


@value
class Turn:
    """What one tick decides for one enrolment: its receipts, in order, and where that leaves the person."""

    entries: tuple[Entry, ...]
    status: str
    status_reason: str
    step_id: int | None
    visit: int
    waited: bool
    next_run_at: datetime | None
