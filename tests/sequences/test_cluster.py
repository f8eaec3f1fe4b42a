"""Clusters: which deaths end the family, what is asked for again afterwards, and that a queue is waited on, not polled."""

import multiprocessing
import os
import re
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.db import connection, connections, transaction
from django.db.models import F
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from sequences import wakeups
from sequences.broker import SkipLockedORM
from sequences.cluster import Told, WatchfulSentinel, took_a_lock
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


@pytest.fixture
def dispatchers() -> SkipLockedORM:
    found = get_broker("dispatch")
    assert isinstance(found, SkipLockedORM)
    return found


def tell(payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('omnify_wake', %s)", [payload])


def heard(broker: SkipLockedORM) -> list[tuple[int, dict[str, Any]]]:
    return [(row, SignedPackage.loads(pack)) for row, pack in broker.dequeue() or []]


@pytest.mark.django_db(transaction=True)
def test_what_has_become_due_goes_to_the_workers_without_a_row_in_the_queue(dispatchers: SkipLockedORM) -> None:
    dispatchers.dequeue()
    with transaction.atomic():
        tell("dispatch-sms")
    ((row, task),) = heard(dispatchers)
    assert (row, task["func"], task["args"]) == (0, "sequences.tasks.dispatch_ready", ("sms",))
    assert not OrmQ.objects.exists()
    wakeup = Wakeup.objects.get()
    assert (wakeup.kind, wakeup.cluster, wakeup.started_at) == ("dispatch-sms", "dispatch", None)


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_is_not_handed_over_again_before_it_has_begun(dispatchers: SkipLockedORM) -> None:
    dispatchers.dequeue()
    counts = []
    for _ in range(3):
        tell("dispatch-sms,dispatch-sms,dispatch-email")
        counts.append(len(heard(dispatchers)))
    assert counts == [2, 0, 0]
    with wakeups.began("dispatch-sms"):
        tell("dispatch-sms,dispatch-email")
        assert [task["args"] for _, task in heard(dispatchers)] == [("sms",)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("payload", ["tick", "dispatch-voice", wakeups.FORGOTTEN, "something", ""])
def test_a_cluster_leaves_the_words_of_others_to_them(payload: str, dispatchers: SkipLockedORM) -> None:
    dispatchers.dequeue()
    tell(payload)
    assert dispatchers.dequeue() is None
    assert not Wakeup.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_clusters_that_hear_a_word_one_begins(dispatchers: SkipLockedORM) -> None:
    barrier, taken = threading.Barrier(4), []

    def take() -> None:
        barrier.wait(20)
        taken.append(wakeups.take("dispatch-sms", "dispatch"))
        connections.close_all()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(taken) == 4
    assert sum(each is not None for each in taken) == 1


@pytest.mark.django_db
def test_what_was_handed_over_and_never_begun_is_asked_for_again(now: Any) -> None:
    assert wakeups.take("inbound", "default")
    assert wakeups.take("inbound", "default") is None
    Wakeup.objects.update(asked_at=F("asked_at") - wakeups.LOST_AFTER - timedelta(seconds=1))
    assert wakeups.take("inbound", "default")
    assert wakeups.forget("default") == 1
    assert wakeups.take("inbound", "default")


@pytest.mark.django_db
def test_a_task_says_that_it_began_in_one_statement_and_that_it_ended_in_another(
    django_assert_num_queries: Any,
) -> None:
    for _ in range(2):
        with django_assert_num_queries(2), wakeups.began("tick"):
            pass
    found = Wakeup.objects.get(kind="tick")
    assert found.started_at <= found.finished_at


def member(alive: bool = True, timer: float = -1.0) -> Any:
    """A process as the guard sees one: it ends when `end` is closed."""
    sentinel, end = multiprocessing.Pipe(duplex=False)
    value = multiprocessing.Value("f", timer)
    return SimpleNamespace(pid=id(end), sentinel=sentinel, end=end, is_alive=lambda: not end.closed, timer=value)


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A guard of two workers that looks after them by itself only once an hour; what it replaced is in `replaced`."""
    monkeypatch.setattr("sequences.cluster.Conf.GUARD_CYCLE", 3600)
    sentinel: Any = object.__new__(WatchfulSentinel)
    sentinel.stop_event, sentinel.start_event = Told(), threading.Event()
    sentinel.pool, sentinel.monitor, sentinel.pusher = [member(), member()], member(), member()
    sentinel.replaced = []

    def reincarnate(process: Any) -> None:
        sentinel.replaced.append(process)
        sentinel.stop_event.set()

    sentinel.reincarnate, sentinel.stop = reincarnate, lambda: None
    return sentinel


@pytest.mark.parametrize("who", ["worker", "monitor", "pusher"])
def test_the_guard_notices_at_once_that_a_member_has_ended(guard: Any, who: str) -> None:
    victim = guard.pool[1] if who == "worker" else getattr(guard, who)
    thread = threading.Thread(target=guard.guard)
    thread.start()
    assert guard.start_event.wait(20)
    victim.end.close()
    thread.join(20)
    assert not thread.is_alive()
    assert guard.replaced == [victim]


def test_the_guard_ends_with_the_process_that_started_it(guard: Any) -> None:
    thread = threading.Thread(target=guard.guard)
    thread.start()
    assert guard.start_event.wait(20)
    guard.stop_event.only_listen()  # the last who could have told it to stop is gone
    thread.join(20)
    assert not thread.is_alive()
    assert guard.replaced == []


@pytest.mark.parametrize(
    ("timers", "passed", "overdue"),
    [
        ([-1.0, -1.0], 100.0, [False, False]),  # at rest
        ([63.0, None], 5.0, [False, False]),
        ([63.0, None], 63.0, [False, True]),
        ([63.0, None], 64.0, [False, True]),  # never below zero, which would be "at rest"
        ([63.0, 62.0], 100.0, [False, False]),  # another task than at the last look
        ([0.0], 0.0, [True]),  # timed out by itself
    ],
)
def test_a_task_has_its_time_from_the_first_look_on(timers: list[Any], passed: float, overdue: list[bool]) -> None:
    worker, seen, found = member(), {}, []
    for timer in timers:
        if timer is not None:
            worker.timer.value = timer
        found.append(WatchfulSentinel._overdue(worker, seen, passed))
    assert found == overdue


def test_every_word_that_is_said_wakes_somebody() -> None:
    """Looks through the product for what is said on the channel, so that no word is misspelt."""
    said = set()
    for path in (Path(settings.BASE_DIR) / "sequences").rglob("*.py"):
        text = path.read_text()
        said |= {
            word for found in re.findall(r"pg_notify\('omnify_wake', '([^']+)'\)", text) for word in found.split(",")
        }
        said |= set(re.findall(r"\bwake\(\"([^\"]+)\"\)", text))
    assert {"tick", "inbound", "dispatch-sms", "dispatch-email", "dispatch-voice"} == said
    assert said == set(wakeups.WORDS)
