"""The law of times, shrunk as a whole, so that a test need not wait minutes: request 2 s < grace, and the grace above the
providers' listing lag. Part of every process of the kill test, by way of its settings; no other process ever loads it.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import AppConfig

REQUEST = 2.0
# A simulated call takes seconds; one whose end was parked, because its workers were killed, holds its person's other messages
# up for so long.
CALL_OVER = timedelta(seconds=60)
# So far from the truth may the clock of a process that only takes webhooks be: what it stores bears its time.
WEB_MOST = 30.0


class Haste(AppConfig):
    """Shrinks the times as soon as the process has loaded its models; forked and spawned workers alike."""

    name = "omnify.commands.chaos"
    label = "haste"

    def ready(self) -> None:
        shrink()
        if jumps := os.environ.get("OMNIFY_CHAOS_CLOCK"):
            lie(Path(jumps))


def shrink() -> None:
    from omnify import periodic
    from omnify.commands.chaos.settings import CHAOS_CLAIM_STALE, CHAOS_GRACE
    from sequences import deadman, delivery, guards, limits, polling, pulse, reconcile, rereading, wakeups
    from sequences.transports import smtp, twilio, vapi

    twilio.READ_TIMEOUT = vapi.READ_TIMEOUT = REQUEST
    smtp.REPLY_TIMEOUT = REQUEST
    deadman.SECONDS = CHAOS_GRACE - 2
    delivery.PAUSES = (0.1, 0.3, 1.0)
    limits.CALL_OVER_AFTER = CALL_OVER
    guards.SHORT_PAUSE, guards.UNCERTAIN_PAUSE = timedelta(seconds=1), timedelta(seconds=3)
    reconcile.NORMAL = reconcile.Timing(
        claim_stale=timedelta(seconds=CHAOS_CLAIM_STALE),
        grace=timedelta(seconds=CHAOS_GRACE),
        between_looks=timedelta(seconds=4),
        between_mail_looks=timedelta(seconds=4),
        give_up=timedelta(seconds=60),
    )
    pulse.SETTLE_AFTER, pulse.RECONCILE_EVERY = timedelta(seconds=2), timedelta(seconds=2)
    pulse.CANARY_EVERY, pulse.RESTART_GRACE = timedelta(seconds=2), timedelta(seconds=8)
    wakeups.LOST_AFTER = timedelta(seconds=8)
    every = {kind: timedelta(seconds=2) for kind in polling.EVERY}
    polling.EVERY, rereading.SHORTEST = every, timedelta(seconds=1)
    periodic.PERIODIC[:] = [
        (kind, task, 2 if kind == "poll" else seconds, cluster) for kind, task, seconds, cluster in periodic.PERIODIC
    ]


def lie(jumps: Path) -> None:
    """This process's clock is wrong from now on, by the seconds that the file says at each moment: all of them, half or none,
    forwards or backwards, as its pid falls. The file is the killer's to write; while it is not there the clock is right."""
    from omnify.lib import clock

    share = (os.getpid() % 5 - 2) / 2
    web = os.environ.get("OMNIFY_DB_ROLE") == "web"

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            try:
                seconds = float(jumps.read_text() or 0) * share
            except FileNotFoundError:
                seconds = 0.0
            if web:
                seconds = max(-WEB_MOST, min(WEB_MOST, seconds))
            true = super().now(tz).timestamp()
            return datetime.fromtimestamp(true + seconds, tz)

    clock.datetime = Wrong  # type: ignore[misc]
