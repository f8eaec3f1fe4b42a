"""The policy: given what is known about one person, what happens at their step now? Pure; reads top to bottom.

The order of checks: 0 human hold → 1 exit rules and skip conditions → 2 route: address, suppression, consent, sender →
3 send window and 4 legal hours, in every zone the person may be in → 5 caps → 8 render → 10 dispatch → 11 advance.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from omnify.lib.values import value
from sequences import law, windows
from sequences.decisions import Entry, Exit, Handoff, Reason, Send, Skip, Task, Turn, Wait
from sequences.graph import MESSAGE_KINDS, Graph, StepFacts
from sequences.limits import NO_LIMITS, NONE_AT_ALL, Limits, Touch, caps_for, reached
from sequences.render import TemplateProblem
from sequences.windows import LAST_CALL

# Steps that send nothing are walked in one go; more of them in a row than this is a loop somebody drew by mistake.
MAX_WALK = 50
# A message that could not leave for so long is old news; it expires instead of arriving late.
FRESH_FOR = {"sms": timedelta(hours=4), "voice": timedelta(hours=2), "email": timedelta(hours=12)}
# RFC 5322 §2.1.1: a header line has 998 characters at the most; so has the column.
LONGEST_LINE = 998
# Where nobody knows the place, the hours may never meet; it is looked at again, since places are worked out by and by.
PLACE_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SequenceFacts:
    """What the sequence and its tenant say today; read anew in each batch."""

    status: str
    window: windows.Window
    tenant_zone: str
    sending_enabled: bool
    senders: Mapping[str, int]  # channel -> id of the default sender
    exit_on_reply: bool = False
    limits: Limits = NO_LIMITS


@value
class PersonFacts:
    """What is known about the contact. `variables` is called only when something is rendered."""

    deleted: bool
    email: str
    phone: str
    email_valid: bool | None
    phone_valid: bool | None
    phone_type: str
    zones: tuple[str, ...]
    places: tuple[str, ...]
    suppressed: Mapping[str, Mapping[str, Any]]  # channel -> {"reason", "quote", "at"} of the suppression in force
    consents: frozenset[str]
    variables: Callable[[], Mapping[str, Any]]
    touches: tuple[Touch, ...] = ()  # of the last week, with what waits to go; only where a cap binds this person
    lot: int | None = None  # the enrolment's id: it draws their turn after an opening that others wait for, too

    def address(self, channel: str) -> str:
        return self.email if channel == "email" else self.phone


@value
class Standing:
    """Where the enrolment stands."""

    status: str
    status_reason: str
    step_id: int | None
    visit: int
    waited: bool
    needs_human: bool


def plan(standing: Standing, person: PersonFacts, sequence: SequenceFacts, graph: Graph, now: datetime) -> Turn:
    """Decides one turn: walks from the person's step to the first that sends, waits or ends, and says why at each."""
    entries: list[Entry] = []
    stop = stopped(standing, person, sequence)
    if stop is not None:
        return _end(entries, standing, standing.step_id, standing.visit, stop)
    step_id, visit, waited = standing.step_id, standing.visit, standing.waited
    for _ in range(MAX_WALK):
        step = graph.steps.get(step_id) if step_id is not None else None
        if step is None:
            return _end(entries, standing, None, visit, Exit(Reason.FINISHED))
        decision = at_step(step, waited, person, sequence, now)
        if isinstance(decision, (Exit, Handoff)):
            return _end(entries, standing, step.id, visit, decision)
        if isinstance(decision, Wait):
            entries.append(Entry(step.id, visit, decision, decision.until))
            serving = step.kind == "wait" and decision.until is not None
            return Turn(tuple(entries), "active", decision.reason, step.id, visit, serving, decision.until)
        if isinstance(decision, Send):
            return _after_send(entries, step, visit, decision, person, sequence, graph, now)
        if decision is not None:
            entries.append(Entry(step.id, visit, decision))
        step_id, visit, waited = step.next_id, visit + 1, False
    return _end(entries, standing, step_id, visit, Handoff(Reason.LOOP_GUARD, {"steps_walked": MAX_WALK}))


def stopped(standing: Standing, person: PersonFacts, sequence: SequenceFacts) -> Wait | Exit | None:
    """Checks 0 and 1 for the whole enrolment: what forbids every step."""
    if person.deleted:
        return Exit(Reason.CONTACT_DELETED)
    if standing.status_reason == Reason.OPTED_OUT:
        return Exit(
            Reason.OPTED_OUT, {"suppressed": {channel: dict(facts) for channel, facts in person.suppressed.items()}}
        )
    if standing.needs_human:
        return Wait(None, Reason.HUMAN_HOLD)
    if standing.status == "paused" and standing.status_reason == Reason.REPLIED and sequence.exit_on_reply:
        return Exit(Reason.REPLIED)
    if standing.status == "paused":
        return Wait(None, Reason.REPLIED if standing.status_reason == Reason.REPLIED else Reason.PAUSED)
    if sequence.status == "archived":
        # Archived takes nobody new; people who are in it go on to the end.
        return None
    if sequence.status != "active":
        return Wait(None, Reason.SEQUENCE_PAUSED)
    return None


def at_step(
    step: StepFacts, waited: bool, person: PersonFacts, sequence: SequenceFacts, now: datetime
) -> Send | Wait | Skip | Task | Handoff | Exit | None:
    """The decision at one step; None where the step is passed without one (a wait that is over)."""
    if not step.enabled:
        return Skip(Reason.STEP_DISABLED)
    if step.kind == "wait":
        if waited:
            return None
        until = _served(now, step, home_zone(person, sequence))
        return Wait(until, Reason.WAITING, {"for": dict(step.config)}) if until > now else None
    if step.kind == "exit":
        return Exit(Reason.EXIT_STEP)
    if step.kind == "task":
        return _task(step, person)
    verdict = _verdict(now, person, sequence, step.kind)
    return (
        route(step, person, sequence, verdict, now)
        or hours(step, person, sequence, verdict, now)
        or caps(step, person, sequence, now)
        or content(step, person, sequence, now)
    )


def route(
    step: StepFacts, person: PersonFacts, sequence: SequenceFacts, verdict: law.Verdict, now: datetime
) -> Skip | Wait | None:
    """Check 2: may this channel be used for this person at all?"""
    channel = step.kind
    address = person.address(channel)
    if not address:
        return Skip(Reason.NO_ADDRESS, {"channel": channel})
    if channel in person.suppressed:
        return Skip(Reason.SUPPRESSED, {"channel": channel, **person.suppressed[channel]})
    if (person.email_valid if channel == "email" else person.phone_valid) is False:
        return Skip(Reason.ADDRESS_INVALID, {"channel": channel})
    if channel == "sms" and person.phone_type == "landline":
        return Skip(Reason.LANDLINE, {"channel": channel})
    if verdict.closed:
        facts = {"channel": channel, "rules": list(verdict.closed), "places": list(person.places)}
        return Skip(Reason.CLOSED_COUNTRY, facts)
    lacking = law.lacking(person.places, channel, person.consents, now.date())
    if lacking:
        facts = {
            "channel": channel,
            "needed": sorted(frozenset().union(*(row.needed for row in lacking))),
            "have": sorted(person.consents),
            "rules": [row.id for row in lacking],
        }
        return Skip(Reason.NO_CONSENT, facts)
    if not sequence.sending_enabled:
        return Wait(now + timedelta(minutes=10), Reason.SENDING_OFF)
    if channel not in sequence.senders:
        return Wait(now + timedelta(hours=1), Reason.NO_SENDER, {"channel": channel})
    return None


def hours(
    step: StepFacts, person: PersonFacts, sequence: SequenceFacts, verdict: law.Verdict, now: datetime
) -> Wait | Handoff | None:
    """Checks 3 and 4: the send window, narrowed by law, open on every clock with time left for the wire."""
    if verdict.allowed:
        if verdict.until - now >= LAST_CALL:
            return None
        closed = _verdict(verdict.until, person, sequence, step.kind)
        opens, why = closed.next, closed
    else:
        opens, why = verdict.next, verdict
    facts = {"rules": list(why.rule_ids), "why": [_objection(each) for each in why.why], "places": list(person.places)}
    if opens is None:
        if not person.places:
            return Wait(now + PLACE_PAUSE, Reason.QUIET_HOURS, facts)
        return Handoff(Reason.NEVER_OPEN, facts)
    turn = windows.turn_after(opens, _verdict(opens, person, sequence, step.kind).until, person.lot)
    if turn != opens:
        facts["opens"] = opens.isoformat()
    return Wait(turn, Reason.QUIET_HOURS if why.legal else Reason.OUTSIDE_WINDOW, facts)


def caps(step: StepFacts, person: PersonFacts, sequence: SequenceFacts, now: datetime) -> Wait | None:
    """Check 5: has this person had enough, by the tenant's caps or the law's? Only planned with here: the claim spends."""
    if not person.touches and not sequence.limits.person:
        return None
    found = reached(caps_for(sequence.limits, person.places, step.kind, now), person.touches, now)
    if found is None:
        return None
    cap, free = found
    return Wait(
        free or now + NONE_AT_ALL, Reason.CAPPED, {"channel": step.kind, "cap": cap, "touches": len(person.touches)}
    )


def content(step: StepFacts, person: PersonFacts, sequence: SequenceFacts, now: datetime) -> Send | Handoff:
    """Checks 8 and 10: write it, or say which word is missing; then it goes to the wire."""
    variables = person.variables()
    lacking = step.subject.missing(variables) + step.body.missing(variables)
    if lacking:
        return Handoff(Reason.MISSING_VARIABLE, {"step": step.label, "missing": list(lacking)})
    try:
        subject, body = step.subject.render(variables), step.body.render(variables)
    except TemplateProblem as problem:
        return Handoff(Reason.TEMPLATE_FAILED, {"step": step.label, "problem": str(problem)})
    return Send(
        channel=step.kind,
        to=person.address(step.kind),
        sender_id=sequence.senders[step.kind],
        subject=" ".join(subject.split())[:LONGEST_LINE].rstrip() if subject else "",
        body=body,
        expires_at=now + FRESH_FOR[step.kind],
    )


@lru_cache(maxsize=4096)
def _served(now: datetime, step: StepFacts, zone_name: str) -> datetime:
    """When a wait step entered now is over; the same for everybody of a zone in one batch."""
    return windows.after_wait(now, step.config, zone_name)


def _verdict(now: datetime, person: PersonFacts, sequence: SequenceFacts, channel: str) -> law.Verdict:
    return law.judged(now, person.zones, person.places, channel, law.MARKETING, sequence.window, sequence.tenant_zone)


def _objection(each: law.Objection) -> dict[str, str]:
    """One line of a receipt: which rule forbade it, what the clock there said, and what the rule allows that day."""
    return {"rule": each.rule, "zone": each.zone, "local": each.local, "hours": each.hours}


def home_zone(person: PersonFacts, sequence: SequenceFacts) -> str:
    """The zone whose wall clock a wait follows: the person's first, else the tenant's."""
    return person.zones[0] if person.zones else sequence.tenant_zone


def _task(step: StepFacts, person: PersonFacts) -> Task | Handoff:
    try:
        body = step.body.render(person.variables())
    except TemplateProblem as problem:
        return Handoff(Reason.TEMPLATE_FAILED, {"step": step.label, "problem": str(problem)})
    return Task(title=step.name or "Do this by hand", body=body)


def _after_send(
    entries: list[Entry],
    step: StepFacts,
    visit: int,
    decision: Send,
    person: PersonFacts,
    sequence: SequenceFacts,
    graph: Graph,
    now: datetime,
) -> Turn:
    """Check 11, advance: the person stands on the next step; a wait there begins now and is told on this same receipt."""
    following = graph.steps.get(step.next_id) if step.next_id is not None else None
    if following is None:
        entries.append(Entry(step.id, visit, decision))
        return Turn(tuple(entries), "completed", Reason.FINISHED, None, visit + 1, False, None)
    at, waited = now, False
    if following.kind == "wait" and following.enabled:
        at, waited = _served(now, following, home_zone(person, sequence)), True
    entries.append(Entry(step.id, visit, decision, at))
    return Turn(tuple(entries), "active", "", following.id, visit + 1, waited, at)


def _end(
    entries: list[Entry], standing: Standing, step_id: int | None, visit: int, decision: Wait | Exit | Handoff
) -> Turn:
    """The turn ends without a next moment: left, handed to a person, or held until somebody acts."""
    entries.append(Entry(step_id, visit, decision))
    if isinstance(decision, Handoff):
        return Turn(tuple(entries), "failed", decision.reason, step_id, visit, False, None)
    if isinstance(decision, Wait):
        return Turn(tuple(entries), standing.status, decision.reason, step_id, visit, standing.waited, decision.until)
    status = "completed" if decision.reason in {Reason.FINISHED, Reason.EXIT_STEP} else "exited"
    return Turn(tuple(entries), status, decision.reason, step_id, visit + 1, False, None)


__all__ = ["MESSAGE_KINDS", "PersonFacts", "SequenceFacts", "Standing", "plan"]
