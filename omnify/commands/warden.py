"""Outlives a supervisor that was killed, to stop its children. Works on every Unix, unlike Linux's parent-death signal,
which also reaches only the first process of a family.

`python -m omnify.commands.warden` reads "+pid" and "-pid" lines, the sessions to look after; when the pipe closes,
however the supervisor died, it stops those that are left.
"""

import signal
import sys
from collections.abc import Iterable

from omnify.commands import sessions

GRACE_SECONDS = 8.0


def watch(lines: Iterable[str]) -> set[int]:
    """Follows the lines to their end; returns the leaders that were never taken off the list."""
    leaders: set[int] = set()
    for line in lines:
        sign, pid = line[:1], int(line[1:])
        if sign == "+":
            leaders.add(pid)
        else:
            leaders.discard(pid)
    return leaders


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    left = watch(sys.stdin)
    if left:
        sessions.stop(left, GRACE_SECONDS)


if __name__ == "__main__":
    main()
