"""A draft as a list to read: its steps grouped by the day they come on, each with a line that says what it is. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sequences.problems import Problem, StepValues
from sequences.wording import wait_in_words

KIND_WORDS: Final = {
    "sms": "Text",
    "email": "Email",
    "voice": "AI call",
    "wait": "Wait",
    "task": "Task",
    "exit": "Exit",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the list. `day` is set on the first step of a day."""

    step: StepValues
    number: int
    day: int | None
    summary: str
    problems: tuple[Problem, ...]
    first: bool
    last: bool

    @property
    def kind_word(self) -> str:
        return KIND_WORDS[self.step.kind]

    @property
    def title(self) -> str:
        if self.step.kind == "wait":
            return f"Wait {wait_in_words(self.step.config)}"
        return self.step.name or self.kind_word


def outline(steps: Iterable[StepValues], problems: Iterable[Problem] = ()) -> tuple[Line, ...]:
    """The lines of these steps in their order. Day 1 is the day of enrolment; waits that are switched off take no time."""
    rows = list(steps)
    by_step: dict[str, list[Problem]] = {}
    for problem in problems:
        by_step.setdefault(problem.step_key, []).append(problem)
    lines: list[Line] = []
    hours, shown = 0.0, 0
    for index, step in enumerate(rows):
        day = int(hours // 24) + 1
        lines.append(
            Line(
                step=step,
                number=index + 1,
                day=day if day != shown else None,
                summary=summary_of(step),
                problems=tuple(by_step.get(step.key, ())),
                first=index == 0,
                last=index == len(rows) - 1,
            )
        )
        shown = day
        if step.kind == "wait" and step.enabled:
            hours += _length(step.config)
    return tuple(lines)


def summary_of(step: StepValues) -> str:
    """One line of what a step says or does, for when it is folded."""
    texts: Mapping[str, str] = {
        "sms": step.body,
        "email": step.subject or step.body,
        "voice": str(step.config.get("first_message") or step.body),
        "task": step.body,
        "exit": "Whoever gets here leaves the sequence.",
    }
    line = " ".join(texts.get(step.kind, "").split())
    return line if len(line) <= 110 else line[:109].rstrip() + "…"


def _length(config: Mapping[str, object]) -> float:
    """A wait in hours, "at" counting as the rest of that day: good enough to name the day, no promise of the hour."""
    amounts = [config.get(unit) for unit in ("days", "hours", "minutes")]
    days, hours, minutes = (amount if isinstance(amount, int | float) else 0 for amount in amounts)
    return days * 24 + hours + minutes / 60 + (24 if config.get("at") and not days else 0)
