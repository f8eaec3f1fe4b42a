"""Clusters: which deaths end the family, what is asked for again afterwards, and that a queue is waited on, not polled."""

import os
import socket
import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import get_commands
from django.db import connection, connections
from django_q.brokers import get_broker
from django_q.models import OrmQ

from sequences import wakeups
from sequences.broker import SkipLockedORM
from sequences.cluster import took_a_lock
from sequences.models import Wakeup


@pytest.mark.parametrize(
    ("exitcode", "timer", "taken"),
    [
        (-9, -1.0, True),  # killed while it waited in the queue
        (-11, -1.0, True),
        (-9, 57.0, False),  # killed at a task: it held no reader's lock
        (-15, 0.0, False),  # timed out: the guard itself ended it
        (0, -2.0, False),  # recycled
        (1, -1.0, False),  # ended by an exception, which lets go of every lock
        (None, -1.0, False),  # lives
        (-9, None, True),  # the monitor, the pusher
        (0, None, False),
    ],
)
def test_who_may_have_taken_a_lock_along(exitcode: int | None, timer: float | None, taken: bool) -> None:
    process = SimpleNamespace(exitcode=exitcode)
    if timer is not None:
        process.timer = SimpleNamespace(value=timer)
    assert took_a_lock(process) is taken


def test_qcluster_is_ours() -> None:
    assert get_commands()["qcluster"] == "omnify.commands"


@pytest.mark.django_db
def test_what_a_cluster_had_not_begun_is_asked_for_again_when_it_starts(now: Any) -> None:
    wakeups.ask("tick", "sequences.tasks.run_tick", now=now)
    wakeups.ask("dispatch-sms", "sequences.tasks.dispatch_ready", "sms", cluster="dispatch", now=now)
    Wakeup.objects.create(kind="inbound", asked_at=now, started_at=now)
    assert wakeups.forget("default") == 1
    later = now + timedelta(seconds=1)
    assert wakeups.ask("tick", "sequences.tasks.run_tick", now=later) is True
    assert wakeups.ask("dispatch-sms", "sequences.tasks.dispatch_ready", "sms", cluster="dispatch", now=later) is False
    assert Wakeup.objects.get(kind="inbound").asked_at == now, "what was begun is left alone"


@pytest.mark.django_db
def test_the_wake_up_says_which_cluster_was_asked(now: Any) -> None:
    wakeups.ask("dispatch-sms", "sequences.tasks.dispatch_ready", "sms", cluster="dispatch", now=now)
    wakeups.ask_every("imports", "contacts.tasks.resume_imports", seconds=60, cluster="slow", now=now)
    assert dict(Wakeup.objects.values_list("kind", "cluster")) == {"dispatch-sms": "dispatch", "imports": "slow"}


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> SkipLockedORM:
    monkeypatch.setattr("sequences.broker.Conf.POLL", 0.3)
    found = get_broker("default")
    assert isinstance(found, SkipLockedORM)
    return found


@pytest.mark.django_db(transaction=True)
def test_an_enqueued_task_wakes_whoever_waits_for_it(broker: SkipLockedORM) -> None:
    """The waiter would look again only after SWEEP_SECONDS; the NOTIFY ends its waiting at once."""
    assert broker.dequeue() is None
    waiting, came = threading.Event(), []

    def wait() -> None:
        mine = get_broker("default")
        assert mine.dequeue() is None
        waiting.set()
        until = time.monotonic() + 4
        while not came and time.monotonic() < until:
            came.extend(mine.dequeue() or [])
        connections.close_all()

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.wait(20)
    broker.enqueue("payload")
    thread.join(20)
    assert [payload for _, payload in came] == ["payload"]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_task_is_neither_queued_nor_told(broker: SkipLockedORM) -> None:
    from django.db import transaction

    broker.dequeue()
    with transaction.atomic():
        broker.enqueue("payload")
        transaction.set_rollback(True)
    assert broker.dequeue() is None
    assert broker.look_at, "no notification made it look again"
    assert not OrmQ.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_all_that_waits_is_taken_without_another_notification(broker: SkipLockedORM) -> None:
    for n in range(3):
        broker.enqueue(str(n))
    taken = [broker.dequeue() for _ in range(3)]
    assert [payload for rows in taken for _, payload in rows] == ["0", "1", "2"]


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_waited_for_and_not_died_of(
    broker: SkipLockedORM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sequences.broker.DATABASE_AWAY_SECONDS", 0.01)
    assert broker.dequeue() is None
    line = socket.socket(fileno=os.dup(connection.connection.fileno()))
    line.shutdown(socket.SHUT_RDWR)
    line.close()
    broker.look_at = 0.0
    assert broker.dequeue() is None
    broker.enqueue("after")
    taken = next(rows for rows in (broker.dequeue() for _ in range(5)) if rows)
    assert taken[0][1] == "after"
