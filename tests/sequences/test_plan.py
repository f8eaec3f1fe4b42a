"""The policy as a table: one person, one step, one answer, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sequences.decisions import Exit, Handoff, Reason, Send, Skip, Task, Wait
from sequences.graph import build
from sequences.limits import NO_LIMITS, Touch, limits_of
from sequences.plan import MAX_WALK, PersonFacts, SequenceFacts, Standing, plan
from sequences.windows import Window

NOW = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)  # Wednesday, 11:00 in New York
NIGHT = datetime(2026, 11, 18, 6, 0, tzinfo=UTC)
PERSON = PersonFacts(
    deleted=False, email="ada@people.example", phone="+12125550100", email_valid=None, phone_valid=None, phone_type="mobile",
    zones=("America/New_York",), places=("US-NY",), suppressed={}, consents=frozenset({"pewc_text", "pewc_artificial_voice"}),
    variables=lambda: {"first_name": "Ada", "company": ""},
)  # fmt: skip
SEQUENCE = SequenceFacts(
    status="active",
    window=Window.from_json({}),
    tenant_zone="America/New_York",
    sending_enabled=True,
    senders={"sms": 1, "email": 2, "voice": 3},
)
STANDING = Standing(status="active", status_reason="", step_id=1, visit=0, waited=False, needs_human=False)
STOPPED = {"sms": {"why": "opted_out", "quote": "stop", "since": "2026-11-01"}}


def changed(row: Any, **values: Any) -> Any:
    from dataclasses import replace

    return replace(row, **values)


def graph(*kinds: str | dict[str, Any]):
    rows = []
    for number, kind in enumerate(kinds, start=1):
        row = {"kind": kind} if isinstance(kind, str) else kind
        rows.append(
            {
                "id": number,
                "key": f"k{number}",
                "name": "",
                "enabled": True,
                "subject": "",
                "body": "Hi {{ first_name }}",
                "config": {},
            }
            | row
        )
    return build(1, rows, [(number, number + 1) for number in range(1, len(rows))])


def decide(*kinds: Any, person=PERSON, sequence=SEQUENCE, standing=STANDING, now=NOW):
    return plan(standing, person, sequence, graph(*kinds), now)


@pytest.mark.parametrize(
    ("kind", "person", "sequence", "standing", "decision", "reason"),
    [
        ("sms", {}, {}, {"needs_human": True}, Wait, Reason.HUMAN_HOLD),
        ("sms", {"deleted": True}, {}, {"needs_human": True}, Exit, Reason.CONTACT_DELETED),
        (
            "sms",
            {"suppressed": STOPPED},
            {},
            {"status": "paused", "status_reason": "opted_out"},
            Exit,
            Reason.OPTED_OUT,
        ),
        ("sms", {}, {}, {"status": "paused", "status_reason": "replied"}, Wait, Reason.REPLIED),
        ("sms", {}, {"exit_on_reply": True}, {"status": "paused", "status_reason": "replied"}, Exit, Reason.REPLIED),
        ("sms", {}, {"exit_on_reply": True}, {"status": "paused"}, Wait, Reason.PAUSED),
        ("sms", {}, {}, {"status": "paused"}, Wait, Reason.PAUSED),
        ("sms", {}, {"status": "paused"}, {}, Wait, Reason.SEQUENCE_PAUSED),
        ("sms", {}, {"status": "archived"}, {}, Send, Reason.SENT),
        ("sms", {"phone": ""}, {}, {}, Skip, Reason.NO_ADDRESS),
        ("email", {"email": ""}, {}, {}, Skip, Reason.NO_ADDRESS),
        ("sms", {"suppressed": STOPPED}, {}, {}, Skip, Reason.SUPPRESSED),
        ("email", {"suppressed": STOPPED}, {}, {}, Send, Reason.SENT),
        ("sms", {"phone_valid": False}, {}, {}, Skip, Reason.ADDRESS_INVALID),
        ("email", {"email_valid": False}, {}, {}, Skip, Reason.ADDRESS_INVALID),
        ("sms", {"phone_type": "landline"}, {}, {}, Skip, Reason.LANDLINE),
        ("voice", {"phone_type": "landline"}, {}, {}, Send, Reason.SENT),
        ("sms", {"consents": frozenset()}, {}, {}, Skip, Reason.NO_CONSENT),
        ("sms", {"consents": frozenset({"inquiry", "prior_express"})}, {}, {}, Skip, Reason.NO_CONSENT),
        ("voice", {"consents": frozenset({"pewc_text"})}, {}, {}, Skip, Reason.NO_CONSENT),
        ("email", {"consents": frozenset()}, {}, {}, Send, Reason.SENT),
        ("sms", {}, {"sending_enabled": False}, {}, Wait, Reason.SENDING_OFF),
        ("sms", {}, {"senders": {}}, {}, Wait, Reason.NO_SENDER),
        ({"kind": "sms", "body": "Hi {{ company }}"}, {}, {}, {}, Handoff, Reason.MISSING_VARIABLE),
        ({"kind": "sms", "body": "Hi {{ company | default: 'there' }}"}, {}, {}, {}, Send, Reason.SENT),
        ({"kind": "sms", "enabled": False}, {}, {}, {}, Skip, Reason.STEP_DISABLED),
        ({"kind": "task", "name": "Call Ada"}, {}, {}, {}, Task, Reason.TASK_CREATED),
        ("exit", {}, {}, {}, Exit, Reason.EXIT_STEP),
    ],
)
def test_one_step_one_answer(kind, person, sequence, standing, decision, reason) -> None:
    turn = decide(
        kind,
        person=changed(PERSON, **person),
        sequence=changed(SEQUENCE, **sequence),
        standing=changed(STANDING, **standing),
    )
    assert (type(turn.entries[0].decision), turn.entries[0].decision.reason) == (decision, reason)


def test_the_first_reason_in_the_order_of_checks_is_the_one_told() -> None:
    person = changed(PERSON, phone_valid=False, suppressed=STOPPED, consents=frozenset())
    turn = decide("sms", person=person, sequence=changed(SEQUENCE, sending_enabled=False), now=NIGHT)
    assert turn.entries[0].decision.reason == Reason.SUPPRESSED


def test_night_waits_for_the_morning_and_keeps_the_step() -> None:
    turn = decide("sms", now=NIGHT)
    assert turn.entries[0].decision.reason == Reason.QUIET_HOURS
    assert (turn.step_id, turn.visit, turn.next_run_at) == (1, 0, datetime(2026, 11, 18, 13, 0, tzinfo=UTC))


def test_a_wait_for_the_hours_names_the_rules_and_the_clocks() -> None:
    turn = decide("sms", now=NIGHT, person=changed(PERSON, places=("US-FL",)))
    facts = turn.entries[0].decision.facts
    assert facts["rules"] == ["US-hours", "US-FL-hours", "window"]
    assert facts["why"][1] == {
        "rule": "US-FL-hours",
        "zone": "America/New_York",
        "local": "Wed 01:00",
        "hours": "08:00–20:00",
    }


@pytest.mark.parametrize("kind", ["sms", "voice", "email"])
def test_a_country_without_rules_is_passed_over_with_a_receipt_that_names_it(kind: str) -> None:
    turn = decide(kind, "exit", person=changed(PERSON, zones=("Europe/Berlin",), places=("DE",)))
    assert isinstance(turn.entries[0].decision, Skip)
    assert turn.entries[0].decision.reason == Reason.CLOSED_COUNTRY
    assert turn.entries[0].decision.facts["rules"] == ["no-rule:DE"]
    assert turn.status == "completed"


def test_mail_to_a_country_of_consent_needs_consent() -> None:
    british = changed(PERSON, zones=("Europe/London",), places=("GB",))
    turn = decide("email", person=british)
    assert turn.entries[0].decision.reason == Reason.NO_CONSENT
    assert turn.entries[0].decision.facts["rules"] == ["GB-email-consent"]
    agreed = changed(british, consents=frozenset({"email_optin"}))
    assert isinstance(decide("email", person=agreed).entries[0].decision, Send)


def test_hours_that_never_meet_because_nobody_knows_the_place_are_looked_at_again() -> None:
    turn = decide("sms", person=changed(PERSON, zones=("Asia/Tokyo",), places=()))
    assert (turn.status, turn.entries[0].decision.reason) == ("active", Reason.QUIET_HOURS)
    assert turn.next_run_at == NOW + timedelta(hours=1)


def reached_at(*hours_ago: float, channel: str = "sms", purpose: str = "marketing") -> tuple[Touch, ...]:
    return tuple(Touch(channel, purpose, NOW - timedelta(hours=ago)) for ago in hours_ago)


TWO_A_DAY = limits_of('{"person": {"all": {"day": 2}}}')
NO_TEXTS = limits_of('{"person": {"sms": {"day": 0}}}')


@pytest.mark.parametrize(
    ("kind", "limits", "place", "touches", "again"),
    [
        ("sms", TWO_A_DAY, "US-NY", reached_at(20, 3), timedelta(hours=4)),
        ("sms", TWO_A_DAY, "US-NY", reached_at(25, 3), None),
        ("sms", TWO_A_DAY, "US-NY", reached_at(20) + reached_at(3, channel="email"), timedelta(hours=4)),
        ("sms", TWO_A_DAY, "US-NY", reached_at(20) + reached_at(3, purpose="reply"), None),
        ("sms", NO_TEXTS, "US-NY", (), timedelta(hours=1)),
        ("email", NO_TEXTS, "US-NY", (), None),
        ("sms", NO_LIMITS, "US-FL", reached_at(23, 5, 1), timedelta(hours=1)),
        ("sms", NO_LIMITS, "US-FL", reached_at(23, 5), None),
        ("email", NO_LIMITS, "US-FL", reached_at(23, 5, 1), None),
    ],
)
def test_who_has_had_enough_waits_at_the_step_until_the_cap_lets_go(kind, limits, place, touches, again) -> None:
    turn = decide(
        kind, person=changed(PERSON, places=(place,), touches=touches), sequence=changed(SEQUENCE, limits=limits)
    )
    if again is None:
        assert isinstance(turn.entries[0].decision, Send)
    else:
        assert (turn.entries[0].decision.reason, turn.step_id, turn.visit) == (Reason.CAPPED, 1, 0)
        assert turn.next_run_at == NOW + again


def test_a_window_about_to_close_is_closed() -> None:
    almost_nine = datetime(2026, 11, 19, 1, 59, tzinfo=UTC)  # 20:59 in New York
    turn = decide("sms", now=almost_nine)
    assert isinstance(turn.entries[0].decision, Wait)
    assert turn.next_run_at == datetime(2026, 11, 19, 13, 0, tzinfo=UTC)


def test_mail_at_night_only_minds_the_tenants_own_window() -> None:
    assert isinstance(
        decide(
            "email", sequence=changed(SEQUENCE, window=Window.from_json({"start": "00:00", "end": "23:59"})), now=NIGHT
        )
        .entries[0]
        .decision,
        Send,
    )


def test_zones_that_share_no_hour_go_to_a_person() -> None:
    office = Window.from_json({"start": "09:00", "end": "17:00"})
    turn = decide(
        "sms",
        person=changed(PERSON, zones=("America/New_York", "Asia/Tokyo")),
        sequence=changed(SEQUENCE, window=office),
    )
    assert (turn.status, turn.entries[0].decision.reason) == ("failed", Reason.NEVER_OPEN)


def test_after_a_send_the_wait_begins_and_is_told_on_the_same_receipt() -> None:
    turn = decide("sms", {"kind": "wait", "config": {"days": 2}}, "email")
    assert len(turn.entries) == 1
    assert (turn.step_id, turn.waited, turn.visit) == (2, True, 1)
    assert turn.entries[0].next_run_at == turn.next_run_at == NOW + timedelta(days=2)


def test_a_served_wait_is_passed_without_a_receipt_of_its_own() -> None:
    turn = decide("wait", "sms", standing=changed(STANDING, waited=True))
    assert [type(entry.decision) for entry in turn.entries] == [Send]
    assert turn.entries[0].visit == 1


def test_a_wait_at_the_start_has_a_receipt() -> None:
    turn = decide({"kind": "wait", "config": {"hours": 3}}, "sms")
    assert (turn.entries[0].decision.reason, turn.next_run_at, turn.waited) == (
        Reason.WAITING,
        NOW + timedelta(hours=3),
        True,
    )


def test_what_cannot_be_sent_is_skipped_and_the_walk_goes_on_to_what_can() -> None:
    turn = decide("sms", "task", "email", person=changed(PERSON, suppressed=STOPPED))
    assert [type(entry.decision) for entry in turn.entries] == [Skip, Task, Send]
    assert [entry.visit for entry in turn.entries] == [0, 1, 2]


def test_two_messages_in_a_row_are_two_turns() -> None:
    turn = decide("sms", "email")
    assert len(turn.entries) == 1
    assert (turn.step_id, turn.next_run_at, turn.status) == (2, NOW, "active")


def test_the_last_step_completes() -> None:
    turn = decide("sms")
    assert (turn.status, turn.next_run_at, turn.step_id) == ("completed", None, None)


def test_a_loop_of_silent_steps_is_parked_in_sight() -> None:
    rows = [
        {"id": n, "key": f"k{n}", "kind": "task", "name": "", "enabled": True, "subject": "", "body": "x", "config": {}}
        for n in (1, 2)
    ]
    turn = plan(STANDING, PERSON, SEQUENCE, build(1, rows, [(1, 2), (2, 1)]), NOW)
    assert (turn.status, turn.status_reason) == ("failed", Reason.LOOP_GUARD)
    assert len(turn.entries) == MAX_WALK + 1


def test_the_same_facts_give_the_same_turn() -> None:
    assert decide("sms", "email") == decide("sms", "email")
