"""A send that is not over in time dies with its process: the hard end in the law of times (docs/reliability.md).

A worker may be frozen for an hour (a stopped process, a paused machine) between the commit of `sending` and the socket. When it
goes on, the reconciler has long proven that nothing arrived, and the message went out by another worker. So the kernel holds a
timer for each send, on the clock that runs on while the machine sleeps, and its signal cannot be caught: a frozen process is
killed as it is, and one that wakes late is killed before it does anything.
"""

import ctypes
import functools
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# More than any request may take (a mail server's seven replies at ten seconds each), less than the reconciler's grace.
SECONDS = 100.0
CLOCK_BOOTTIME, SIGEV_SIGNAL = 7, 0

logger = logging.getLogger(__name__)


class _Event(ctypes.Structure):
    """struct sigevent of <signal.h>: 64 bytes, the rest unused for a plain signal."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_char * 48),
    )


class _Moment(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timing(ctypes.Structure):
    """struct itimerspec: how often again (never), and when first."""

    _fields_ = (("again", _Moment), ("first", _Moment))


@contextmanager
def over_within(seconds: float | None = None) -> Iterator[None]:
    """Around a send, from before `sending` is committed: kills this process when it is not left within `seconds` (SECONDS)."""
    limit = SECONDS if seconds is None else seconds
    timer = _start(limit)
    if timer is None:
        yield
        return
    try:
        yield
    finally:
        _library().timer_delete(timer)


class Together:
    """The same for sends that begin with one commit: kills this process when one of them is not over in time."""

    def __init__(self, sends: int, seconds: float | None = None) -> None:
        self.limit = SECONDS if seconds is None else seconds
        self.left, self.began, self.lock = sends, time.monotonic(), threading.Lock()
        self.timer = _start(self.limit)

    def over(self, sends: int = 1) -> None:
        """So many of them are over, or were never begun."""
        with self.lock:
            self.left -= sends
            if self.left > 0 or self.timer is None:
                return
            timer, self.timer = self.timer, None
        _library().timer_delete(timer)

    def expired(self) -> bool:
        """Whether none of them may go to the socket any more: the net below the timer."""
        return expired(self.began, self.limit)


def expired(began: float, seconds: float | None = None) -> bool:
    """Whether a send that began at `began` (time.monotonic) must not go to the socket any more: the net below the timer,
    and all there is where the system has none."""
    return time.monotonic() - began >= (SECONDS if seconds is None else seconds)


def _start(seconds: float) -> ctypes.c_void_p | None:
    library = _library()
    if library is None:
        return None
    timer = ctypes.c_void_p()
    event = _Event(None, signal.SIGKILL, SIGEV_SIGNAL, b"")
    if library.timer_create(CLOCK_BOOTTIME, ctypes.byref(event), ctypes.byref(timer)):
        logger.warning(
            "The system gives no timer (errno %d): a frozen worker is only stopped by its cluster.", ctypes.get_errno()
        )
        return None
    whole = int(seconds)
    timing = _Timing(_Moment(0, 0), _Moment(whole, int((seconds - whole) * 1e9)))
    library.timer_settime(timer, 0, ctypes.byref(timing), None)
    return timer


@functools.cache
def _library() -> Any:
    """The C library where it has POSIX timers (Linux), else None."""
    library = ctypes.CDLL(None, use_errno=True)
    return library if hasattr(library, "timer_create") and hasattr(time, "CLOCK_BOOTTIME") else None
