"""Reading the providers again has a place where nothing that takes long can hold it up, and holds up nobody itself."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from omnify.periodic import PERIODIC
from sequences import polling, rereading, tasks, wakeups
from sequences.models import Polling, Wakeup
from sequences.pulse import Pulse, wakes
from sequences.transports.base import Unreadable
from sequences.transports.listing import Reader
from tests.making import make_senders
from tests.sequences.test_pulse import NOTHING

# What may wait for somebody outside, and so takes as long as that takes; nothing else of the default cluster does.
OUTSIDE = {"poll", "reconcile"}


@pytest.fixture
def lists(people: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two senders whose provider is `tell(account, kind, since, until)`, a generator that the test replaces."""

    class Lists:
        asked: list[str]

        @staticmethod
        def tell(*_: Any) -> Iterator[Any]:
            return iter(())

    found = Lists()
    found.asked = []

    def events(account: Any, kind: str, since: datetime, until: datetime) -> Iterator[Any]:
        found.asked.append(kind)
        return found.tell(account, kind, since, until)

    monkeypatch.setattr(rereading, "reader_for", lambda provider: Reader(("inbound",), events, lambda *_: iter(())))
    make_senders(people.acme)
    return found


def func_of(row: OrmQ) -> str:
    return str(row.task["func"])


@pytest.mark.django_db(transaction=True)
def test_a_task_that_hangs_in_the_slow_cluster_keeps_no_list_from_being_read(
    tmp_path: Any, lists: Any, now: Any
) -> None:
    Pulse(tmp_path).beat(now)
    slow = get_broker("slow").dequeue()
    assert slow, "its one worker has taken a task, and never ends it"
    assert "sequences.tasks.poll_providers" not in {func_of(row) for row in OrmQ.objects.filter(key="slow")}
    ours, taken = get_broker("default"), []
    for _ in range(OrmQ.objects.filter(key="default").count()):
        taken += [SignedPackage.loads(pack)["func"] for _, pack in ours.dequeue()]
    assert "sequences.tasks.poll_providers" in taken
    tasks.poll_providers()
    assert lists.asked


def test_the_default_cluster_keeps_a_worker_for_what_people_say(now: Any) -> None:
    waiting = {kind for kind, _, _, cluster in PERIODIC if cluster == "default"} & OUTSIDE
    unsettled = replace(NOTHING, unsettled=now - timedelta(hours=1))
    waiting |= {wake.kind for wake in wakes(unsettled, now, {})} & OUTSIDE
    assert waiting == OUTSIDE
    assert settings.Q_CLUSTER["workers"] > len(waiting)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "task"), [("poll", "poll_providers"), ("reconcile", "reconcile_unsettled")])
def test_one_worker_at_a_time_waits_for_the_providers(
    kind: str, task: str, lists: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr("sequences.reconcile.reconcile", lambda now: ran.append("reconcile") or 1)
    monkeypatch.setattr(polling, "poll", lambda now, **_: ran.append("poll") or polling.Reading())
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with wakeups.alone(kind) as free:
            assert free
            inside.set()
            leave.wait(20)
        connections.close_all()

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(20)
    getattr(tasks, task)()
    assert ran == []
    leave.set()
    thread.join(20)
    getattr(tasks, task)()
    assert ran == [kind]


@pytest.mark.django_db
def test_providers_that_fail_use_up_a_round_too(lists: Any, now: Any) -> None:
    def fails(*_: Any) -> Iterator[Any]:
        raise Unreadable("It hangs.")

    lists.tell = fails
    reading = polling.poll(now, budget_seconds=0)
    assert len(lists.asked) == 1
    assert len(reading.problems) == 1
    assert reading.left == Polling.objects.all_tenants().count() - 1 > 0
    # The next round goes on with those that were read longest ago.
    assert polling.poll(now + timedelta(seconds=1), budget_seconds=0).left == reading.left - 1


@pytest.mark.django_db
def test_a_round_that_left_something_is_followed_by_another(
    lists: Any, now: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "ROUND_SECONDS", 0)
    pulse = Pulse(tmp_path)
    pulse.beat(now)
    tasks.poll_providers()
    assert Wakeup.objects.get(kind="poll").asked_at is None
    soon = now + timedelta(seconds=11)
    pulse.beat(soon)
    assert Wakeup.objects.get(kind="poll").asked_at == soon
    monkeypatch.setattr(polling, "ROUND_SECONDS", 60)
    tasks.poll_providers()
    assert Wakeup.objects.get(kind="poll").asked_at == soon


@pytest.mark.django_db
def test_a_list_without_an_end_goes_to_where_there_is_time(lists: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[int] = []
    lists.tell = lambda *_: count()
    monkeypatch.setattr(rereading, "_store", lambda asked, batch: stored.append(len(batch)) or len(batch))
    monkeypatch.setattr(polling, "LIST_SECONDS", 0)
    tasks.poll_providers()
    rows = list(Polling.objects.all_tenants())
    assert stored == [rereading.BATCH] * len(rows), "what was read of it is kept"
    assert all(row.read_until is None for row in rows)
    left = OrmQ.objects.filter(key="slow")
    assert {(func_of(row), *row.task["args"]) for row in left} == {
        ("sequences.tasks.read_long_list", row.pk, row.tenant_id) for row in rows
    }
    lists.tell = lambda *_: iter(range(3 * rereading.BATCH))
    tasks.read_long_list(rows[0].pk, rows[0].tenant_id)
    rows[0].refresh_from_db()
    assert rows[0].read_until is not None
