"""The metronome: what it starts, that it asks once, and that it notices a cluster that hangs."""

from datetime import timedelta

import pytest
from django.db import connection
from django_q.models import OrmQ

from contacts.importing.passes import only_worker
from sequences import wakeups
from sequences.models import Wakeup
from sequences.pulse import AT_WORK, CANARY_OVERDUE, IDLE_PERIOD, PERIOD, RESTART_GRACE, Due, Pulse, rest, wakes
from sequences.tasks import canary, run_tick
from tests.making import make_contact, make_enrollment, make_senders, make_sequence

ALL_RESTARTS = {"restart-default", "restart-dispatch", "restart-slow"}
NOTHING = Due(None, None, None, None, None, False, False)


def kinds(due: Due, now, last=None) -> list[str]:
    return [wake.kind for wake in wakes(due, now, last or {})]


def test_nothing_due_starts_nothing(now) -> None:
    assert kinds(NOTHING, now) == []


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ({"tick": 0}, ["tick"]),
        ({"tick": 60}, []),
        ({"sms": -1, "email": 5, "voice": 0}, ["dispatch-sms", "dispatch-voice"]),
        ({"unsettled": -31}, ["reconcile"]),
        ({"unsettled": -5}, []),
        ({"events": True}, ["inbound"]),
        ({"unmatched": True}, ["inbound"]),
    ],
)
def test_what_is_due_is_started(now, due, expected) -> None:
    fields = {
        name: now + timedelta(seconds=value) if not isinstance(value, bool) else value for name, value in due.items()
    }
    assert kinds(Due(**{**{name: getattr(NOTHING, name) for name in Due.__slots__}, **fields}), now) == expected


def test_events_without_a_match_are_tried_again_only_after_a_while(now) -> None:
    due = Due(None, None, None, None, None, False, True)
    assert kinds(due, now, {"inbound": now - timedelta(seconds=5)}) == []
    assert kinds(due, now, {"inbound": now - timedelta(seconds=31)}) == ["inbound"]


def test_a_slow_channel_has_a_cluster_of_its_own(now) -> None:
    found = {wake.kind: wake.cluster for wake in wakes(Due(None, now, now, now, None, False, False), now, {})}
    assert found == {"dispatch-sms": "dispatch", "dispatch-email": "dispatch", "dispatch-voice": "slow"}


@pytest.mark.django_db
def test_a_wake_up_is_not_asked_for_while_one_of_its_kind_waits(now) -> None:
    assert wakeups.ask("tick", "sequences.tasks.run_tick", now=now) is True
    assert wakeups.ask("tick", "sequences.tasks.run_tick", now=now) is False
    assert OrmQ.objects.count() == 1
    later = now + wakeups.LOST_AFTER + timedelta(seconds=1)
    assert wakeups.ask("tick", "sequences.tasks.run_tick", now=later) is True


@pytest.mark.django_db
def test_one_that_began_may_be_followed_by_the_next(now) -> None:
    wakeups.ask("canary-default", "sequences.tasks.canary", "default", now=now)
    canary("default")
    row = Wakeup.objects.get(kind="canary-default")
    assert row.started_at >= row.asked_at
    assert wakeups.ask("canary-default", "sequences.tasks.canary", "default", now=row.finished_at) is True


@pytest.mark.django_db
def test_the_beat_wakes_the_tick_and_the_tick_does_the_work(people, now, tmp_path) -> None:
    make_senders(people.acme)
    enrollment = make_enrollment(
        make_sequence(people.acme, now), make_contact(people.acme, now), now - timedelta(days=400)
    )
    assert "tick" in Pulse(tmp_path).beat(now)
    assert run_tick() == 1
    enrollment.refresh_from_db()
    assert enrollment.turn == 1


@pytest.mark.django_db
def test_a_cluster_whose_canary_is_overdue_is_asked_to_restart_once(tmp_path, now) -> None:
    pulse = Pulse(tmp_path)
    pulse.beat(now)
    assert list(tmp_path.iterdir()) == []
    overdue = now + CANARY_OVERDUE + timedelta(seconds=1)
    pulse.beat(overdue)
    assert {path.name for path in tmp_path.iterdir()} == ALL_RESTARTS
    for path in tmp_path.iterdir():
        path.unlink()
    pulse.beat(overdue + timedelta(seconds=2))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_a_pulse_that_just_began_blames_no_cluster_for_the_time_all_was_stopped(tmp_path, now) -> None:
    Pulse(tmp_path).beat(now)
    morning = now + timedelta(hours=9)
    next_day = Pulse(tmp_path)
    for seconds in range(0, int((RESTART_GRACE + CANARY_OVERDUE).total_seconds()) + 1):
        next_day.beat(morning + timedelta(seconds=seconds))
    assert list(tmp_path.iterdir()) == []
    next_day.beat(morning + timedelta(seconds=seconds + 1))
    assert {path.name for path in tmp_path.iterdir()} == ALL_RESTARTS


@pytest.mark.django_db
def test_a_restarted_cluster_is_judged_by_a_canary_of_its_own(tmp_path, now) -> None:
    pulse = Pulse(tmp_path)
    pulse.beat(now)
    restarted = now + CANARY_OVERDUE + timedelta(seconds=1)
    pulse.beat(restarted)
    for path in tmp_path.iterdir():
        path.unlink()
    fresh = restarted + RESTART_GRACE
    pulse.beat(fresh)  # the old canary is lost with the old life: a new one goes out
    assert Wakeup.objects.get(kind="canary-dispatch").asked_at == fresh
    canary("dispatch")
    Wakeup.objects.filter(kind="canary-dispatch").update(started_at=fresh + timedelta(seconds=1))
    pulse.beat(fresh + CANARY_OVERDUE + timedelta(seconds=1))
    assert {path.name for path in tmp_path.iterdir()} == ALL_RESTARTS - {"restart-dispatch"}, (
        "the one that answered is left alone"
    )


@pytest.mark.django_db
def test_what_happens_by_the_clock_is_asked_for_once_a_period_whoever_leads(tmp_path, now) -> None:
    Pulse(tmp_path).beat(now)
    Pulse(tmp_path).beat(now + timedelta(seconds=30))
    assert Wakeup.objects.get(kind="imports-resume").asked_at == now
    Pulse(tmp_path).beat(now + timedelta(seconds=61))
    assert Wakeup.objects.get(kind="imports-resume").asked_at == now + timedelta(seconds=61)
    assert Wakeup.objects.get(kind="imports-discard").asked_at == now


def test_every_task_named_in_settings_exists() -> None:
    from django.conf import settings
    from django.utils.module_loading import import_string

    names = [task for _, task, _, _ in import_string(settings.PERIODIC)]
    names += [task for tasks in import_string(settings.SUBSCRIPTIONS).values() for task in tasks]
    assert all(callable(import_string(name)) for name in names)


def restarts_asked_by(pulse: Pulse, folder, moment) -> set[str]:
    pulse.beat(moment)
    return {path.name for path in folder.iterdir()}


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "cluster"), [("dispatch-email", "dispatch"), ("dispatch-voice", "slow")])
def test_a_cluster_that_waits_for_a_provider_is_not_taken_for_one_that_hangs(tmp_path, now, kind, cluster) -> None:
    pulse = Pulse(tmp_path)
    pulse.beat(now)
    began = now + timedelta(seconds=1)
    Wakeup.objects.create(kind=kind, asked_at=now, started_at=began, finished_at=now - timedelta(hours=1))
    longest = AT_WORK[cluster][1]
    assert f"restart-{cluster}" not in restarts_asked_by(pulse, tmp_path, began + longest - timedelta(seconds=1))
    assert f"restart-{cluster}" in restarts_asked_by(pulse, tmp_path, began + longest + timedelta(seconds=1))


@pytest.mark.django_db
def test_a_cluster_that_hangs_after_its_last_task_was_done_is_restarted_at_once(tmp_path, now) -> None:
    pulse = Pulse(tmp_path)
    pulse.beat(now)
    Wakeup.objects.create(kind="dispatch-sms", asked_at=now, started_at=now, finished_at=now)
    assert "restart-dispatch" in restarts_asked_by(pulse, tmp_path, now + CANARY_OVERDUE + timedelta(seconds=1))


@pytest.mark.django_db
def test_an_import_at_work_is_no_cluster_that_hangs(tmp_path, now) -> None:
    pulse = Pulse(tmp_path)
    pulse.beat(now)
    late = now + CANARY_OVERDUE + timedelta(seconds=1)
    with only_worker(7) as at_work:
        assert at_work
        assert "restart-slow" not in restarts_asked_by(pulse, tmp_path, late)
    assert "restart-slow" in restarts_asked_by(pulse, tmp_path, late + timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_has_just_come_up_is_asked_at_once_whether_it_is_well(tmp_path, now) -> None:
    pulse = Pulse(tmp_path)
    assert pulse.lead()
    pulse.beat(now)
    canary("default")
    Wakeup.objects.filter(kind="canary-default").update(started_at=now)
    wakeups.forget("default")
    pulse.wait(5)
    soon = now + timedelta(seconds=1)
    pulse.beat(soon)
    assert Wakeup.objects.get(kind="canary-default").asked_at == soon
    pulse.listener.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("payload", "within"),
    [
        ("dispatch-sms", PERIOD),
        ("tick,inbound", PERIOD),
        ("", PERIOD),
        (wakeups.FORGOTTEN, 0.0),
        ("tick,something", 0.0),
    ],
)
def test_what_a_cluster_hears_itself_is_looked_after_a_second_later(tmp_path, payload, within) -> None:
    pulse = Pulse(tmp_path)
    assert pulse.lead()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('omnify_wake', %s)", [payload])
    assert pulse.wait(5) == within
    pulse.listener.close()


@pytest.mark.django_db
def test_a_beat_while_nothing_is_due_asks_one_question_and_looks_after_the_rest_every_ten_seconds(
    tmp_path, now, django_assert_num_queries
) -> None:
    pulse = Pulse(tmp_path)
    pulse.beat(now)
    with django_assert_num_queries(1):
        pulse.beat(now + timedelta(seconds=4))
    Wakeup.objects.filter(kind__startswith="canary").update(started_at=now + timedelta(seconds=4))
    pulse.beat(now + timedelta(seconds=10))
    with django_assert_num_queries(1):
        pulse.beat(now + timedelta(seconds=14))


@pytest.mark.parametrize(
    ("due", "started", "seconds"),
    [
        ({}, False, IDLE_PERIOD),
        ({}, True, PERIOD),
        ({"events": True}, False, PERIOD),
        ({"unsettled": -5}, False, PERIOD),
        ({"tick": 0.4, "sms": 90}, False, 0.4),
        ({"tick": 1.7}, False, 1.7),
        ({"email": 900}, False, IDLE_PERIOD),
        ({"tick": -3}, False, PERIOD),  # asked for and not begun: it waits for its cluster
    ],
)
def test_it_rests_until_the_next_moment_it_knows_of(now, due, started, seconds) -> None:
    fields = {name: value if value is True else now + timedelta(seconds=value) for name, value in due.items()}
    assert rest(Due(**{name: getattr(NOTHING, name) for name in Due.__slots__} | fields), now, started) == seconds


@pytest.mark.django_db(transaction=True)
def test_one_pulse_leads_and_another_takes_over_when_it_is_gone(tmp_path) -> None:
    first, second = Pulse(tmp_path), Pulse(tmp_path)
    assert [first.lead(), first.lead(), second.lead()] == [True, True, False]
    first.listener.close()
    tries = (second.lead() or bool(second.wait(0.1)) for _ in range(200))  # its session ends a moment after its line
    assert any(tries)
    assert not first.lead()
    assert second.wait(0.01) is None
    for each in (first, second):
        each.listener.close()
