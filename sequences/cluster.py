"""A django-q2 cluster that ends when one of its family is killed at rest, instead of hanging with its queue's lock.

An idle worker waits inside multiprocessing's queue, holding the lock that readers take; kill -9 leaves it locked for ever, and
the worker put in its place waits as well (as does a new monitor for a killed one). django-q2 only replaces the process. Here
the whole family ends, and whoever keeps it (the supervisor of `manage.py up`, systemd) starts a fresh one, queue and all.

The guard waits for the end of any member instead of looking after them twice a second, and for the end of the process that
started it; workers are forked with everything loaded that they will need, and connect before the first task comes.
"""

import gc
import logging
import os
import time
import uuid
from importlib import import_module
from multiprocessing import Event, Pipe, Process, connection
from typing import Any

from django.db import OperationalError, connections
from django_q.cluster import Cluster, Sentinel, get_mp_context
from django_q.conf import Conf
from django_q.signals import post_spawn

from sequences import wakeups
from sequences.broker import rouse

# A worker in the middle of a task gets so long to finish it; tasks have budgets of three seconds (sequences.tasks).
GRACE_SECONDS = 5.0
IDLE = -1
LOCK_SECONDS = 1.0
PAUSE = 0.1
FAILED = 3
# What the tasks import when they begin (sequences.tasks).
LOADED = ("catchup", "delivery", "engine", "inbound", "polling", "reconcile", "spending", "tasks")

logger = logging.getLogger(__name__)


class Told:
    """In the place of an event: told once to stop, by word or by the end of whoever could have said it. Can be waited for
    together with the ends of processes."""

    def __init__(self) -> None:
        self.reader, self._writer = Pipe(duplex=False)

    def set(self) -> None:
        """Safe in a signal handler."""
        self._writer.send_bytes(b"stop")

    def is_set(self) -> bool:
        return self.reader.poll()

    def only_listen(self) -> None:
        """For the process that is told: so long as it held the other end too, it would not notice the teller's death."""
        self._writer.close()


class WatchfulSentinel(Sentinel):
    """The guard of one family. What its cluster had taken and not begun is asked for again as soon as it stands."""

    def start(self) -> None:
        self.stop_event.only_listen()
        self._forget()
        for name in LOADED:
            import_module(f"sequences.{name}")
        gc.collect()
        gc.freeze()  # the family shares these pages so long as nobody writes into them
        super().start()

    def guard(self) -> None:
        """Replaces whoever ends, ends whoever is at a task for too long; until it is told to stop."""
        self.start_event.set()
        seen: dict[int, float] = {}
        looked = time.monotonic()
        while not self.stop_event.is_set():
            now = time.monotonic()
            ended = [each for each in self.pool if not each.is_alive() or self._overdue(each, seen, now - looked)]
            ended += [each for each in (self.monitor, self.pusher) if not each.is_alive()]
            for process in ended:
                self.reincarnate(process)
            looked = now
            ends = [each.sentinel for each in (*self.pool, self.monitor, self.pusher)]
            # Somebody who ends as soon as it begins is not begun again without a pause.
            connection.wait([self.stop_event.reader, *([] if ended else ends)], PAUSE if ended else Conf.GUARD_CYCLE)
        self.stop()

    @staticmethod
    def _overdue(process: Any, seen: dict[int, float], passed: float) -> bool:
        """Counts down the seconds that a worker has left for its task. One that took it since the last look begins now."""
        timer = process.timer
        # A worker that was stopped in the middle of noting its result holds this lock; the next look tries again.
        if not timer.get_lock().acquire(timeout=LOCK_SECONDS):
            return False
        try:
            if timer.value > 0:
                if seen.get(process.pid) == timer.value:
                    timer.value = max(0.0, timer.value - passed)
                seen[process.pid] = timer.value
            return bool(timer.value == 0)
        finally:
            timer.get_lock().release()

    def stop(self) -> None:
        """As django-q2's, without waiting until the pusher looks up by itself."""
        self.event_out.set()
        try:
            rouse(Conf.CLUSTER_NAME)
        except OperationalError as error:
            logger.warning("The pusher could not be told to end (%s); it looks up by itself.", type(error).__name__)
        finally:
            connections.close_all()
        super().stop()

    def reincarnate(self, process: Process) -> None:
        """Called for each member that ended. One that a signal took at rest may have taken a lock with it."""
        if took_a_lock(process):
            logger.error("A process of cluster %s was killed at rest; the cluster starts anew.", Conf.CLUSTER_NAME)
            self._end()
        super().reincarnate(process)

    def _forget(self) -> None:
        try:
            wakeups.forget(Conf.CLUSTER_NAME)
        except OperationalError as error:
            # Not needed for anything but speed: what was lost is asked for again after a while.
            logger.warning("Wake-ups could not be forgotten yet (%s).", type(error).__name__)
        finally:
            connections.close_all()  # nothing of it may be shared with the family

    def _end(self) -> None:
        until = time.monotonic() + GRACE_SECONDS
        while any(each.is_alive() and each.timer.value > 0 for each in self.pool) and time.monotonic() < until:
            time.sleep(0.05)
        for member in (*self.pool, self.monitor, self.pusher):
            member.kill()
        os._exit(FAILED)  # no clean-up: it would wait for the lock


def took_a_lock(process: Any) -> bool:
    """Whether this ended process may hold a queue's lock: killed by a signal, and not while it was at a task.

    A busy worker's death is django-q2's to deal with (it holds no reader's lock then), as are time-outs and recycling.
    """
    timer = getattr(process, "timer", None)
    return process.exitcode is not None and process.exitcode < 0 and (timer is None or int(timer.value) == IDLE)


class WatchfulCluster(Cluster):
    """`start()` returns when the family stands; `wait()` when it has ended, with its exit code."""

    def start(self) -> int:
        """As django-q2's, with our guard."""
        self.stop_event, self.start_event = Told(), Event()
        arguments = (self.stop_event, self.start_event, self.cluster_id, self.broker, self.timeout)
        self.sentinel = get_mp_context().Process(
            target=WatchfulSentinel, name=f"Process-{uuid.uuid4().hex}", args=arguments
        )
        self.sentinel.start()
        logger.info("Cluster %s starts.", Conf.CLUSTER_NAME)
        return int(self.pid)

    def wait(self) -> int:
        """Waits for the family's end: 0 after a signal to stop."""
        sentinel = self.sentinel
        sentinel.join()
        return int(sentinel.exitcode or 0)


def connect(**_: Any) -> None:
    """In each new worker: a connection costs more than most tasks, so it is there before the first."""
    try:
        connections[Conf.ORM].ensure_connection()
    except OperationalError as error:
        logger.warning("A worker begins without the database (%s).", type(error).__name__)


post_spawn.connect(connect)
