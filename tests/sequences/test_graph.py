"""A version as the engine walks it."""

import pytest

from sequences.graph import build
from sequences.render import TemplateProblem


def row(number: int, body: str) -> dict:
    return {
        "id": number,
        "key": f"k{number}",
        "kind": "sms",
        "name": "",
        "enabled": True,
        "subject": "",
        "body": body,
        "config": {},
    }


def test_a_template_nobody_can_read_spoils_its_own_step_alone() -> None:
    graph = build(7, [row(1, "{% for a in (1..9) %}x{% endfor %}"), row(2, "Hello {{ first_name }}")], [(1, 2)])
    with pytest.raises(TemplateProblem, match=r"A range such as \(1\.\.10\) cannot be used in a message\."):
        graph.steps[1].body.render({})
    assert graph.steps[1].body.missing({}) == ()
    assert graph.steps[2].body.render({"first_name": "Ada"}) == "Hello Ada"
    assert (graph.first_id, graph.steps[1].next_id, graph.steps[2].next_id) == (1, 2, None)


@pytest.mark.parametrize(
    ("config", "subject", "said"),
    [
        ({"first_message": "Hi {{ first_name }}"}, "", "Hi Ada"),
        ({"first_message": "Hi"}, "Unused", "Hi"),
        ({}, "From the subject", "From the subject"),
        (None, "", ""),
    ],
)
def test_a_call_takes_its_first_words_where_a_mail_has_its_subject(
    config: dict | None, subject: str, said: str
) -> None:
    call = {**row(1, "Ask about the visit."), "kind": "voice", "config": config, "subject": subject}
    assert build(7, [call], []).steps[1].subject.render({"first_name": "Ada"}) == said
