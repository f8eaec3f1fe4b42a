"""The metronome: asks one indexed question, wakes the workers that have something to do, and notices when a cluster hangs.

One leader at a time by advisory lock; any other pulse waits to take over. Idle it costs two short queries every five seconds.
Whoever makes something due wakes the cluster itself (sequences.wakeups.WORDS); the pulse finds what that did not begin, what
comes to be due by the clock, and what was interrupted.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.db.models import F, Q
from django.utils.module_loading import import_string

from contacts.importing.passes import import_at_work
from omnify.lib.notices import notices
from sequences import vitals, wakeups
from sequences.models import Wakeup
from sequences.wakeups import WAKE_CHANNEL, WORDS, Wake

# Negative: advisory locks on positive numbers belong to persons (sequences.claims).
LEADER = -1
PERIOD = 1.0
# With nothing under way it looks less often, but never later than the next moment it knows of, and soon when notified.
IDLE_PERIOD = 5.0
# A cluster one of whose processes was killed ends by itself (sequences.cluster); canaries are for every other way to hang.
CANARY_EVERY = timedelta(seconds=10)
CANARY_OVERDUE = timedelta(seconds=10)
WATCHED = ("default", "dispatch", "slow")
# A cluster with one worker cannot take its canary while that is at a task: requests to a provider that hangs, the loading of
# an SDK. So long such a task may last at most; one that died at it looks the same, but dies with its queue in order.
AT_WORK: dict[str, tuple[tuple[str, ...], timedelta]] = {
    "dispatch": (("dispatch-sms", "dispatch-email"), timedelta(seconds=30)),
    "slow": (("dispatch-voice",), timedelta(seconds=60)),
}
# A cluster gets this long to stop and come up again before it is given a new canary.
RESTART_GRACE = timedelta(seconds=12)
SETTLE_AFTER = timedelta(seconds=30)
# Longer than a round may take, so that two of them seldom hold both workers of a cluster.
RECONCILE_EVERY = timedelta(seconds=15)
RETRY_UNMATCHED = timedelta(seconds=30)
PERIODIC_EVERY = timedelta(seconds=10)
VITALS_EVERY = timedelta(seconds=5)

# pulse_question: each part is the first entry of a partial index. `waiting` goes from tenant to tenant along the index that the
# claim uses, message_by_tenant: one probe for each channel of a tenant that has something ready, however much that is.
QUESTION = """
WITH RECURSIVE waiting AS (
    (SELECT channel, tenant_id, not_before FROM sequences_message WHERE state IN ('ready', 'deferred')
     ORDER BY channel, tenant_id, not_before LIMIT 1)
    UNION ALL
    SELECT following.* FROM waiting CROSS JOIN LATERAL (
        SELECT channel, tenant_id, not_before FROM sequences_message
        WHERE state IN ('ready', 'deferred') AND (channel, tenant_id) > (waiting.channel, waiting.tenant_id)
        ORDER BY channel, tenant_id, not_before LIMIT 1
    ) AS following
)
SELECT
  (SELECT min(next_run_at) FROM sequences_enrollment WHERE next_run_at IS NOT NULL),
  (SELECT min(not_before) FROM waiting WHERE channel = 'sms'),
  (SELECT min(not_before) FROM waiting WHERE channel = 'email'),
  (SELECT min(not_before) FROM waiting WHERE channel = 'voice'),
  (SELECT min(state_at) FROM sequences_message WHERE state IN ('claimed', 'sending', 'unknown')),
  EXISTS (SELECT 1 FROM sequences_providerevent WHERE state = 'new'),
  EXISTS (SELECT 1 FROM sequences_providerevent WHERE state = 'unmatched'),
  (SELECT min(expires_at) FROM sequences_message WHERE state = 'held')
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """The answer: the first moment anything of each kind is due (None: nothing), and whether events wait."""

    tick: datetime | None
    sms: datetime | None
    email: datetime | None
    voice: datetime | None
    unsettled: datetime | None
    events: bool
    unmatched: bool
    held: datetime | None = None


def wakes(due: Due, now: datetime, last: dict[str, datetime]) -> list[Wake]:
    """What to start now, given the answer and when each slow kind was last asked for. Pure."""
    found = []
    for kind, moment in (
        ("tick", due.tick), ("dispatch-sms", due.sms), ("dispatch-email", due.email), ("dispatch-voice", due.voice)
    ):  # fmt: skip
        if moment is not None and moment <= now:
            found.append(WORDS[kind])
    if due.events or (due.unmatched and _elapsed(last, "inbound", now, RETRY_UNMATCHED)):
        found.append(WORDS["inbound"])
    unsettled = due.unsettled is not None and now - due.unsettled >= SETTLE_AFTER
    overdue = due.held is not None and due.held <= now
    if (unsettled or overdue) and _elapsed(last, "reconcile", now, RECONCILE_EVERY):
        found.append(Wake("reconcile", "sequences.tasks.reconcile_unsettled"))
    return found


def rest(due: Due, now: datetime, started: bool) -> float:
    """Seconds until the next look, unless somebody notifies: a second while anything is under way. Pure."""
    if started or due.events or due.unmatched or due.unsettled is not None:
        return PERIOD
    ahead = [
        (moment - now).total_seconds() for moment in (due.tick, due.sms, due.email, due.voice) if moment is not None
    ]
    soonest = min(ahead, default=IDLE_PERIOD)
    return PERIOD if soonest <= 0 else min(soonest, IDLE_PERIOD)


def _elapsed(last: dict[str, datetime], kind: str, now: datetime, period: timedelta) -> bool:
    return kind not in last or now - last[kind] >= period


def at_work(cluster: str, now: datetime) -> bool:
    """Whether a cluster that does not answer is at a task that may take this long, rather than hanging."""
    if cluster not in AT_WORK:
        return False
    kinds, longest = AT_WORK[cluster]
    begun = Wakeup.objects.filter(kind__in=kinds, started_at__gt=now - longest)
    unfinished = Q(finished_at__isnull=True) | Q(finished_at__lt=F("started_at"))
    return begun.filter(unfinished).exists() or (cluster == "slow" and import_at_work())


class Pulse:
    """One pulse process. `requests`: the folder whose `restart-<cluster>` files the supervisor acts on."""

    def __init__(self, requests: Path) -> None:
        self.requests = requests
        self.last: dict[str, datetime] = {}
        self.listener: psycopg.Connection[Any] | None = None
        self.leading = False
        self.pause = PERIOD

    def beat(self, now: datetime) -> list[str]:
        """One question and its wake-ups; returns the kinds that were started."""
        with connection.cursor() as cursor:
            cursor.execute(QUESTION)
            due = Due(*cursor.fetchone())
        started = []
        for wake in wakes(due, now, self.last):
            self.last[wake.kind] = now
            if wakeups.ask(wake.kind, wake.task, *wake.args, cluster=wake.cluster, now=now):
                started.append(wake.kind)
        self.pause = rest(due, now, bool(started))
        self._periodic(now)
        self._canaries(now)
        if _elapsed(self.last, "vitals", now, VITALS_EVERY):
            self.last["vitals"] = now
            vitals.write(now)
        return started

    def _periodic(self, now: datetime) -> None:
        """What is due by the clock alone; asked about every ten seconds, because nothing of it is in a hurry."""
        if not _elapsed(self.last, "periodic", now, PERIODIC_EVERY):
            return
        self.last["periodic"] = now
        asked = dict(Wakeup.objects.values_list("kind", "asked_at"))
        for kind, task, seconds, cluster in import_string(settings.PERIODIC):
            before = asked.get(kind)
            if before is None or now - before >= timedelta(seconds=seconds):
                wakeups.ask_every(kind, task, seconds=seconds, cluster=cluster, now=now)

    def _canaries(self, now: datetime) -> None:
        for cluster in WATCHED:
            # The clusters begin together with the first pulse: their lives are counted from its first beat.
            self.last.setdefault(f"restart-{cluster}", now)
        if not any(_elapsed(self.last, f"canary-{cluster}", now, CANARY_EVERY) for cluster in WATCHED):
            return
        rows = {row.kind: row for row in Wakeup.objects.filter(kind__in=[f"canary-{cluster}" for cluster in WATCHED])}
        for cluster in WATCHED:
            if _elapsed(self.last, f"canary-{cluster}", now, CANARY_EVERY):
                self._canary(cluster, rows.get(f"canary-{cluster}"), now)

    def _canary(self, cluster: str, row: Wakeup | None, now: datetime) -> None:
        """Sends the next one when the last was answered; asks for a restart when it is overdue."""
        canary, restart = f"canary-{cluster}", f"restart-{cluster}"
        asked = row.asked_at if row is not None else None
        answered = row is not None and asked is not None and row.started_at is not None and row.started_at >= asked
        # A canary asked of an earlier life was lost with it (its queue row stays locked); the new life gets its own.
        outlived = asked is not None and asked < self.last[restart]
        if asked is None or answered or (outlived and _elapsed(self.last, restart, now, RESTART_GRACE)):
            self.last[canary] = now
            wakeups.ask(canary, "sequences.tasks.canary", cluster, cluster=cluster, now=now)
        elif not outlived and now - asked > CANARY_OVERDUE and not at_work(cluster, now):
            self.last[restart] = now
            logger.warning("Cluster %s has not taken a task for %s; asking for its restart.", cluster, now - asked)
            self.requests.mkdir(parents=True, exist_ok=True)
            (self.requests / restart).touch()

    def lead(self) -> bool:
        """Takes or keeps the leader's lock, on the connection that also listens; False while another pulse leads.

        The lock lives as long as the connection; that one is lost is noticed by waiting on it.
        """
        if self.listener is None or self.listener.closed:
            parameters = connection.get_connection_params()
            for name in ("pool", "cursor_factory", "context"):
                parameters.pop(name, None)
            self.listener, self.leading = psycopg.connect(**parameters, autocommit=True), False
            self.listener.execute(f"LISTEN {WAKE_CHANNEL}")
        if not self.leading:
            row = self.listener.execute("SELECT pg_try_advisory_lock(%s)", [LEADER]).fetchone()
            self.leading, self.pause = bool(row and row[0]), PERIOD
        return self.leading

    def wait(self, seconds: float) -> float | None:
        """Sleeps until somebody notifies or the time is over. In how many seconds the next look is due at the latest, by what
        was heard; None: nothing was."""
        heard = notices(self.listener, seconds) if self.listener is not None else []
        words = {word for each in heard for word in wakeups.words_of(each.payload)}
        if wakeups.FORGOTTEN in words:
            # A cluster has just come up: is it well? Not only when the next canaries are due.
            for cluster in WATCHED:
                self.last.pop(f"canary-{cluster}", None)
        # The clusters hear their words themselves: only whether they have begun is to be seen.
        return None if not heard else 0.0 if words - WORDS.keys() else PERIOD
