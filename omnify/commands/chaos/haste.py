"""The law of times, shrunk as a whole, so that a test need not wait minutes: request 2 s < grace, and the grace above the
providers' listing lag. Part of every process of the kill test, by way of its settings; no other process ever loads it.
"""

from datetime import timedelta

from django.apps import AppConfig

REQUEST = 2.0


class Haste(AppConfig):
    """Shrinks the times as soon as the process has loaded its models; forked and spawned workers alike."""

    name = "omnify.commands.chaos"
    label = "haste"

    def ready(self) -> None:
        shrink()


def shrink() -> None:
    from omnify.commands.chaos.settings import CHAOS_CLAIM_STALE, CHAOS_GRACE
    from sequences import delivery, guards, pulse, reconcile, wakeups
    from sequences.transports import smtp, twilio, vapi

    twilio.READ_TIMEOUT = vapi.READ_TIMEOUT = REQUEST
    smtp.REPLY_TIMEOUT = REQUEST
    delivery.PAUSES = (0.1, 0.3, 1.0)
    guards.SHORT_PAUSE, guards.UNCERTAIN_PAUSE = timedelta(seconds=1), timedelta(seconds=3)
    reconcile.NORMAL = reconcile.Timing(
        claim_stale=timedelta(seconds=CHAOS_CLAIM_STALE),
        grace=timedelta(seconds=CHAOS_GRACE),
        between_looks=timedelta(seconds=4),
        give_up=timedelta(seconds=60),
    )
    pulse.SETTLE_AFTER, pulse.RECONCILE_EVERY = timedelta(seconds=2), timedelta(seconds=2)
    pulse.CANARY_EVERY, pulse.RESTART_GRACE = timedelta(seconds=2), timedelta(seconds=8)
    wakeups.LOST_AFTER = timedelta(seconds=8)
