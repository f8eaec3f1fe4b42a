"""The server that web and simulator run: it looks up seldom, and ends at once when it is told to."""

import asyncio
import signal
from typing import Any

import pytest
import uvicorn

from omnify.lib.server import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Server(uvicorn.Config("omnify.asgi:application"))
    made.looks = 0  # type: ignore[attr-defined]

    async def on_tick(counter: int) -> bool:
        made.looks += 1  # type: ignore[attr-defined]
        assert counter % 10 == 0, "the date is renewed at each look"
        return made.should_exit

    monkeypatch.setattr(made, "on_tick", on_tick)
    return made


def test_a_signal_ends_the_waiting(server: Any) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        # Its clock goes by only where the test says so: nothing but the signal can end the loop.
        loop.call_later = lambda *_: None  # type: ignore[method-assign, assignment]
        waiting = asyncio.ensure_future(server.main_loop())
        await asyncio.sleep(0)
        server.handle_exit(signal.SIGTERM, None)
        await waiting

    asyncio.run(run())
    assert server.looks == 2


def test_it_looks_up_once_a_second(server: Any) -> None:
    paused: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def call_later(seconds: float, told: Any) -> None:
            paused.append(seconds)
            server.should_exit = len(paused) == 3
            told()

        loop.call_later = call_later  # type: ignore[method-assign, assignment]
        await server.main_loop()

    asyncio.run(run())
    assert paused == [1.0] * 3
    assert server.looks == 4
