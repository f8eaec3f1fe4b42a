from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sequences import guards, states
from sequences.guards import Stop, WireFacts, judge, latest_arrival, verdict_of

NOW = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)  # 11:00 in New York
FINE = WireFacts(
    channel="sms",
    purpose="marketing",
    expires_at=NOW + timedelta(hours=4),
    sending_on=True,
    tenant_enabled=True,
    tenant_mode="simulated",
    tenant_zone="America/New_York",
    sequence_status="active",
    enrollment_status="active",
    enrollment_reason="",
    contact_deleted=False,
    zones=("America/New_York",),
    places=("US-NY",),
    window={"days": [0, 1, 2, 3, 4, 5, 6], "start": "08:00", "end": "21:00"},
    suppressed=False,
    consents=frozenset({"pewc_text"}),
    has_sender=True,
    sender_simulated=True,
    sender_paused_until=None,
    in_flight="",
)


def facts(**changes: Any) -> WireFacts:
    return replace(FINE, **changes)


def test_nothing_against_it_means_go() -> None:
    assert judge(FINE, NOW) is None


def test_the_people_of_an_archived_sequence_go_on_to_the_end() -> None:
    assert judge(facts(sequence_status="archived"), NOW) is None


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({"sending_on": False}, "deferred", "sending_off"),
        ({"tenant_enabled": False}, "deferred", "sending_off"),
        ({"sender_simulated": False}, "cancelled", "real_sender_in_simulated_mode"),
        ({"sequence_status": "paused"}, "deferred", "sequence_paused"),
        ({"enrollment_status": "paused", "enrollment_reason": "replied"}, "cancelled", "replied"),
        ({"enrollment_status": "exited"}, "cancelled", "enrollment_exited"),
        ({"human_hold": True}, "deferred", "human_hold"),
        ({"contact_deleted": True}, "cancelled", "contact_deleted"),
        ({"suppressed": True}, "suppressed", "suppressed"),
        ({"consents": frozenset()}, "suppressed", "no_consent: US-text-consent"),
        ({"consents": frozenset({"prior_express", "inquiry"})}, "suppressed", "no_consent: US-text-consent"),
        ({"channel": "voice"}, "suppressed", "no_consent: US-artificial-voice-consent"),
        ({"places": ("DE",)}, "suppressed", "closed_country: no-rule:DE"),
        ({"channel": "voice", "places": ("US-ME",)}, "suppressed", "closed_country: US-ME-artificial-voice"),
        ({"channel": "email", "postal_address": False}, "deferred", "no_postal_address: US-email"),
        (
            {"channel": "email", "places": ("GB",), "consents": frozenset()},
            "suppressed",
            "no_consent: GB-email-consent",
        ),
        (
            {"places": ("US-NY", "US-PA"), "expires_at": NOW + timedelta(days=9), "zones": ("Asia/Tokyo",)},
            "deferred",
            "quiet_hours: US-hours, US-PA-hours",
        ),
        ({"expires_at": NOW}, "expired", "expired"),
        ({"has_sender": False}, "deferred", "no_sender"),
        ({"sender_paused_until": NOW + timedelta(minutes=9)}, "deferred", "sender_paused"),
        ({"in_flight": "sending"}, "ready", "one_at_a_time"),
        ({"in_flight": "unknown"}, "ready", "one_at_a_time"),
    ],
)
def test_each_guard_leaves_a_state_and_a_reason(changes: dict[str, Any], state: str, reason: str) -> None:
    stop = judge(facts(**changes), NOW)
    assert stop is not None
    assert (stop.state, stop.reason) == (state, reason)
    assert (stop.not_before is not None) == (state in ("deferred", "ready"))
    assert stop.not_before is None or stop.not_before > NOW


@pytest.mark.parametrize(
    "changes",
    [
        {"enrollment_status": "completed"},  # its last message is decided before it has left
        {"channel": "voice", "consents": frozenset({"pewc_artificial_voice"})},
        {"channel": "email", "consents": frozenset()},
        {"tenant_mode": "live", "sender_simulated": False},
        {"sender_paused_until": NOW - timedelta(seconds=1)},
        {"enrollment_status": "", "sequence_status": ""},
    ],
)
def test_what_is_no_reason_to_stop(changes: dict[str, Any]) -> None:
    assert judge(facts(**changes), NOW) is None


@pytest.mark.parametrize("purpose", ["confirmation", "help"])
def test_the_answer_to_stop_goes_out_to_a_suppressed_person_at_any_hour(purpose: str) -> None:
    night = datetime(2026, 11, 18, 5, 0, tzinfo=UTC)
    silenced = facts(
        purpose=purpose,
        suppressed=True,
        consents=frozenset(),
        enrollment_status="exited",
        expires_at=night + timedelta(hours=1),
    )
    assert judge(silenced, night) is None


def test_a_members_own_words_do_not_reach_a_suppressed_person() -> None:
    stop = judge(facts(purpose="reply", suppressed=True), NOW)
    assert stop is not None
    assert stop.state == states.SUPPRESSED


def test_the_kill_switch_stops_even_the_answer_to_stop() -> None:
    stop = judge(facts(purpose="confirmation", tenant_enabled=False), NOW)
    assert stop is not None
    assert stop.reason == "sending_off"


@pytest.mark.parametrize(
    ("local_hour", "minute", "second", "expected"),
    [(8, 0, 0, None), (7, 59, 59, "deferred"), (20, 58, 29, None), (20, 58, 31, "deferred"), (21, 0, 0, "deferred")],
)
def test_the_last_ninety_seconds_of_the_window_are_closed(
    local_hour: int, minute: int, second: int, expected: str | None
) -> None:
    moment = datetime(2026, 11, 18, local_hour, minute, second, tzinfo=UTC) + timedelta(hours=5)
    stop = judge(facts(expires_at=moment + timedelta(hours=24)), moment)
    assert (stop.state if stop else None) == expected
    if stop:
        assert stop.not_before is not None
        assert judge(facts(expires_at=moment + timedelta(hours=48)), stop.not_before) is None


def test_a_message_is_sent_only_when_every_zone_the_person_may_be_in_is_open() -> None:
    early = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)  # 9:00 in New York, 6:00 in Los Angeles
    both = facts(zones=("America/New_York", "America/Los_Angeles"), expires_at=early + timedelta(hours=9))
    stop = judge(both, early)
    assert stop == Stop(states.DEFERRED, "quiet_hours: US-hours", datetime(2026, 11, 18, 16, 0, tzinfo=UTC))


def test_a_message_that_would_be_old_when_the_window_opens_expires_at_once() -> None:
    night = datetime(2026, 11, 18, 5, 0, tzinfo=UTC)
    assert judge(facts(expires_at=night + timedelta(hours=2)), night) == Stop(states.EXPIRED, "quiet_hours: US-hours")


def test_a_window_that_never_opens_expires_it() -> None:
    assert judge(facts(window={"days": [], "start": "08:00", "end": "21:00"}), NOW) == Stop(
        states.EXPIRED, "never_open"
    )


def test_the_provider_may_hold_a_text_back_no_longer_than_the_window_is_open() -> None:
    evening = datetime(2026, 11, 19, 1, 30, tzinfo=UTC)  # 20:30 in New York
    late = facts(expires_at=evening + timedelta(hours=4))
    assert latest_arrival(late, evening) == evening + timedelta(minutes=29)
    assert latest_arrival(facts(expires_at=NOW + timedelta(minutes=5)), NOW) == NOW + timedelta(minutes=5)


def test_the_permit_of_a_message_names_the_rules_that_were_asked_and_their_end() -> None:
    assert verdict_of(facts(places=("US-FL",)), NOW).permit == {
        "rules": ["US-text-consent", "US-hours", "US-FL-hours"],
        "until": "2026-11-19T01:00:00+00:00",
    }


def test_what_the_provider_holds_back_must_arrive_before_the_states_hours_end() -> None:
    evening = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)  # 18:30 in New York
    late = facts(places=("US-NY", "US-PA"), expires_at=evening + timedelta(hours=4))
    assert latest_arrival(late, evening) == evening + timedelta(minutes=29)


def test_a_guard_that_raises_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(facts: WireFacts, now: datetime) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(guards, "GUARDS", (*guards.GUARDS, broken))
    with pytest.raises(ZeroDivisionError):
        judge(FINE, NOW)
