"""Requests to a server of ours over kept connections: as many as it takes, or at a steady pace. Few bytes, little thought:
the generator shares the machine with what it measures."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

CONNECTIONS = 100


@dataclass(slots=True)
class Answers:
    """What came back: how often each status, seconds from sending to the answer, and seconds in all."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def flood(port: int, requests: Sequence[bytes], connections: int = CONNECTIONS) -> Answers:
    """Sends all requests, the next on each connection as soon as the last is answered."""
    return asyncio.run(_flood(port, requests, connections))


def pace(port: int, requests: Sequence[bytes], rate: float, connections: int = CONNECTIONS) -> Answers:
    """Sends `rate` requests a second whatever comes back; what finds no idle connection waits, and its wait is counted."""
    return asyncio.run(_pace(port, requests, rate, connections))


class Line(asyncio.Protocol):
    """One connection with one request under way."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.buffer = answers, b""
        self.sent_at = 0.0
        self.answered: asyncio.Future[None] | None = None
        self.transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self.answers.statuses[int(head[9:12])] += 1
        self.answers.latencies.append(time.perf_counter() - self.sent_at)
        self.buffer = b""
        self._settle(None)

    def connection_lost(self, problem: Exception | None) -> None:
        self._settle(problem or ConnectionResetError("The server closed the connection."))

    def _settle(self, problem: Exception | None) -> None:
        if self.answered is not None and not self.answered.done():
            if problem is None:
                self.answered.set_result(None)
            else:
                self.answered.set_exception(problem)

    async def ask(self, request: bytes, since: float | None = None) -> None:
        assert self.transport is not None
        self.answered = asyncio.get_running_loop().create_future()
        self.sent_at = time.perf_counter() if since is None else since
        self.transport.write(request)
        await self.answered


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def _lines(port: int, answers: Answers, count: int) -> list[Line]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(lambda: Line(answers), "127.0.0.1", port))[1] for _ in range(count)]


async def _flood(port: int, requests: Sequence[bytes], connections: int) -> Answers:
    answers, waiting = Answers(), deque(requests)

    async def work(line: Line) -> None:
        while waiting:
            await line.ask(waiting.popleft())

    lines = await _lines(port, answers, connections)
    began = time.perf_counter()
    await asyncio.gather(*(work(line) for line in lines))
    answers.seconds = time.perf_counter() - began
    _close(lines)
    return answers


async def _pace(port: int, requests: Sequence[bytes], rate: float, connections: int) -> Answers:
    answers = Answers()
    lines = await _lines(port, answers, connections)
    idle: asyncio.Queue[Line] = asyncio.Queue()
    for line in lines:
        idle.put_nowait(line)

    async def one(request: bytes, due: float) -> None:
        line = await idle.get()
        await line.ask(request, since=due)
        idle.put_nowait(line)

    began, under_way = time.perf_counter(), []
    for number, request in enumerate(requests):
        due = began + number / rate
        if (ahead := due - time.perf_counter()) > 0.001:
            await asyncio.sleep(ahead)
        under_way.append(asyncio.create_task(one(request, due)))
    await asyncio.gather(*under_way)
    answers.seconds = time.perf_counter() - began
    _close(lines)
    return answers


def _close(lines: Sequence[Line]) -> None:
    for line in lines:
        if line.transport is not None:
            line.transport.close()
