"""The send-state machine as data: which state may follow which, and what a provider's word makes of a message. Pure.

A provider's reports come twice, late and in any order; each carries a rank, and only a higher rank changes anything, so
every order of the same reports ends in the same state. Source: docs/reliability.md, "Send-state machine".
"""

from collections.abc import Mapping
from dataclasses import dataclass

READY, CLAIMED, SENDING, ACCEPTED, SENT = "ready", "claimed", "sending", "accepted", "sent"
DELIVERED, UNDELIVERED, REJECTED, UNKNOWN, HELD = "delivered", "undelivered", "rejected", "unknown", "held"
SUPPRESSED, DEFERRED, EXPIRED, CANCELLED = "suppressed", "deferred", "expired", "cancelled"

_GUARDED = {SUPPRESSED, DEFERRED, EXPIRED, CANCELLED, HELD, REJECTED}
_REPORTED = {ACCEPTED, SENT, DELIVERED, UNDELIVERED, CANCELLED}
# What our own code may do. A provider's report may come on top in any state: see merge().
TRANSITIONS: Mapping[str, frozenset[str]] = {
    READY: frozenset({CLAIMED, READY} | _GUARDED),
    DEFERRED: frozenset({CLAIMED, READY} | _GUARDED),
    CLAIMED: frozenset({SENDING, READY} | _GUARDED),
    SENDING: frozenset({UNKNOWN, READY, DEFERRED, REJECTED, HELD} | _REPORTED),
    UNKNOWN: frozenset({READY, HELD, EXPIRED} | _REPORTED),
    HELD: frozenset({READY, EXPIRED, CANCELLED} | _REPORTED),
    ACCEPTED: frozenset({SENT, DELIVERED, UNDELIVERED, CANCELLED}),
    SENT: frozenset({DELIVERED, UNDELIVERED, CANCELLED}),
    UNDELIVERED: frozenset({DELIVERED}),
    CANCELLED: frozenset({DELIVERED}),
    DELIVERED: frozenset(),
    REJECTED: frozenset(),
    SUPPRESSED: frozenset(),
    EXPIRED: frozenset(),
}


def allowed(state: str, to: str) -> bool:
    """Whether our own code may move a message from `state` to `to`."""
    return to in TRANSITIONS[state]


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider says has become of a message: our state for it, and how far along the way that is."""

    state: str
    rank: int


# Twilio's MessageStatus. The initial status has no callback; "read" exists for channels with read receipts.
_TWILIO = {
    "accepted": Report(ACCEPTED, 10),
    "scheduled": Report(ACCEPTED, 10),
    "queued": Report(ACCEPTED, 10),
    "sending": Report(ACCEPTED, 20),
    "sent": Report(SENT, 30),
    "undelivered": Report(UNDELIVERED, 40),
    "failed": Report(UNDELIVERED, 40),
    "canceled": Report(CANCELLED, 45),
    "delivered": Report(DELIVERED, 50),
    "read": Report(DELIVERED, 60),
}
# VAPI's call.status. How a call ended is told by its endedReason (sequences.codes.vapi), which may come with the status
# or later with the report: see call_ended().
_VAPI = {
    "scheduled": Report(ACCEPTED, 5),
    "queued": Report(ACCEPTED, 10),
    "ringing": Report(SENT, 20),
    "in-progress": Report(SENT, 30),
    "forwarding": Report(SENT, 35),
    "ended": Report(SENT, 40),
}
# Events of mail, in anymail's words. A complaint or an unsubscription comes from somebody who has the mail.
_MAIL = {
    "queued": Report(ACCEPTED, 10),
    "accepted": Report(ACCEPTED, 10),
    "deferred": Report(ACCEPTED, 20),
    "sent": Report(SENT, 30),
    "bounced": Report(UNDELIVERED, 40),
    "failed": Report(UNDELIVERED, 40),
    "rejected": Report(UNDELIVERED, 40),
    "delivered": Report(DELIVERED, 50),
    "opened": Report(DELIVERED, 60),
    "clicked": Report(DELIVERED, 62),
    "unsubscribed": Report(DELIVERED, 64),
    "complained": Report(DELIVERED, 66),
}
REPORTS: Mapping[str, Mapping[str, Report]] = {
    "twilio": _TWILIO,
    "vapi": _VAPI,
    "smtp": _MAIL,
    "postmark": _MAIL,
    "sendgrid": _MAIL,
    "ses": _MAIL,
}
CALL_FAILED = Report(UNDELIVERED, 50)
CALL_DONE = Report(DELIVERED, 55)


def report(provider: str, status: str) -> Report | None:
    """What this status of this provider means; None for one we do not know, which changes nothing."""
    return REPORTS.get(provider, {}).get(status)


def call_ended(reached_person: bool) -> Report:
    """The end of a call, once its reason is known. The later of two contradicting reasons does not matter: "reached" wins."""
    return CALL_DONE if reached_person else CALL_FAILED


def merge(state: str, rank: int, event: Report) -> tuple[str, int] | None:
    """The message's (state, rank) after `event`; None if it changes nothing.

    The provider's word counts in every state, also after we had given up: what arrived, arrived. Since the rank decides and
    failures rank below delivery, a late failure never overwrites `delivered`.
    """
    if event.rank <= rank:
        return None
    return event.state, event.rank
