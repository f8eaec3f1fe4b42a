"""Which requests a rule hits, and that nonsense is refused."""

import pytest

from omnify.simulator.faults import ACTIONS, FaultBook, Plan, Rule


def hits(match: dict, requests: list[tuple[str, str, str]], times: int | None = None, seed: int = 1) -> list[int]:
    book = FaultBook(seed)
    book.add([{"match": match, "do": "status_500", "times": times}])
    return [n for n, request in enumerate(requests, start=1) if book.draw(*request).status]


SAME = [("twilio", "create", "+1")] * 6


@pytest.mark.parametrize(
    ("match", "times", "expected"),
    [
        ({}, None, [1, 2, 3, 4, 5, 6]),
        ({"provider": "*", "op": "*"}, 2, [1, 2]),
        ({"provider": "vapi"}, None, []),
        ({"op": "list"}, None, []),
        ({"to": "+2"}, None, []),
        ({"nth": 3}, None, [3]),
        ({"every": 2}, None, [2, 4, 6]),
        ({"every": 2}, 1, [2]),
        ({"probability": 0}, None, []),
        ({"probability": 1}, None, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_rule_hits_exactly_the_requests_it_names(match, times, expected):
    assert hits(match, SAME, times) == expected


def test_chance_repeats_itself_with_the_seed():
    assert hits({"probability": 0.5}, SAME * 10, seed=7) == hits({"probability": 0.5}, SAME * 10, seed=7)
    assert hits({"probability": 0.5}, SAME * 10, seed=7) != hits({"probability": 0.5}, SAME * 10, seed=8)


def test_rules_that_match_together_make_one_plan():
    book = FaultBook(1)
    book.add([{"do": {"latency_ms": 5}}, {"match": {"op": "create"}, "do": {"duplicate_callbacks": 2}}])
    assert book.draw("twilio", "create") == Plan(latency_ms=5, duplicate_callbacks=2)
    book.clear()
    assert book.draw("twilio", "create") == Plan()


def test_every_known_fault_changes_the_plan():
    for name in ACTIONS:
        rule = Rule.parse({"do": {name: 2}})
        assert Plan(**rule.changes) != Plan(), name


@pytest.mark.parametrize(
    "rule",
    [
        "status_500",
        {},
        {"do": "explode"},
        {"do": {"latency_ms": "soon"}},
        {"do": {"refuse": {}}},
        {"do": "status_500", "match": {"colour": "red"}},
    ],
)
def test_a_rule_nobody_understands_is_refused(rule):
    with pytest.raises(ValueError):
        FaultBook(1).add([rule])
