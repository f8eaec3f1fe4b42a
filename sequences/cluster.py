"""A django-q2 cluster that ends when one of its family is killed at rest, instead of hanging with its queue's lock.

An idle worker waits inside multiprocessing's queue, holding the lock that readers take; kill -9 leaves it locked for ever, and
the worker put in its place waits as well (as does a new monitor for a killed one). django-q2 only replaces the process. Here
the whole family ends, and whoever keeps it (the supervisor of `manage.py up`, systemd) starts a fresh one, queue and all.
"""

import logging
import os
import time
import uuid
from multiprocessing import Event, Process
from typing import Any

from django.db import OperationalError, connections
from django_q.cluster import Cluster, Sentinel, get_mp_context
from django_q.conf import Conf

from sequences import wakeups
from sequences.broker import rouse

# A worker in the middle of a task gets so long to finish it; tasks have budgets of three seconds (sequences.tasks).
GRACE_SECONDS = 5.0
IDLE = -1
FAILED = 3

logger = logging.getLogger(__name__)


class WatchfulSentinel(Sentinel):
    """The guard of one family. What its cluster had taken and not begun is asked for again as soon as it stands."""

    def start(self) -> None:
        self._forget()
        super().start()

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
        self.stop_event, self.start_event = Event(), Event()
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
