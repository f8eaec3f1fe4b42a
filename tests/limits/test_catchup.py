"""After a standstill the hours ahead carry a little more than usual, and nobody is forgotten."""

from datetime import timedelta
from typing import Any

import pytest

from contacts.models import Contact
from omnify.promises import scene
from omnify.tenants.models import Event
from sequences import switches
from sequences.catchup import after_standstill, after_stop
from sequences.engine import tick
from sequences.models import Enrollment, Message, Wakeup
from sequences.tasks import sending_started

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def morning(now: Any) -> Any:
    return now - 3 * HOUR + 5 * MINUTE  # 8:05 in New York


def rhythm(made: scene.Scene, begins: Any, minutes: int) -> list[int]:
    """Somebody due every minute from `begins` on; ids of their enrolments in that order."""
    people: list[Contact] = made.people(minutes, places=["US-NY"])
    made.enrolled(made.sequence(), people)
    ids = list(Enrollment.objects.all_tenants().order_by("pk").values_list("pk", flat=True))
    for n, pk in enumerate(ids):
        Enrollment.objects.all_tenants().filter(pk=pk).update(next_run_at=begins + n * MINUTE)
    return ids


def decided(begins: Any, ends: Any) -> int:
    """How many messages the engine makes when it ticks every minute."""
    before = Message.objects.all_tenants().count()
    at = begins
    while at < ends:
        while tick(at).decided:
            pass
        at += MINUTE
    return Message.objects.all_tenants().count() - before


def test_the_first_hour_after_six_hours_brings_at_most_a_tenth_more(morning: Any) -> None:
    made = scene.make(morning - HOUR)
    rhythm(made, morning, 7 * 60)  # six hours of standstill, and the hour after it
    resumed = morning + 6 * HOUR
    Wakeup.objects.create(kind="tick", started_at=morning, finished_at=morning)
    assert after_standstill(resumed) >= 358
    assert 60 <= decided(resumed, resumed + HOUR) <= 66
    assert after_standstill(resumed) == 0
    # Nobody is forgotten: the last of them comes within three days.
    late = Enrollment.objects.all_tenants().filter(next_run_at__isnull=False).order_by("-next_run_at")
    assert late[0].next_run_at <= resumed + 72 * HOUR


@pytest.mark.parametrize(("stood", "moved"), [(29 * MINUTE, False), (31 * MINUTE, True)])
def test_a_short_pause_is_caught_up_with_at_once(morning: Any, stood: timedelta, moved: bool) -> None:
    made = scene.make(morning - HOUR)
    rhythm(made, morning, 20)
    Wakeup.objects.create(kind="tick", started_at=morning, finished_at=morning)
    assert bool(after_standstill(morning + stood)) is moved


def test_a_quiet_night_is_no_standstill(morning: Any) -> None:
    made = scene.make(morning - HOUR)
    rhythm(made, morning, 20)
    Wakeup.objects.create(kind="tick", started_at=morning - 9 * HOUR, finished_at=morning - 9 * HOUR)
    assert after_standstill(morning + 25 * MINUTE) == 0


def test_who_is_to_leave_does_not_wait(morning: Any) -> None:
    made = scene.make(morning - HOUR)
    ids = rhythm(made, morning, 10)
    Enrollment.objects.all_tenants().filter(pk=ids[-1]).update(status="paused", status_reason="opted_out")
    Wakeup.objects.create(kind="tick", started_at=morning, finished_at=morning)
    after_standstill(morning + 5 * HOUR)
    assert Enrollment.objects.all_tenants().get(pk=ids[-1]).next_run_at == morning + 9 * MINUTE


def test_a_switch_that_was_off_for_hours_lets_its_people_go_a_little_at_a_time(morning: Any) -> None:
    made = scene.make(morning - HOUR)
    rhythm(made, morning, 120)
    switches.switch_off("all", by="pat", reason="a wrong text", now=morning)
    assert decided(morning, morning + 3 * HOUR) == 0
    resumed = morning + 3 * HOUR
    switches.switch_on("all", by="pat", reason="put right", now=resumed)
    # 120 people in two hours, spread over 36: some three an hour.
    assert decided(resumed, resumed + HOUR) <= 12
    waiting = Enrollment.objects.all_tenants().filter(status="active", next_run_at__lte=resumed + 36 * HOUR)
    assert waiting.count() >= 108


def test_a_tenant_that_stopped_is_spread_alone(morning: Any) -> None:
    mine, other = scene.make(morning - HOUR), scene.make(morning - HOUR)
    for each in (mine, other):
        each.enrolled(each.sequence(), each.people(5))
    Enrollment.objects.all_tenants().update(status_reason="sending_off", next_run_at=morning)
    events = [
        Event.objects.create(tenant=mine.tenant, kind=kind, at=at, actor="test")
        for kind, at in (("tenant.sending_stopped", morning - 5 * HOUR), ("tenant.sending_started", morning))
    ]
    assert sending_started(events[1].pk, mine.tenant.pk) == 5
    assert Enrollment.objects.all_tenants().filter(next_run_at=morning).count() == 5
    assert after_stop(morning - 10 * MINUTE, morning) == 0
