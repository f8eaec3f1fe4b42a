"""What stands between a draft and its publication: pure rules over plain values, each with the place it is about."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sequences.render import TemplateProblem, compile_template

# Twilio refuses a Body of more than 1,600 characters (error 21617); 998 is the longest header line of RFC 5322 §2.1.1.
SMS_LIMIT: Final = 1_600
SUBJECT_LIMIT: Final = 300
FIRST_MESSAGE_LIMIT: Final = 600
LONGEST_WAIT_DAYS: Final = 365
CHANNELS: Final = ("sms", "email", "voice")
CHANNEL_WORDS: Final = {"sms": "texts", "email": "email", "voice": "calls"}
# {{ tags.size }}, {{ tags[0] }}: worked out from a known variable while rendering.
_COMPUTED: Final = re.compile(r"(\.(size|first|last)|\[\d+\])+$")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class StepValues:
    """One step as the rules see it; the fields are the model's."""

    key: str
    kind: str
    name: str = ""
    subject: str = ""
    body: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class DraftValues:
    """A draft as the rules see it. `edges` are (from key, to key); `senders` the channels that have one."""

    steps: tuple[StepValues, ...]
    edges: tuple[tuple[str, str], ...]
    senders: frozenset[str] = frozenset(CHANNELS)
    postal_address: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. `step_key` is empty for the sequence as a whole; line and column start at 1, 0 without a place.

    `warning`: worth saying, but it does not stop the publication.
    """

    step_key: str
    field: str
    message: str
    line: int = 0
    column: int = 0
    warning: bool = False


def problems(draft: DraftValues, known_variables: Iterable[str]) -> tuple[Problem, ...]:
    """Everything wrong with a draft, in the order of its steps, the sequence's own problems first."""
    known = frozenset(known_variables)
    reached = reachable(draft)
    found = [*_of_the_whole(draft)]
    for step in draft.steps:
        if not step.enabled:
            continue
        if step.key not in reached:
            found.append(Problem(step.key, "", "Nobody gets here: an exit stands above this step."))
        found.extend(of_step(step, known))
    return tuple(found)


def of_step(step: StepValues, known: frozenset[str]) -> tuple[Problem, ...]:
    """What is wrong with one step by itself."""
    if step.kind == "wait":
        return tuple(_of_wait(step))
    if step.kind in CHANNELS:
        return (*_of_message(step), *_of_templates(step, known))
    if step.kind == "task":
        empty = not step.name.strip() and not step.body.strip()
        missing = (Problem(step.key, "name", "Say what is to be done."),) if empty else ()
        return (*missing, *_of_templates(step, known))
    return ()


def reachable(draft: DraftValues) -> frozenset[str]:
    """The keys of the steps that lie on a way from the first one."""
    onward: dict[str, list[str]] = {}
    for source, target in draft.edges:
        onward.setdefault(source, []).append(target)
    seen: set[str] = set()
    waiting = [draft.steps[0].key] if draft.steps else []
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting.extend(onward.get(key, ()))
    return frozenset(seen)


def templates_of(step: StepValues) -> dict[str, str]:
    """The Liquid sources of a step by the field they are written in."""
    by_kind = {
        "sms": {"body": step.body},
        "email": {"subject": step.subject, "body": step.body},
        "voice": {"first_message": str(step.config.get("first_message") or ""), "body": step.body},
        "task": {"name": step.name, "body": step.body},
    }
    return by_kind.get(step.kind, {})


def unknown_variables(source: str, used: Iterable[str], known: frozenset[str]) -> Iterator[tuple[str, str, int, int]]:
    """(name, sentence, line, column) of each variable that no contact can have."""
    for name in sorted(used):
        if _COMPUTED.sub("", name) in known or name in known:
            continue
        near = difflib.get_close_matches(name[:60], known, n=1, cutoff=0.6)
        hint = f" Did you mean “{near[0]}”?" if near else ""
        index = _index_of(source, name)
        before = source[:index]
        yield name, f"No contact has “{name}”.{hint}", before.count("\n") + 1, index - before.rfind("\n")


def _of_the_whole(draft: DraftValues) -> Iterator[Problem]:
    if not draft.steps:
        yield Problem("", "steps", "There is no step yet. Add the first one.")
        return
    working = [step for step in draft.steps if step.enabled]
    if not working:
        yield Problem("", "steps", "Every step is switched off.")
    elif not any(step.kind in (*CHANNELS, "task") for step in working):
        yield Problem("", "steps", "No step does anything: add a message, a call or a task.")
    used = {step.kind for step in working}
    if "email" in used and not draft.postal_address:
        yield Problem(
            "",
            "postal_address",
            "Marketing mail must show a postal address (15 USC 7704(a)(5)). Add yours in the settings.",
        )
    for channel in CHANNELS:
        if channel in used and channel not in draft.senders:
            yield Problem(
                "",
                "senders",
                f"No account is set up for {CHANNEL_WORDS[channel]}: these steps wait until there is one.",
                warning=True,
            )


def _of_wait(step: StepValues) -> Iterator[Problem]:
    amounts = [step.config.get(unit) or 0 for unit in ("days", "hours", "minutes")]
    at = step.config.get("at") or ""
    if not all(isinstance(amount, int) and amount >= 0 for amount in amounts):
        yield Problem(step.key, "days", "A wait is made of whole, positive numbers.")
        return
    if not any(amounts) and not at:
        yield Problem(step.key, "days", "This wait takes no time. Give it days, hours or minutes, or remove it.")
    days, hours, minutes = amounts
    if days + hours / 24 + minutes / 1440 > LONGEST_WAIT_DAYS:
        yield Problem(step.key, "days", "A wait can be a year at the most.")
    if at and not _TIME.fullmatch(at):
        yield Problem(step.key, "at", f"“{at}” is not a time of day such as 09:30.")


def _of_message(step: StepValues) -> Iterator[Problem]:
    if step.kind == "voice":
        first = str(step.config.get("first_message") or "")
        if not first.strip():
            yield Problem(step.key, "first_message", "Write the first words of the call.")
        if len(first) > FIRST_MESSAGE_LIMIT:
            yield Problem(step.key, "first_message", f"First words of more than {FIRST_MESSAGE_LIMIT:,} characters.")
        if not step.body.strip():
            yield Problem(step.key, "body", "The caller has no instructions for what comes after.", warning=True)
        return
    if step.kind == "email":
        if not step.subject.strip():
            yield Problem(step.key, "subject", "This email has no subject.")
        if "\n" in step.subject:
            yield Problem(step.key, "subject", "A subject is one line.")
        if len(step.subject) > SUBJECT_LIMIT:
            yield Problem(step.key, "subject", f"A subject has {SUBJECT_LIMIT} characters at the most.")
    if not step.body.strip():
        yield Problem(step.key, "body", f"This {'text' if step.kind == 'sms' else 'email'} is empty.")
    if step.kind == "sms" and len(step.body) > SMS_LIMIT:
        yield Problem(
            step.key, "body", f"Too long: a text can have {SMS_LIMIT:,} characters, this one has {len(step.body):,}."
        )


def _of_templates(step: StepValues, known: frozenset[str]) -> Iterator[Problem]:
    for name, source in templates_of(step).items():
        try:
            template = compile_template(source)
        except TemplateProblem as problem:
            yield Problem(step.key, name, problem.message, problem.line, problem.column)
            continue
        for _, sentence, line, column in unknown_variables(source, template.variables, known):
            yield Problem(step.key, name, sentence, line, column)


def _index_of(source: str, name: str) -> int:
    """Where a variable is first used: inside {{ }} or {% %}, as a word of its own; 0 if it is written in another way."""
    root = re.escape(name)
    for tag in re.finditer(r"\{[{%].*?[%}]\}", source, re.DOTALL):
        found = re.search(rf"(?<![\w.\"']){root}(?![\w\"'])", tag[0])
        if found:
            return tag.start() + found.start()
    return 0
