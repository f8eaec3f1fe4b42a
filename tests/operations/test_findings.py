"""Is it well? The same facts always give the same answer, and each answer has its sentence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omnify.operations.findings import LIMITS, Finding, Seen, age_of, duration, judge, worst

NOW = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
CANARY = {"asked": (NOW - timedelta(seconds=3)).isoformat(), "begun": (NOW - timedelta(seconds=2)).isoformat()}
FACTS: dict[str, Any] = {
    "at": NOW.isoformat(),
    "channels": {name: {"ready": 0, "oldest": None} for name in ("sms", "email", "voice")},
    "due": 0,
    "oldest_due": None,
    "unknown": 0,
    "oldest_unknown": None,
    "held": 0,
    "events": {"new": 0, "unmatched": 0, "oldest": None},
    "parked": 0,
    "clusters": {"default": CANARY, "dispatch": CANARY, "slow": CANARY},
    "pollers": {"asked": None, "failing": 0, "all": 0},
    "drift": 0.0,
}
WELL = Seen(NOW, NOW, NOW, FACTS, 1, (), 0.0)


def ago(**amount: float) -> str:
    return (NOW - timedelta(**amount)).isoformat()


def found(name: str, seen: Seen = WELL, *, send_epoch: int = 1, sending: bool = True) -> Finding:
    return {each.name: each for each in judge(seen, send_epoch=send_epoch, sending=sending)}[name]


def with_facts(**facts: Any) -> Seen:
    return replace(WELL, facts={**FACTS, **facts})


def test_all_is_well_when_it_is() -> None:
    assert [each.name for each in judge(WELL, send_epoch=1, sending=True) if not each.well] == []
    assert worst(judge(WELL, send_epoch=1, sending=True)) == "ok"


@pytest.mark.parametrize(
    ("name", "seen", "state"),
    [
        ("pulse", replace(WELL, beat_at=None), "failed"),
        ("pulse", replace(WELL, beat_at=NOW - timedelta(seconds=14)), "ok"),
        ("pulse", replace(WELL, beat_at=NOW - timedelta(seconds=15)), "degraded"),
        ("pulse", replace(WELL, beat_at=NOW - timedelta(seconds=60)), "failed"),
        ("facts", replace(WELL, measured_at=None), "degraded"),
        ("facts", replace(WELL, measured_at=NOW - timedelta(minutes=3)), "failed"),
        ("clock", replace(WELL, drift=-0.9), "ok"),
        ("clock", replace(WELL, drift=-1.5), "degraded"),
        ("clock", replace(WELL, drift=2.1), "failed"),
        ("clock", with_facts(drift=-2.0), "failed"),
        ("cluster_slow", with_facts(clusters=None), "degraded"),
        ("cluster_slow", with_facts(clusters={"slow": {"asked": ago(seconds=14), "begun": ago(seconds=20)}}), "ok"),
        (
            "cluster_slow",
            with_facts(clusters={"slow": {"asked": ago(seconds=20), "begun": ago(seconds=30)}}),
            "degraded",
        ),
        ("cluster_slow", with_facts(clusters={"slow": {"asked": ago(seconds=70), "begun": None}}), "failed"),
        ("switches", replace(WELL, switched_off=("sms",)), "degraded"),
        ("ready", with_facts(channels={"sms": {"ready": 1, "oldest": ago(seconds=119)}}), "ok"),
        ("ready", with_facts(channels={"sms": {"ready": 1, "oldest": ago(minutes=3)}}), "degraded"),
        ("ready", with_facts(channels={"sms": {"ready": 1, "oldest": ago(minutes=15)}}), "failed"),
        ("unknown", with_facts(unknown=2, oldest_unknown=ago(minutes=4)), "ok"),
        ("unknown", with_facts(unknown=2, oldest_unknown=ago(minutes=6)), "degraded"),
        ("unknown", with_facts(unknown=2, oldest_unknown=ago(minutes=16)), "failed"),
        ("events", with_facts(events={"new": 3, "oldest": ago(seconds=40)}), "degraded"),
        ("events", with_facts(events={"new": 3, "oldest": ago(minutes=6)}), "failed"),
        ("pollers", with_facts(pollers={"asked": ago(minutes=2), "failing": 0}), "ok"),
        ("pollers", with_facts(pollers={"asked": ago(minutes=2), "failing": 1}), "degraded"),
        ("pollers", with_facts(pollers={"asked": ago(hours=2), "failing": 1}), "failed"),
    ],
)
def test_each_check_has_its_limits(name: str, seen: Seen, state: str) -> None:
    finding = found(name, seen)
    assert finding.state == state
    assert finding.sentence.endswith(".")
    assert bool(finding.remedy) == (state != "ok")


def test_another_epoch_is_frozen_and_says_how_it_thaws() -> None:
    finding = found("epoch", send_epoch=2)
    assert finding.state == "failed"
    assert "thaw" in finding.remedy


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "failed"),
        ({"switched_off": ("all",)}, "ok"),
        ({"switched_off": ("sms",)}, "ok"),
        ({"switched_off": ("email",)}, "failed"),
        ({"epoch": 7}, "ok"),
    ],
)
def test_what_is_held_back_on_purpose_is_not_late(changes: dict[str, Any], state: str) -> None:
    late = with_facts(channels={"sms": {"ready": 9, "oldest": ago(hours=2)}})
    assert found("ready", replace(late, **changes)).state == state
    assert found("ready", late, sending=False).state == "ok"


def test_ages_go_on_when_nobody_measures_any_more() -> None:
    old = replace(with_facts(oldest_unknown=ago(seconds=10)), measured_at=NOW - timedelta(seconds=50))
    assert age_of(old, old.facts["oldest_unknown"]) == 60


def test_ages_are_of_the_measurers_clock_and_not_of_the_readers() -> None:
    """A demo stands at another hour of the day; its messages are not hours late for that."""
    elsewhen = NOW + timedelta(hours=7)
    seen = with_facts(at=elsewhen.isoformat(), oldest_due=(elsewhen - timedelta(seconds=3)).isoformat())
    assert age_of(seen, seen.facts["oldest_due"]) == 3


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (7200, "2 h"), (200_000, "2 days")],
)
def test_lengths_of_time_are_said_shortly(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_every_limit_is_used_and_in_order() -> None:
    assert all(degraded < failed for degraded, failed in LIMITS.values())
    used = {each.limits for each in judge(WELL, send_epoch=1, sending=True) if each.limits}
    assert used == set(LIMITS.values())
