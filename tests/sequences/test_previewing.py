"""A step as one person gets it, and the list of steps by days. No database."""

from datetime import UTC, datetime

import pytest

from contacts.variables import NAMES, template_variables
from sequences.outline import outline
from sequences.previewing import Piece, preview
from sequences.problems import Problem, StepValues

NOW = datetime(2026, 11, 18, 16, tzinfo=UTC)
PAT = template_variables({"first_name": "Pat", "custom_fields": {"size": 9}}, NOW)
NOBODY = template_variables({}, NOW)
KNOWN = (*NAMES, "custom.size")


def sms(body, **fields):
    return StepValues("s", "sms", body=body, **fields)


def test_a_text_is_rendered_and_counted_for_one_person():
    seen = preview(sms("Hi {{ first_name }}, size {{ custom.size }}?"), PAT, KNOWN)
    assert seen.text("body") == "Hi Pat, size 9?"
    assert (seen.sendable, seen.missing, seen.count.segments) == (True, (), 1)


def test_the_worst_case_shows_each_hole_in_its_place():
    seen = preview(sms("Hi {{ first_name }}, size {{ custom.size }} at {{ company | default: 'work' }}"), NOBODY, KNOWN)
    assert seen.parts["body"] == (
        Piece("Hi "),
        Piece("first_name", hole=True),
        Piece(", size "),
        Piece("custom.size", hole=True),
        Piece(" at work"),
    )
    assert seen.missing == ("first_name", "custom.size")
    assert seen.sendable is False


def test_a_template_that_cannot_be_written_says_why_and_the_other_fields_are_shown():
    step = StepValues("s", "email", subject="Hi {{ first_name }}", body="{{ first_nam }}")
    seen = preview(step, PAT, KNOWN)
    assert "Did you mean “first_name”?" in seen.problems["body"]
    assert seen.text("subject") == "Hi Pat"


def test_a_dear_character_is_named_once_and_one_from_the_data_cannot_be_replaced_here():
    seen = preview(sms("It’s {{ first_name }}’s"), template_variables({"first_name": "Zoë—"}, NOW), KNOWN)
    assert seen.count.encoding == "UCS-2"
    assert [(each.char, each.replacement) for each in seen.replaceable] == [("’", "'"), ("ë", None), ("—", None)]


@pytest.mark.parametrize(
    ("steps", "days"),
    [
        ([("sms", {}), ("email", {})], [1, None]),
        ([("sms", {}), ("wait", {"days": 2}), ("email", {})], [1, None, 3]),
        ([("wait", {"hours": 3}), ("sms", {})], [1, None]),
        ([("wait", {"hours": 20}), ("wait", {"hours": 5}), ("sms", {})], [1, None, 2]),
        ([("wait", {"at": "09:00"}), ("sms", {})], [1, 2]),
    ],
)
def test_steps_are_grouped_by_the_day_they_come_on(steps, days):
    lines = outline(StepValues(str(n), kind, config=config) for n, (kind, config) in enumerate(steps))
    assert [line.day for line in lines] == days


def test_a_wait_that_is_switched_off_takes_no_time():
    lines = outline([StepValues("a", "wait", config={"days": 2}, enabled=False), sms("Hi")])
    assert [line.day for line in lines] == [1, None]


def test_a_folded_step_says_what_it_is_and_what_is_wrong():
    problem = Problem("s", "body", "Too long")
    (line,) = outline([sms("word " * 60)], [problem, Problem("other", "body", "x")])
    assert line.summary.endswith("…")
    assert len(line.summary) <= 110
    assert line.problems == (problem,)
    assert (line.title, line.first, line.last) == ("Text", True, True)
