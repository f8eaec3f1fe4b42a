"""Runs Omnify's processes side by side: names before their log lines, crashed ones started again, all stopped together.

Everything stops on Ctrl-C, SIGTERM, SIGHUP, when the terminal or the parent goes away (not under nohup), when nobody
reads the output any more, and, by way of the warden, when the supervisor itself is killed.

A child is restarted on request, too: whoever finds that one hangs makes the file `<requests>/restart-<name>` (the pulse
does so for a cluster whose canary task is overdue), and the supervisor removes the file and restarts that child.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TextIO

from omnify.commands import sessions

GRACE_SECONDS = 10.0
ROUND_SECONDS = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 30.0
COLOURS = (36, 33, 35, 32, 34, 31, 96, 93)


@dataclass(frozen=True)
class Child:
    """One process to keep alive. `name` stands before its lines; `environ` is its whole environment."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]


def pause_before(failures: int) -> float:
    """Seconds to wait before the next start after `failures` crashes in a row: 0.5, 1, 2 … 30."""
    return min(LONGEST_PAUSE, 0.5 * 2 ** max(0, failures - 1))


class Printer:
    """Writes whole lines of many children to one stream, each after its coloured name."""

    def __init__(self, stream: TextIO, names: Sequence[str], gone: Callable[[str], None]) -> None:
        self._stream, self._gone, self._lock = stream, gone, threading.Lock()
        self._width = max(map(len, names), default=0)
        coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        self._colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)} if coloured else {}

    def line(self, name: str, text: str) -> None:
        label = name.ljust(self._width)
        if name in self._colours:
            label = f"\x1b[{self._colours[name]}m{label}\x1b[0m"
        try:
            with self._lock:
                self._stream.write(f"{label} | {text.rstrip()}\n")
                self._stream.flush()
        except (OSError, ValueError):
            self._gone("nobody reads the output any more")

    def follow(self, name: str, pipe: TextIO) -> None:
        with pipe:
            for text in pipe:
                self.line(name, text)


class Runner:
    """One child over its lives."""

    def __init__(self, child: Child, supervisor: "Supervisor") -> None:
        self.child, self._supervisor = child, supervisor
        self.process: subprocess.Popen[str] | None = None
        self._failures, self._began, self._next_start = 0, 0.0, 0.0
        self._kill_at: float | None = None

    def step(self, now: float) -> None:
        """One look: start it, notice that it ended, or restart it on request. `now` is a monotonic time in seconds."""
        request = self._supervisor.requests / f"restart-{self.child.name}"
        if self.process is None:
            if now >= self._next_start:
                request.unlink(missing_ok=True)  # asked of the life before this one
                self._start(now)
        elif (code := self.process.poll()) is not None:
            self._ended(code, now)
        elif self._kill_at is not None:
            if now >= self._kill_at:
                sessions.kill({self.process.pid})
        elif request.exists():
            request.unlink(missing_ok=True)
            self._supervisor.say(f"{self.child.name} is restarted on request")
            self._kill_at = now + GRACE_SECONDS
            sessions.send(self.process.pid, signal.SIGTERM)

    def _start(self, now: float) -> None:
        self.process = subprocess.Popen(
            self.child.command,
            env=dict(self.child.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._began, self._kill_at = now, None
        self._supervisor.tell_warden(f"+{self.process.pid}")
        arguments = (self.child.name, self.process.stdout)
        threading.Thread(target=self._supervisor.printer.follow, args=arguments, daemon=True).start()

    def _ended(self, code: int, now: float) -> None:
        process, asked = self.process, self._kill_at is not None
        self.process = None
        if process is not None:
            sessions.kill({process.pid})  # a crashed leader's workers would go on unwatched beside the new ones
            self._supervisor.tell_warden(f"-{process.pid}")
        self._failures = 1 if asked or now - self._began > STEADY_SECONDS else self._failures + 1
        pause = 0.0 if asked else pause_before(self._failures)
        self._next_start = now + pause
        if not asked:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            self._supervisor.say(f"{self.child.name} {how}; it is started again in {pause:g} s")


class Supervisor:
    """`run()` blocks until something asks it to stop, and returns when no child is left."""

    def __init__(self, children: Sequence[Child], requests: Path, stream: TextIO = sys.stdout) -> None:
        self.requests = requests
        self.printer = Printer(stream, [*(child.name for child in children), "omnify"], self.stop)
        self._runners = [Runner(child, self) for child in children]
        self._reason = ""
        self._wake = threading.Event()
        self._warden: subprocess.Popen[str] | None = None

    def say(self, text: str) -> None:
        self.printer.line("omnify", text)

    def living(self) -> dict[str, int]:
        """name -> pid of each child that runs at this moment; it leads a session of its own."""
        return {runner.child.name: runner.process.pid for runner in self._runners if runner.process is not None}

    def stop(self, reason: str) -> None:
        """Asks `run` to stop everything. Safe from a signal handler and from any thread."""
        self._reason = self._reason or reason
        self._wake.set()

    def tell_warden(self, line: str) -> None:
        if self._warden and self._warden.stdin:
            try:
                self._warden.stdin.write(line + "\n")
                self._warden.stdin.flush()
            except BrokenPipeError:
                self._warden = None
                self.stop("its warden was killed")

    def run(self, each_round: Callable[[float], None] = lambda now: None) -> str:
        """Starts the children and keeps them; returns why it stopped. Calls `each_round(now)` twice a second."""
        under_nohup = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        for number in before:
            if number != signal.SIGHUP or not under_nohup:
                signal.signal(number, self._on_signal)
        parent, on_terminal = os.getppid(), sys.stdin is not None and sys.stdin.isatty()
        self._warden = subprocess.Popen(
            [sys.executable, "-m", "omnify.commands.warden"],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            while not self._reason:
                now = time.monotonic()
                for runner in self._runners:
                    runner.step(now)
                each_round(now)
                if not under_nohup and os.getppid() != parent:
                    self.stop("the parent process is gone")
                if on_terminal and not under_nohup and not sys.stdin.isatty():
                    self.stop("the terminal is gone")
                self._wake.wait(ROUND_SECONDS)
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._reason

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop("Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name)

    def _stop_all(self) -> None:
        leaders = {runner.process.pid for runner in self._runners if runner.process is not None}
        self.say(f"stopping ({self._reason or 'an error'})")
        sessions.stop(leaders, GRACE_SECONDS)
        for runner in self._runners:
            if runner.process is not None:
                runner.process.wait(10)
                self.tell_warden(f"-{runner.process.pid}")
        if self._warden and self._warden.stdin:
            self._warden.stdin.close()
            self._warden.wait(30)
