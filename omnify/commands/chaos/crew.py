"""The workers that are killed. Run as `python -m omnify.commands.chaos.crew`: loads Omnify once, then forks a worker a line.

Each worker does everything an Omnify does about sending (tick, dispatch, reconcile), for ever. It obeys its parent through a
pipe: "spawn" forks one and answers its pid; the end of the pipe ends the parent, and with it, all of them.
"""

import os
import signal
import sys
import time
from datetime import timedelta
from typing import Any

# The law of times, shrunk as a whole: request 2 s < grace 12 s, and the grace above the providers' listing lag.
REQUEST, GRACE, BETWEEN, STALE = 2.0, 10.0, 4.0, 6.0
CHANNELS = ("sms", "email", "voice")


def main() -> None:
    import django

    django.setup()
    _shrink_times()
    for line in sys.stdin:
        if line.strip() != "spawn":
            continue
        pid = os.fork()
        if pid == 0:
            work()
        print(pid, flush=True)
        _bury()


def work() -> None:
    """One worker's life. The kernel ends it when its parent dies: nothing of this test outlives it."""
    _die_with_parent()
    from django.db import DatabaseError, InterfaceError, connections

    from omnify.lib.clock import now
    from sequences.delivery import dispatch
    from sequences.engine import tick
    from sequences.reconcile import Timing, reconcile

    timing = Timing(
        claim_stale=timedelta(seconds=STALE),
        grace=timedelta(seconds=GRACE),
        between_looks=timedelta(seconds=BETWEEN),
        give_up=timedelta(seconds=60),
    )
    turns: list[Any] = [
        lambda: tick(now(), 10),
        lambda: dispatch(CHANNELS, now=now, budget_seconds=1.0, threads=3),
        lambda: reconcile(now(), batch=20, timing=timing),
    ]
    while True:
        for turn in turns:
            try:
                turn()
            except (DatabaseError, InterfaceError, OSError) as error:
                print(f"worker {os.getpid()}: {type(error).__name__}", file=sys.stderr)
                connections.close_all()
                time.sleep(0.2)
        time.sleep(0.02)


def _shrink_times() -> None:
    from sequences import delivery, guards
    from sequences.transports import smtp, transport_for, twilio, vapi

    for provider in ("twilio", "vapi", "smtp"):
        transport_for(provider).warm()
    twilio.READ_TIMEOUT = vapi.READ_TIMEOUT = REQUEST
    smtp.REPLY_TIMEOUT = REQUEST
    delivery.PAUSES = (0.1, 0.3, 1.0)
    guards.SHORT_PAUSE, guards.UNCERTAIN_PAUSE = timedelta(seconds=1), timedelta(seconds=3)


def _bury() -> None:
    """Takes note of the dead, so that none stays a zombie."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _die_with_parent() -> None:
    import ctypes

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(0)


if __name__ == "__main__":
    main()
