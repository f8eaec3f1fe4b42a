"""django-q2's ORM broker with a claim that scales: ordered, SKIP LOCKED, one statement, on an index of its own (migration 0003)."""

from time import sleep
from typing import Any

from django.db import connections
from django_q.brokers.orm import ORM
from django_q.conf import Conf

# queue_take: the oldest waiting tasks of one cluster become ours for RETRY seconds; nobody waits for a row another worker has.
QUEUE_TAKE = """
WITH chosen AS (
    SELECT id FROM django_q_ormq WHERE key = %s AND lock < now() ORDER BY lock, id LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE django_q_ormq AS task SET lock = now() + make_interval(secs => %s)
FROM chosen WHERE task.id = chosen.id RETURNING task.id, task.payload
"""


class SkipLockedORM(ORM):
    """At-least-once wake-ups. Tasks carry ids; the row they name decides what is done."""

    def dequeue(self) -> Any:
        self.get_connection()
        with connections[Conf.ORM].cursor() as cursor:
            cursor.execute(QUEUE_TAKE, [self.list_key, Conf.BULK, Conf.RETRY])
            rows = cursor.fetchall()
        if rows:
            return rows
        sleep(Conf.POLL)
        return None
