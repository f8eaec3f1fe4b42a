"""Receipts in words: what was decided for a person at a step, why, and what would change it. Pure.

Every reason of sequences.decisions has its sentence here; a reason nobody knows (an older release's, another app's) is
still told, in its own words.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sequences import reasons
from sequences.decisions import Reason
from sequences.law.words import NEEDED, closed_in_words, objection_in_words
from sequences.wording import PLURALS, Facts, joined, on_day, plain, quoted, wait_in_words

WHY_SUPPRESSED: Final = {
    "opted_out": "opted out of {what}",
    "stop": "opted out of {what}",
    "complaint": "complained about {what}",
    "wrong_number": "is not who we think: this is a wrong number",
    "bounced": "cannot be reached: the address bounced",
    "hard_bounce": "cannot be reached: the address bounced",
    "unsubscribed": "unsubscribed from {what}",
    "manual": "was put on the do-not-contact list for {what}",
    "declined": "declined {what} in an imported list",
    "import": "was on an imported do-not-contact list for {what}",
}


def sentence(decision: str, reason: str, facts: Facts | None = None) -> str:
    """What happened at a step and why, as one sentence: "Not sent: opted out of texts on 12 Nov by writing “stop”."."""
    facts = facts or {}
    teller = _SENTENCES.get(str(reason))
    if teller is None:
        return f"{_DECIDED.get(decision, decision.capitalize())}: {plain(reason)}."
    return teller(facts)


def remedy(reason: str, facts: Facts | None = None) -> str:
    """What would change the decision; empty where nothing would, or where nothing needs to."""
    teller = _REMEDIES.get(str(reason))
    return teller(facts or {}) if callable(teller) else (teller or "")


def short(reason: str) -> str:
    """Two or three words for a chip: "opted out", "waiting for window"."""
    return _SHORT.get(str(reason), plain(reason))


def _suppressed(facts: Facts) -> str:
    channel = str(facts.get("channel") or "")
    what = PLURALS.get(channel, "messages")
    why = str(facts.get("why") or facts.get("reason") or "opted_out")
    said = WHY_SUPPRESSED.get(why, f"may not be sent {{what}} ({plain(why)})").format(what=what)
    return f"Not sent: {said}{on_day(facts)}{quoted(facts)}."


def _opted_out(facts: Facts) -> str:
    """The exit of somebody who said stop; the channels' own facts say when and with which words."""
    channels = facts.get("suppressed")
    if not isinstance(channels, Mapping) or not channels:
        return f"Left the sequence: opted out{on_day(facts)}{quoted(facts)}."
    what = joined([PLURALS.get(str(channel), str(channel)) for channel in channels])
    first = next((each for each in channels.values() if isinstance(each, Mapping) and each.get("quote")), None)
    any_ = first or next(iter(channels.values()))
    detail = f"{on_day(any_)}{quoted(any_)}" if isinstance(any_, Mapping) else ""
    return f"Left the sequence: opted out of {what}{detail}."


def _no_consent(facts: Facts) -> str:
    needed = joined([NEEDED.get(str(each), plain(each)) for each in facts.get("needed") or ()], "or")
    return f"Not sent: there is no {needed}." if needed else f"Not sent: there is no consent to {_what(facts)}."


def _hours(opening: str) -> Callable[[Facts], str]:
    def tell(facts: Facts) -> str:
        why = [each for each in facts.get("why") or () if isinstance(each, Mapping)]
        if why:
            return f"{opening}: {objection_in_words(why[0])}."
        local = joined([str(each) for each in facts.get("local") or ()])
        window = f", and sending is allowed {facts['window'].replace(' to ', '–')}" if facts.get("window") else ""
        return f"{opening}: it was {local} there{window}." if local else f"{opening}."

    return tell


def _capped(facts: Facts) -> str:
    why = reasons.why(str(facts.get("cap") or "")) or "This person has had enough messages for now."
    return f"Not now: {why[0].lower()}{why[1:]}"


def _closed_country(facts: Facts) -> str:
    said = joined([closed_in_words(str(rule), _what(facts)) for rule in facts.get("rules") or ()])
    return f"Not sent: {said}." if said else f"Not sent: {_what(facts)} to that country are closed."


def _in_turn(facts: Facts) -> str:
    """Where an opening was waited for: nobody starts at its very second."""
    return "; those who wait start one after the other over its first minutes" if facts.get("opens") else ""


def _waiting(facts: Facts) -> str:
    spec = facts.get("for")
    return f"Waiting {wait_in_words(spec)}." if isinstance(spec, Mapping) else "Waiting for the next step's time."


def _missing(facts: Facts) -> str:
    names = joined([f"“{each}”" for each in facts.get("missing") or ()])
    return (
        f"Not sent: the text uses {names}, which this person does not have."
        if names
        else "Not sent: a value is missing."
    )


def _template(facts: Facts) -> str:
    return f"Not sent: the text could not be written. {facts.get('problem') or ''}".rstrip().rstrip(".") + "."


def _what(facts: Facts) -> str:
    return PLURALS.get(str(facts.get("channel") or ""), "messages")


def _said(text: str) -> Callable[[Facts], str]:
    return lambda facts: text


_DECIDED: Final = {
    "send": "Sent to dispatch",
    "wait": "Not now",
    "skip": "Skipped",
    "branch": "Branched",
    "task": "A task was created",
    "handoff": "Handed to a person",
    "exit": "Left the sequence",
}
_SENTENCES: Final[dict[str, Callable[[Facts], str]]] = {
    Reason.HUMAN_HOLD: _said("Not now: a person of yours has taken over this conversation."),
    Reason.CONTACT_DELETED: _said("Left the sequence: the contact was deleted."),
    Reason.OPTED_OUT: _opted_out,
    Reason.REPLIED: _said("Not now: they replied, so the automation stopped until somebody decides."),
    Reason.PAUSED: _said("Not now: paused for this person."),
    Reason.SEQUENCE_PAUSED: _said("Not now: the sequence is paused."),
    Reason.SEQUENCE_ARCHIVED: _said("Not now: the sequence is archived."),
    Reason.SENDING_OFF: _said("Not now: sending is switched off for your whole workspace."),
    Reason.STEP_DISABLED: _said("Skipped: the step is switched off."),
    Reason.NO_ADDRESS: lambda facts: (
        f"Not sent: there is no {'email address' if facts.get('channel') == 'email' else 'phone number'}."
    ),
    Reason.ADDRESS_INVALID: lambda facts: (
        f"Not sent: the {'email address' if facts.get('channel') == 'email' else 'phone number'} is known not to work."
    ),
    Reason.LANDLINE: _said("Not sent: the number is a landline, which takes no texts."),
    Reason.SUPPRESSED: _suppressed,
    Reason.NO_CONSENT: _no_consent,
    Reason.CLOSED_COUNTRY: _closed_country,
    Reason.NO_SENDER: lambda facts: f"Not now: no account is set up for {_what(facts)}.",
    Reason.OUTSIDE_WINDOW: _hours("Not now: outside the sequence's hours"),
    Reason.QUIET_HOURS: _hours("Not now: quiet hours"),
    Reason.NEVER_OPEN: _said(
        "Handed to a person: the sequence's hours and the law's never overlap in this person's zones."
    ),
    Reason.CAPPED: _capped,
    Reason.MISSING_VARIABLE: _missing,
    Reason.TEMPLATE_FAILED: _template,
    Reason.SENT: lambda facts: "Written and handed over for sending.",
    Reason.WAITING: _waiting,
    Reason.WAIT_OVER: _said("The wait is over."),
    Reason.TASK_CREATED: _said("A task for one of your people was created."),
    Reason.EXIT_STEP: _said("Left the sequence at its exit."),
    Reason.FINISHED: _said("Came to the end of the sequence."),
    Reason.LOOP_GUARD: lambda facts: (
        f"Parked: {facts.get('steps_walked') or 'too many'} steps in a row without a message or a wait look like a loop."
    ),
    Reason.CRASHED: _said("Parked: this step failed twice, so the machine leaves it to a person."),
    "removed": _said("Left the sequence: taken out by hand."),
    "merged": _said("Left the sequence: two contacts became one, and this person was in it twice."),
}
_SHORT: Final[dict[str, str]] = {
    Reason.HUMAN_HOLD: "a person took over",
    Reason.OUTSIDE_WINDOW: "waiting for hours",
    Reason.QUIET_HOURS: "quiet hours",
    Reason.CLOSED_COUNTRY: "country closed",
    Reason.CAPPED: "enough for now",
    Reason.NO_SENDER: "no account",
    Reason.SENDING_OFF: "sending is off",
    Reason.MISSING_VARIABLE: "value missing",
    Reason.TEMPLATE_FAILED: "text failed",
    Reason.EXIT_STEP: "exit",
    Reason.WAITING: "waiting",
    Reason.LOOP_GUARD: "looks like a loop",
}
_REMEDIES: Final[dict[str, str | Callable[[Facts], str]]] = {
    Reason.HUMAN_HOLD: "Resume the person when you are done.",
    Reason.OPTED_OUT: "Only the person can change this, by writing START.",
    Reason.REPLIED: "Answer, then resume or take the person out.",
    Reason.PAUSED: "Resume the person.",
    Reason.SEQUENCE_PAUSED: "Resume the sequence.",
    Reason.SEQUENCE_ARCHIVED: "Bring the sequence back.",
    Reason.SENDING_OFF: "Switch sending on in the settings.",
    Reason.STEP_DISABLED: "Switch the step on and publish.",
    Reason.NO_ADDRESS: lambda facts: (
        f"Add {'an email address' if facts.get('channel') == 'email' else 'a phone number'} to the contact."
    ),
    Reason.ADDRESS_INVALID: "Correct the address on the contact.",
    Reason.LANDLINE: "Add a mobile number to the contact.",
    Reason.SUPPRESSED: lambda facts: (
        "Only the person can change this, by writing START."
        if str(facts.get("why") or facts.get("reason")) in ("opted_out", "stop", "unsubscribed")
        else "Check the address; the block is on the contact's page."
    ),
    Reason.NO_CONSENT: "Record the person's consent on the contact's page, with its evidence.",
    Reason.CLOSED_COUNTRY: "A rule for the country must be written down and reviewed first; the page Rules lists those there are.",
    Reason.NO_SENDER: "Set up an account for this channel in the settings; the step is tried again every hour.",
    Reason.OUTSIDE_WINDOW: lambda facts: f"It goes on by itself when the window opens{_in_turn(facts)}.",
    Reason.CAPPED: "It goes on by itself when the person may be written to again; the page Limits says how often that is.",
    Reason.QUIET_HOURS: lambda facts: f"It goes on by itself when the law allows it{_in_turn(facts)}.",
    Reason.NEVER_OPEN: "Widen the sequence's hours in its settings, then resume the person.",
    Reason.MISSING_VARIABLE: "Fill in the value on the contact, or give the text a default; then resume the person.",
    Reason.TEMPLATE_FAILED: "Correct the text and publish, then resume the person.",
    Reason.LOOP_GUARD: "Correct the steps and publish, then resume the person.",
    Reason.CRASHED: "Resume the person to try once more.",
    Reason.WAITING: "It goes on by itself when the wait is over.",
    "removed": "Enrol the person again.",
    "merged": "Nothing: the enrolment of the kept contact counts.",
}
