"""The least a durable ingest does: take a body, store it with those of others, answer after the commit. No signature, no
tenant, no row-level security, no second delivery recognised. An ASGI application, the floor of `bench ingest`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

TABLE = "CREATE TABLE floor.hook (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL)"
ADD = "INSERT INTO floor.hook (body) SELECT unnest(%s::text[])"
BATCH = 100


class Bare:
    def __init__(self) -> None:
        self.waiting: list[tuple[str, asyncio.Future[None]]] = []
        self.writer: asyncio.Task[None] | None = None
        self.connection: psycopg.AsyncConnection[Any] | None = None

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            if self.connection is not None:
                await self.connection.close()
            await send({"type": message["type"] + ".complete"})
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if scope["method"] == "POST":
            done = asyncio.get_running_loop().create_future()
            self.waiting.append((body.decode(), done))
            if self.writer is None or self.writer.done():
                self.writer = asyncio.create_task(self.write())
            await done
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def write(self) -> None:
        from sequences.webhooks.link import parameters

        if self.connection is None:
            self.connection = await psycopg.AsyncConnection.connect(**parameters(), autocommit=True)
        while self.waiting:
            batch, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
            await self.connection.execute(ADD, [[body for body, _ in batch]])
            for _, done in batch:
                done.set_result(None)


application = Bare()
