"""How a call ended (VAPI's endedReason) and why one was refused. Pure.

VAPI's list grows by dozens of values a month (571 in the SDK of April 2026, 595 in its OpenAPI of August): so rules over
patterns with a safe default, never a closed list. Source: docs.vapi.ai call-ended-reason; docs/reliability.md.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from sequences.codes import Verdict


@dataclass(frozen=True, slots=True)
class Ended:
    """outcome: call_completed, call_voicemail, call_no_answer, call_busy, call_canceled, call_failed, call_unknown,
    invalid_number, capacity. reached: "yes", "no", "maybe", or "voicemail"; what is not "no" counts as a contact."""

    outcome: str
    reached: str
    permanent: bool = False
    sender_fault: bool = False
    needs_human: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the call did what it was placed for: somebody, or their mailbox, heard it."""
        return self.outcome in ("call_completed", "call_voicemail")


_COMPLETED = Ended("call_completed", "yes")
_TRANSFER = Ended("call_completed", "yes", needs_human=True)
_CANCELED = Ended("call_canceled", "maybe")
_NOT_PLACED = Ended("call_failed", "no", sender_fault=True)
_MAYBE = Ended("call_failed", "maybe")
_HEARD_SILENCE = Ended("call_failed", "yes", sender_fault=True)
_BROKE_OFF = Ended("call_failed", "yes")
# Words inside a pipeline error that say the set-up is wrong, not that a service had a bad minute.
_SETUP = (
    "*-400-*", "*-401-*", "*-403-*", "*bad-request*", "*unauthorized*", "*quota*", "*invalid*", "*not-found*", "*upgrade*",
    "*subscription*", "*permission*", "*not-allowed*", "*credits*", "*auth-failed*", "*payment*", "*only-for-*",
    "*not-fine-tuned*", "*disabled-by*", "*blocked-*", "*missing-*", "*must-be-*",
)  # fmt: skip

# Top to bottom; the first pattern that matches decides.
RULES: tuple[tuple[tuple[str, ...], Ended], ...] = (
    (("customer-did-not-answer", "*outbound-sip-408*", "*outbound-sip-480*"), Ended("call_no_answer", "no")),
    (("customer-busy",), Ended("call_busy", "no")),
    (("voicemail",), Ended("call_voicemail", "voicemail")),
    (("twilio-reported-customer-misdialed",), Ended("invalid_number", "no", permanent=True)),
    (("customer-ended-call-before-warm-transfer*", "customer-ended-call-after-warm-transfer*",
      "customer-ended-call-during-transfer"), _TRANSFER),
    (("customer-ended-call*", "assistant-ended-call*", "assistant-said-end-call-phrase", "assistant-forwarded-call",
      "silence-timed-out", "exceeded-max-duration", "*twilio-completed-call", "*sip-completed-call",
      "vonage-completed"), _COMPLETED),
    (("call.forwarding.*", "*transfer-failed*", "*warm-transfer*"), _TRANSFER),
    (("scheduled-call-deleted",), Ended("call_canceled", "no")),
    (("manually-canceled", "call-deleted"), _CANCELED),
    (("call.start.error-subscription-concurrency-limit-reached",), Ended("capacity", "no", sender_fault=True)),
    (("*-outbound-daily-limit",), Ended("capacity", "no", sender_fault=True)),
    (("*outbound-sip-503*",), Ended("capacity", "no")),
    (("*worker-not-available",), Ended("capacity", "maybe")),
    (("call.start.error-vapifault-database-error", "call.start.error-get-transport"), Ended("call_failed", "no")),
    (("customer-did-not-give-microphone-permission", "call.start.error-vapi-number-international"),
     Ended("call_failed", "no", permanent=True)),
    (("*hook-executed-say",), Ended("call_completed", "maybe")),
    (("*hook-executed-transfer",), _COMPLETED),
    (("call.in-progress.error-sip-*bound-call-failed-to-connect", "*-but-no-call-received"), _NOT_PLACED),
    (("*connection-to-transport-missing", "call.ringing.*"), _MAYBE),
    (("call.start.*", "*-fraud-check-failed", "call-start-error-*", "assistant-not-*",
      "assistant-request-*"), _NOT_PLACED),
    (("*outbound-sip-403*", "*outbound-sip-407*"), _NOT_PLACED),
    # VAPI retries these by itself: a second call from us would be a second call.
    (("worker-shutdown",), Ended("call_unknown", "maybe")),
    (("*transport-never-connected", "*worker-died", "*call-not-active", "*did-not-receive-customer-audio",
      "assistant-join-timed-out", "*failed-to-connect-call", "vonage-rejected"), _MAYBE),
)  # fmt: skip
_IN_CALL = ("pipeline-error-*", "pipeline-no-available-*", "call.in-progress.error-*")
DEFAULT = Ended("call_failed", "yes")


def ended(reason: str) -> Ended:
    """What this endedReason means; a value nobody knows is a failed call that, to be safe, reached the person."""
    for patterns, meaning in RULES:
        if any(fnmatchcase(reason, pattern) for pattern in patterns):
            return meaning
    if any(fnmatchcase(reason, pattern) for pattern in _IN_CALL):
        return _HEARD_SILENCE if any(fnmatchcase(reason, pattern) for pattern in _SETUP) else _BROKE_OFF
    return DEFAULT


def refusal(status: int, text: str) -> Verdict:
    """Why VAPI did not take a call: it answers with a status and a sentence, never a code."""
    if status in (401, 402, 403):
        return Verdict("call_failed", sender_fault=True, pause_sender=True)
    if "customer.number" in text:
        return Verdict("invalid_number", permanent=True)
    return Verdict("call_failed", sender_fault=True)
