"""A frozen worker: what it had begun never reaches the wire after somebody else was free to send it."""

import os
import signal
import time

import pytest

from sequences import deadman
from sequences.reconcile import NORMAL

pytestmark = pytest.mark.skipif(deadman._library() is None, reason="This system has no POSIX timers.")


def how_a_child_ended(*, stopped: bool, within: float, works_for: float) -> int:
    """The signal that ended a child which begins a send and may freeze in the middle; 0 when it ended by itself."""
    pid = os.fork()
    if pid == 0:
        with deadman.over_within(within):
            if stopped:
                os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(works_for)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def test_a_worker_frozen_in_a_send_is_killed_as_it_is() -> None:
    assert how_a_child_ended(stopped=True, within=0.2, works_for=5) == signal.SIGKILL


def test_a_send_that_hangs_for_ever_ends_with_its_process() -> None:
    assert how_a_child_ended(stopped=False, within=0.2, works_for=5) == signal.SIGKILL


def test_a_send_in_time_costs_nobody_anything() -> None:
    assert how_a_child_ended(stopped=False, within=5, works_for=0.05) == 0


def test_the_law_of_times_holds() -> None:
    from sequences.transports import base, smtp

    replies_of_a_mail_server = 7
    assert base.CONNECT_TIMEOUT + base.READ_TIMEOUT < deadman.SECONDS
    assert replies_of_a_mail_server * smtp.REPLY_TIMEOUT < deadman.SECONDS
    assert NORMAL.grace.total_seconds() > deadman.SECONDS
    assert deadman.expired(time.monotonic() - deadman.SECONDS)
    assert not deadman.expired(time.monotonic())
