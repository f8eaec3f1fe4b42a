"""Asking the workers to do something, once: a wake-up is not enqueued while one of its kind still waits to begin.

The rows themselves say what is to be done; losing a wake-up loses nothing, because the pulse asks again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from omnify.lib import clock
from sequences.models import Wakeup

# The channel on which whoever makes something due says so, in its own transaction; the payload is one of WORDS, or several
# with commas between. The cluster that the word belongs to begins at once; the pulse looks a second later whether it did.
WAKE_CHANNEL = "omnify_wake"
# A wake-up that has not begun for so long was lost with its worker, or its cluster hangs: it is asked for again.
LOST_AFTER = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Wake:
    """One task to be started."""

    kind: str
    task: str
    args: tuple[str, ...] = ()
    cluster: str = "default"


WORDS = {
    wake.kind: wake
    for wake in (
        Wake("tick", "sequences.tasks.run_tick"),
        Wake("inbound", "sequences.tasks.apply_events"),
        Wake("dispatch-sms", "sequences.tasks.dispatch_ready", ("sms",), "dispatch"),
        Wake("dispatch-email", "sequences.tasks.dispatch_ready", ("email",), "dispatch"),
        Wake("dispatch-voice", "sequences.tasks.dispatch_ready", ("voice",), "slow"),
    )
}


def words_of(payload: str) -> list[str]:
    """The words in a notification's payload, each once."""
    return [word for word in dict.fromkeys(payload.split(",")) if word]


# wakeup_ask: true only for the one asker that finds no wake-up of this kind still waiting. Without a moment given, the
# database's own counts, as in wakeup_began.
ASK = """
INSERT INTO sequences_wakeup AS known (kind, cluster, asked_at)
VALUES (%(kind)s, %(cluster)s, coalesce(%(now)s::timestamptz, clock_timestamp() + %(offset)s))
ON CONFLICT (kind) DO UPDATE SET cluster = EXCLUDED.cluster, asked_at = EXCLUDED.asked_at
WHERE known.asked_at IS NULL OR known.started_at >= known.asked_at OR known.asked_at < EXCLUDED.asked_at - %(lost)s
RETURNING kind
"""


def ask(kind: str, task: str, *args: object, cluster: str = "default", now: datetime) -> bool:
    """Enqueues `task` on a cluster unless one of this kind waits already. True when it was enqueued."""
    from django_q.tasks import async_task

    with transaction.atomic():
        if not _first(kind, cluster, now):
            return False
        async_task(task, *args, cluster=cluster)
    return True


class _Kept:
    """In the place of a broker: keeps the signed task that it is given."""

    list_key, pack = "", ""

    def enqueue(self, pack: str) -> None:
        self.pack = pack


def take(word: str, cluster: str) -> str | None:
    """The signed task of a word that this cluster has heard, to be begun by its own workers without a row in the queue.

    None when the word is another cluster's, or one of its kind waits already. Autocommit: whoever is asked elsewhere at the
    same moment finds it waiting. Dies the taker before a worker begins, it is asked for again like any other (LOST_AFTER,
    `forget`).
    """
    from django_q.tasks import async_task

    wake = WORDS.get(word)
    if wake is None or wake.cluster != cluster or not _first(wake.kind, cluster, None):
        return None
    kept = _Kept()
    async_task(wake.task, *wake.args, broker=kept)
    return kept.pack


def _first(kind: str, cluster: str, now: datetime | None) -> bool:
    with connection.cursor() as cursor:
        given: dict[str, Any] = {
            "kind": kind,
            "cluster": cluster,
            "now": now,
            "offset": clock.offset(),
            "lost": LOST_AFTER,
        }
        cursor.execute(ASK, given)
        return cursor.fetchone() is not None


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


# wakeup_began, wakeup_ended: the database's clock, as the askers': on two machines "begun" must never seem to lie before
# "asked". Nobody waits for the disk: what a crash of the server takes back is asked for again.
BEGAN = """
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS set)
INSERT INTO sequences_wakeup (kind, started_at) SELECT %(kind)s, clock_timestamp() + %(offset)s FROM quick WHERE quick.set = 'off'
ON CONFLICT (kind) DO UPDATE SET started_at = EXCLUDED.started_at
"""
ENDED = """
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS set)
UPDATE sequences_wakeup SET finished_at = clock_timestamp() + %(offset)s FROM quick WHERE quick.set = 'off' AND kind = %(kind)s
"""


@contextmanager
def began(kind: str) -> Iterator[None]:
    """Around a task's work: from here on the next one of its kind may be asked for. One statement before, one after."""
    _note(BEGAN, kind)
    yield
    _note(ENDED, kind)


def _note(statement: str, kind: str) -> None:
    with connection.cursor() as cursor:
        given: dict[str, Any] = {"kind": kind, "offset": clock.offset()}
        cursor.execute(statement, given)


def again(kind: str) -> None:
    """Lets the pulse ask for a periodic task as soon as it looks after those, whatever its period: it left something."""
    Wakeup.objects.filter(kind=kind).update(asked_at=None)


# Of PostgreSQL's advisory locks, two numbers each.
ALONE = 7310


@contextmanager
def alone(kind: str) -> Iterator[bool]:
    """False inside while another worker, of any machine, is at work of this kind: what waits for somebody outside may hold up
    one worker, not all of them. Its death ends its session, and the lock with it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [ALONE, kind])
        (free,) = cursor.fetchone()
    try:
        yield free
    finally:
        if free:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [ALONE, kind])
