"""Asking the workers to do something, once: a wake-up is not enqueued while one of its kind still waits to begin.

The rows themselves say what is to be done; losing a wake-up loses nothing, because the pulse asks again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction

from sequences.models import Wakeup
from sequences.timekeeping import database_clock

# A wake-up that has not begun for so long was lost with its worker, or its cluster hangs: it is asked for again.
LOST_AFTER = timedelta(seconds=20)

# wakeup_ask: true only for the one asker that finds no wake-up of this kind still waiting.
ASK = """
INSERT INTO sequences_wakeup (kind, cluster, asked_at) VALUES (%s, %s, %s)
ON CONFLICT (kind) DO UPDATE SET cluster = EXCLUDED.cluster, asked_at = EXCLUDED.asked_at
WHERE sequences_wakeup.asked_at IS NULL OR sequences_wakeup.started_at >= sequences_wakeup.asked_at
   OR sequences_wakeup.asked_at < %s
RETURNING kind
"""


def ask(kind: str, task: str, *args: object, cluster: str = "default", now: datetime) -> bool:
    """Enqueues `task` on a cluster unless one of this kind waits already. True when it was enqueued."""
    from django_q.tasks import async_task

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ASK, [kind, cluster, now, now - LOST_AFTER])
        if cursor.fetchone() is None:
            return False
        async_task(task, *args, cluster=cluster)
    return True


# wakeup_every: true once in a period, whichever pulse leads and however often it was restarted.
EVERY = """
INSERT INTO sequences_wakeup (kind, cluster, asked_at) VALUES (%s, %s, %s)
ON CONFLICT (kind) DO UPDATE SET cluster = EXCLUDED.cluster, asked_at = EXCLUDED.asked_at
WHERE sequences_wakeup.asked_at IS NULL OR sequences_wakeup.asked_at <= %s
RETURNING kind
"""


def ask_every(kind: str, task: str, *, seconds: int, cluster: str, now: datetime) -> bool:
    """Enqueues a periodic task unless it was asked for within the last `seconds`. True when it was enqueued."""
    from django_q.tasks import async_task

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(EVERY, [kind, cluster, now, now - timedelta(seconds=seconds)])
        if cursor.fetchone() is None:
            return False
        async_task(task, cluster=cluster)
    return True


# What the pulse hears then.
FORGOTTEN = "forgotten"
# wakeups_forget: what a cluster was asked for and never began went down with its last life.
FORGET = """
WITH forgotten AS (
    UPDATE sequences_wakeup SET asked_at = NULL
    WHERE cluster = %s AND asked_at IS NOT NULL AND (started_at IS NULL OR started_at < asked_at) RETURNING kind
)
SELECT count(*), pg_notify('omnify_wake', %s) FROM forgotten
"""


def forget(cluster: str) -> int:
    """Lets everything be asked for again that this cluster has not begun; returns how many kinds. When a cluster starts."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [cluster, FORGOTTEN])
        return int(cursor.fetchone()[0])


@contextmanager
def began(kind: str) -> Iterator[None]:
    """Around a task's work: from here on the pulse may ask for the next one of its kind."""
    clock = database_clock()  # the pulse's too: on two machines "begun" must never seem to lie before "asked"
    Wakeup.objects.update_or_create(kind=kind, defaults={"started_at": clock()})
    yield
    Wakeup.objects.filter(kind=kind).update(finished_at=clock())
