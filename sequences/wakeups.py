"""Asking the workers to do something, once: a wake-up is not enqueued while one of its kind still waits to begin.

The rows themselves say what is to be done; losing a wake-up loses nothing, because the pulse asks again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction

from omnify.lib.clock import now as read_clock
from sequences.models import Wakeup

# A wake-up that has not begun for so long was lost with its worker, or its cluster hangs: it is asked for again.
LOST_AFTER = timedelta(seconds=20)

# wakeup_ask: true only for the one asker that finds no wake-up of this kind still waiting.
ASK = """
INSERT INTO sequences_wakeup (kind, asked_at) VALUES (%s, %s)
ON CONFLICT (kind) DO UPDATE SET asked_at = EXCLUDED.asked_at
WHERE sequences_wakeup.asked_at IS NULL OR sequences_wakeup.started_at >= sequences_wakeup.asked_at
   OR sequences_wakeup.asked_at < %s
RETURNING kind
"""


def ask(kind: str, task: str, *args: object, cluster: str = "default", now: datetime) -> bool:
    """Enqueues `task` on a cluster unless one of this kind waits already. True when it was enqueued."""
    from django_q.tasks import async_task

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ASK, [kind, now, now - LOST_AFTER])
        if cursor.fetchone() is None:
            return False
        async_task(task, *args, cluster=cluster)
    return True


# wakeup_every: true once in a period, whichever pulse leads and however often it was restarted.
EVERY = """
INSERT INTO sequences_wakeup (kind, asked_at) VALUES (%s, %s)
ON CONFLICT (kind) DO UPDATE SET asked_at = EXCLUDED.asked_at
WHERE sequences_wakeup.asked_at IS NULL OR sequences_wakeup.asked_at <= %s
RETURNING kind
"""


def ask_every(kind: str, task: str, *, seconds: int, cluster: str, now: datetime) -> bool:
    """Enqueues a periodic task unless it was asked for within the last `seconds`. True when it was enqueued."""
    from django_q.tasks import async_task

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(EVERY, [kind, now, now - timedelta(seconds=seconds)])
        if cursor.fetchone() is None:
            return False
        async_task(task, cluster=cluster)
    return True


@contextmanager
def began(kind: str) -> Iterator[None]:
    """Around a task's work: from here on the pulse may ask for the next one of its kind."""
    Wakeup.objects.update_or_create(kind=kind, defaults={"started_at": read_clock()})
    yield
    Wakeup.objects.filter(kind=kind).update(finished_at=read_clock())
