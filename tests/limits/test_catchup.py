"""After a standstill the hours ahead carry a little more than usual, and nobody is forgotten."""

from datetime import timedelta
from typing import Any

import pytest
from django_q.models import OrmQ

from contacts.models import Contact
from omnify.promises import scene
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences import switches
from sequences.catchup import after_standstill, after_stop
from sequences.engine import tick
from sequences.models import Enrollment, Execution, Message, Wakeup
from sequences.tasks import sending_resumed, sending_started

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


def by_the_hour(made: scene.Scene, resumed: Any) -> list[int]:
    """How many of a tenant come in each hour after `resumed`."""
    moments = Enrollment.objects.all_tenants().filter(tenant=made.tenant, next_run_at__isnull=False)
    hours = [(at - resumed - timedelta(seconds=1)) // HOUR for at in moments.values_list("next_run_at", flat=True)]
    return [hours.count(n) for n in range(max(hours) + 1)]


def remember(made: scene.Scene, channel: str, an_hour: int, days: int, until: Any) -> None:
    """A ledger in which so much was sent on this channel each hour."""
    enrollment = Enrollment.objects.all_tenants().filter(tenant=made.tenant).first()
    with tenant_context(made.tenant.pk):
        taken = Execution.objects.filter(enrollment=enrollment).count() + 1
        Execution.objects.bulk_create(
            Execution(
                tenant_id=made.tenant.pk, enrollment=enrollment, sequence_id=enrollment.sequence_id, turn=taken + n, visit=1,
                at=until - timedelta(days=days) + n * HOUR / an_hour, decision="send", reason="due", channel=channel,
            )
            for n in range(days * 24 * an_hour)
        )  # fmt: skip


def backlog(made: scene.Scene, kind: str, count: int, since: Any, until: Any) -> None:
    people = made.people(count, places=["US-NY"])
    sequence = made.sequence({"kind": kind, "body": "Hi", "subject": "Hi"}, name=f"{kind} {count}")
    known = list(Enrollment.objects.all_tenants().values_list("pk", flat=True))
    made.enrolled(sequence, people)
    mine = list(Enrollment.objects.all_tenants().exclude(pk__in=known).order_by("pk"))
    for n, each in enumerate(mine):
        each.next_run_at = since + (until - since) * n / count
    Enrollment.objects.all_tenants().bulk_update(mine, ["next_run_at"])


@pytest.mark.parametrize("stood", [6, 24, 100])
def test_no_hour_after_an_outage_of_any_length_brings_more_than_a_tenth_beside_its_own(stood: int, now: Any) -> None:
    made = scene.make(now - 200 * HOUR)
    base = now - stood * HOUR
    backlog(made, "sms", 300, base, now - 2 * MINUTE)
    remember(made, "sms", 30, 3, base)
    Wakeup.objects.create(kind="tick", started_at=base, finished_at=base)
    assert after_standstill(now) == 300
    hours = by_the_hour(made, now)
    assert hours[:3] == [3, 3, 3]
    assert max(hours[:24]) <= 3
    assert sum(hours) == 300
    assert after_standstill(now) == 0


def test_each_channel_of_each_tenant_is_eased_beside_its_own_normal_hour(now: Any) -> None:
    busy, new = scene.make(now - 200 * HOUR), scene.make(now - 200 * HOUR)
    base = now - 10 * HOUR
    backlog(busy, "sms", 60, base, now - 2 * MINUTE)
    backlog(busy, "email", 90, base, now - 2 * MINUTE)
    backlog(new, "sms", 200, base, now - 2 * MINUTE)
    remember(busy, "sms", 50, 2, base)
    remember(busy, "email", 10, 2, base)
    remember(new, "sms", 90, 0, base)
    Wakeup.objects.create(kind="tick", started_at=base, finished_at=base)
    assert after_standstill(now) == 350
    # Texts 5 and email 1 an hour; the new tenant's by what was planned, 20 an hour: 2.
    assert by_the_hour(busy, now)[:3] == [6, 6, 6]
    assert by_the_hour(new, now)[:3] == [2, 2, 2]


def test_who_waits_at_a_wait_counts_for_the_channel_after_it(now: Any) -> None:
    made = scene.make(now - 200 * HOUR)
    base = now - 10 * HOUR
    people = made.people(40, places=["US-NY"])
    text = {"kind": "sms", "body": "Hi"}
    made.enrolled(made.sequence({"kind": "wait", "config": {"hours": 1}}, text, name="after a wait"), people[:20])
    made.enrolled(made.sequence(text, name="at once"), people[20:])
    Enrollment.objects.all_tenants().filter(tenant=made.tenant).update(next_run_at=base + HOUR)
    remember(made, "sms", 20, 2, base)
    Wakeup.objects.create(kind="tick", started_at=base, finished_at=base)
    assert after_standstill(now) == 40
    assert by_the_hour(made, now)[:3] == [2, 2, 2]


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
    (left,) = OrmQ.objects.filter(key="default")
    assert left.task["func"] == "sequences.tasks.sending_resumed"
    assert sending_resumed(*left.task["args"]) == 120
    # 120 people in three hours: a tenth of forty an hour.
    assert 3 <= decided(resumed, resumed + HOUR) <= 4
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
