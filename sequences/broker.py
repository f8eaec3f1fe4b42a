"""django-q2's ORM broker with a claim that scales, ordered, SKIP LOCKED, on an index of its own (migration 0003), and with a
NOTIFY that wakes the cluster: an idle one waits on its connection instead of asking five times a second.

What has become due (sequences.wakeups.WORDS) does not take the way through the queue: the cluster hears of it from whoever
made it so, and its workers begin with it at once.
"""

import time
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connections
from django_q.brokers.orm import ORM
from django_q.conf import Conf, logger

from omnify.lib.notices import notices
from sequences import wakeups

# queue_take: the oldest waiting tasks of one cluster become ours for RETRY seconds; nobody waits for a row another worker has.
QUEUE_TAKE = """
WITH chosen AS (
    SELECT id FROM django_q_ormq WHERE key = %s AND lock < now() ORDER BY lock, id LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE django_q_ormq AS task SET lock = now() + make_interval(secs => %s)
FROM chosen WHERE task.id = chosen.id RETURNING task.id, task.payload
"""
# Without a NOTIFY the queue is looked at so often: for tasks whose lease is over, and notifications that a crash swallowed.
SWEEP_SECONDS = 5.0
DATABASE_AWAY_SECONDS = 1.0


class SkipLockedORM(ORM):
    """At-least-once wake-ups. Tasks carry ids; the row they name decides what is done."""

    # Of the pusher, which lives in a process of its own: the connection that listens, and when to look at the queue next.
    listening: Any = None
    look_at: float = 0.0

    def enqueue(self, task: str) -> Any:
        """Stores a task and wakes its cluster, both when the caller's transaction commits."""
        pk = super().enqueue(task)
        rouse(self.list_key or Conf.CLUSTER_NAME)
        return pk

    def dequeue(self) -> Any:
        """The next tasks as (id, payload), the id 0 for one that has no row; None after at most POLL seconds without any, or
        when notified of nothing to do: the pusher then looks whether it must stop."""
        try:
            raw = self._listen()
            if time.monotonic() >= self.look_at and (rows := self._take()):
                return rows
            heard = notices(raw, Conf.POLL)
            if any(each.channel != wakeups.WAKE_CHANNEL for each in heard):
                self.look_at = 0.0
            words = ",".join(each.payload for each in heard if each.channel == wakeups.WAKE_CHANNEL)
            taken = [wakeups.take(word, self.list_key) for word in wakeups.words_of(words)]
            if begun := [(0, pack) for pack in taken if pack]:
                return begun
            if time.monotonic() >= self.look_at:
                return self._take()
        except (OperationalError, InterfaceError, psycopg.OperationalError) as error:
            logger.warning("The queue %s waits for the database (%s).", self.list_key, type(error).__name__)
            connections[Conf.ORM].close()
            self.look_at = 0.0
            time.sleep(DATABASE_AWAY_SECONDS)
        return None

    def _take(self) -> Any:
        """The oldest waiting tasks; with none, the next look without a NOTIFY is some seconds away."""
        with connections[Conf.ORM].cursor() as cursor:
            cursor.execute(QUEUE_TAKE, [self.list_key, Conf.BULK, Conf.RETRY])
            rows = cursor.fetchall()
        if not rows:
            self.look_at = time.monotonic() + SWEEP_SECONDS
        return rows or None

    def _listen(self) -> Any:
        """Django's own connection, listening; a new one looks at the queue at once. Nothing that it writes waits for the disk:
        what a crash of the server takes back is only a wake-up, asked for again."""
        wrapper = connections[Conf.ORM]
        wrapper.ensure_connection()
        if wrapper.connection is not self.listening:
            with wrapper.cursor() as cursor:
                cursor.execute("SET synchronous_commit = off")
                cursor.execute(f'LISTEN "{channel_of(self.list_key)}"')
                cursor.execute(f'LISTEN "{wakeups.WAKE_CHANNEL}"')
            self.listening, self.look_at = wrapper.connection, 0.0
        return self.listening


def rouse(cluster: str) -> None:
    """Lets the pushers of a cluster look up from their waiting."""
    with connections[Conf.ORM].cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [channel_of(cluster)])


def channel_of(cluster: str) -> str:
    """The NOTIFY channel of a cluster's queue."""
    return f"omnify_queue_{cluster}"
