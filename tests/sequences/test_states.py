import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequences import states
from sequences.models.message import MessageState

REPORTS = [
    (provider, status, report) for provider, words in states.REPORTS.items() for status, report in words.items()
] + [("vapi", "end", states.CALL_FAILED), ("vapi", "end", states.CALL_DONE)]


def fold(events: list[states.Report], state: str = states.SENDING, rank: int = 0) -> tuple[str, int]:
    for event in events:
        state, rank = states.merge(state, rank, event) or (state, rank)
    return state, rank


def test_the_machine_has_exactly_the_models_states() -> None:
    assert set(states.TRANSITIONS) == set(MessageState.values)
    assert set().union(*states.TRANSITIONS.values()) <= set(MessageState.values)


def test_no_state_of_ours_leads_back_to_the_wire_except_through_ready() -> None:
    assert {state for state in states.TRANSITIONS if states.allowed(state, states.SENDING)} == {states.CLAIMED}
    assert {state for state in states.TRANSITIONS if states.allowed(state, states.CLAIMED)} == {
        states.READY,
        states.DEFERRED,
    }


@pytest.mark.parametrize(
    "statuses",
    [
        ("queued", "sending", "sent", "delivered"),
        ("queued", "sent", "undelivered"),
        ("sent", "failed", "delivered"),
        ("queued", "canceled", "sent", "delivered", "read"),
        ("accepted", "queued", "sending", "sent", "undelivered", "delivered"),
    ],
)
def test_every_order_of_the_same_texts_reports_ends_in_one_state(statuses: tuple[str, ...]) -> None:
    events = [states._TWILIO[status] for status in statuses]
    ends = {fold(list(order)) for order in itertools.permutations(events)}
    assert len(ends) == 1
    assert ends.pop()[1] == max(event.rank for event in events)


@given(
    st.sampled_from(sorted(states.REPORTS)),
    st.data(),
)
def test_duplicates_and_order_never_matter(provider: str, data: st.DataObject) -> None:
    words = sorted(states.REPORTS[provider])
    chosen = data.draw(st.lists(st.sampled_from(words), min_size=1, max_size=8))
    shuffled = data.draw(st.permutations(chosen + chosen))
    as_events = [states.REPORTS[provider][word] for word in chosen]
    assert fold(as_events) == fold([states.REPORTS[provider][word] for word in shuffled])


@pytest.mark.parametrize("provider", sorted(states.REPORTS))
def test_reports_of_one_provider_with_equal_rank_mean_the_same_state(provider: str) -> None:
    by_rank: dict[int, set[str]] = {}
    for name, _, report in REPORTS:
        if name == provider:
            by_rank.setdefault(report.rank, set()).add(report.state)
    assert all(len(found) == 1 for found in by_rank.values()), by_rank


def test_a_late_failure_never_overwrites_delivered() -> None:
    delivered = states._TWILIO["delivered"]
    for status in ("failed", "undelivered", "canceled", "sent", "queued", "delivered"):
        assert states.merge(states.DELIVERED, delivered.rank, states._TWILIO[status]) is None


def test_a_call_that_ended_is_settled_by_its_reason_in_whatever_order_it_comes() -> None:
    events = [states._VAPI["ended"], states._VAPI["ringing"], states.call_ended(reached_person=True)]
    assert {fold(list(order))[0] for order in itertools.permutations(events)} == {states.DELIVERED}
    events[-1] = states.call_ended(reached_person=False)
    assert {fold(list(order))[0] for order in itertools.permutations(events)} == {states.UNDELIVERED}


def test_a_word_nobody_knows_changes_nothing() -> None:
    assert states.report("twilio", "partially_delivered") is None
    assert states.report("carrier-pigeon", "sent") is None
