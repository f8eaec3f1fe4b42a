"""The judge itself: what it must call a failure, and what it must let pass."""

from typing import Any

import pytest

from omnify.commands.chaos.verdict import Ours, Theirs, Verdict, deaf, judge
from omnify.commands.chaos.watch import claimed_after_stop, cut_off, were_unknown

SILENT = {"person": 1, "phone": "+1", "email": "a@x.example", "status": "completed", "reason": ""}
SPEAKER = {"person": 2, "phone": "+2", "email": "b@x.example", "status": "paused", "reason": "replied"}


def message(mark: str, state: str = "delivered", person: int = 1, reason: str = "", **more: Any) -> dict[str, Any]:
    plain = {"channel": "sms", "attempt": 1, "purpose": "marketing"}
    return {"mark": mark, "state": state, "reason": reason, "person": person, **plain, **more}


def got(mark: str, to: str = "+1", **more: Any) -> dict[str, Any]:
    return {"mark": mark, "to": to, "kind": "sms", **more}


def verdict(
    messages: list[dict[str, Any]],
    received: list[dict[str, Any]],
    people: list[dict[str, Any]] | None = None,
    said: list[dict[str, Any]] | None = None,
    **ours: Any,
) -> Verdict:
    account = {"heard": [], "parked": [], "notified": 0, **ours}
    taken = {record["provider_id"] for record in said or ()}
    return judge(
        Ours(messages=messages, people=[SILENT] if people is None else people, **account),
        Theirs(received=received, said=said or [], taken=taken),
        1,
        seed=1, kills={"web": 1}, restarts=0, zombies={}, jumps=0, unsettled=(), claims=1, after_stop=(), seconds=1.0,
    )  # fmt: skip


def test_what_everybody_received_once_is_no_failure() -> None:
    assert verdict([message("m")], [got("m")]).failures == []


def test_the_same_message_twice_is_a_duplicate() -> None:
    assert verdict([message("m")], [got("m"), got("m")]).duplicates == ("m",)


def test_something_received_that_we_never_wrote_is_nobodys_order() -> None:
    assert verdict([message("m")], [got("m"), got("stranger")]).duplicates == ("stranger",)


def test_a_providers_own_confirmation_is_not_ours() -> None:
    assert verdict([message("m")], [got("m"), got("", automatic=True)]).duplicates == ()


@pytest.mark.parametrize("state", ["accepted", "sent", "delivered", "undelivered", "cancelled", "expired", "rejected"])
def test_a_silent_person_must_have_received_it(state: str) -> None:
    assert verdict([message("m", state)], []).lost == (f"m (sms {state})",)


def test_what_is_held_must_have_been_shown() -> None:
    held = message("m", "held")
    assert any("notifications" in line for line in verdict([held, message("n")], [got("n")]).failures)
    shown = verdict([held, message("n", purpose="help")], [got("n")], notified=1)
    assert shown.failures == []


def test_a_person_who_answered_may_be_spared_the_rest() -> None:
    said = [{"from": "+2", "provider_id": "SM1"}]
    messages = [message("n", person=2), message("m", "cancelled", 2, "replied")]
    found = verdict(messages, [got("n", "+2")], [SPEAKER], said, heard=["SM1"])
    assert found.failures == []
    assert found.withheld == {"cancelled replied": 1}


def test_a_sequence_that_stands_still_for_a_silent_person_is_told() -> None:
    paused = {**SILENT, "status": "paused", "reason": "replied"}
    assert len(verdict([message("m")], [got("m")], [paused]).stuck) == 1
    short = {**SILENT, "status": "completed"}
    assert len(verdict([], [got("m")], [short]).stuck) == 1


def test_an_answer_that_was_taken_must_be_in_the_conversation_or_set_aside_in_sight() -> None:
    said = [{"from": "+2", "provider_id": "SM1"}]
    account = ([message("n", person=2)], [got("n", "+2")], [SPEAKER], said)
    assert verdict(*account).deaf == ("SM1",)
    assert verdict(*account, parked=["inbound:SM1"]).deaf == ()


def test_an_answer_whose_webhook_met_a_dead_process_must_be_read_from_the_providers_list() -> None:
    said = [{"from": "+2", "provider_id": "SM1", "kind": "sms"}, {"from": "+2", "provider_id": "m2", "kind": "email"}]
    ours = Ours([message("n", person=2)], [SPEAKER], heard=[], parked=[], notified=0)
    theirs = Theirs([got("n", "+2")], said, taken=set(), listed=("sms",))
    assert deaf(ours, theirs) == ["SM1"]


def test_a_claim_after_the_stop_is_found_by_the_order_of_the_notes() -> None:
    closed, opened = ("closed", "sms", "+1", None), ("opened", "sms", "+1", None)
    notes = [("claimed", "sms", "+1", "a"), closed, ("claimed", "sms", "+1", "b"), ("claimed", "email", "a@x", "c")]
    notes += [opened, ("claimed", "sms", "+1", "d")]
    assert claimed_after_stop(notes) == ["b"]


def test_a_worker_whose_request_nobody_ended_was_killed_inside_it() -> None:
    noted = [
        ("sending", "a", "crew 1"),
        ("sending", "b", "crew 2"),
        ("unknown", "b", "crew 2"),
        ("cut off", "a", "crew 3"),
    ]
    noted += [("sending", "c", "crew 4"), ("cut off", "c", "crew 3")]
    assert cut_off(noted, ["crew 1", "crew 2", "crew 5"]) == 1
    assert were_unknown(noted) == 3
