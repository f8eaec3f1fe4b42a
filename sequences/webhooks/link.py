"""One asynchronous database connection of our own, used by one caller at a time and opened again when it breaks."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from math import inf
from typing import Any

import psycopg

# Django's wrapper adds these to what psycopg itself understands.
_DJANGOS_OWN = (
    "pool",
    "cursor_factory",
    "context",
    "server_side_binding",
    "prepare_threshold",
    "isolation_level",
    "assume_role",
)


def parameters() -> dict[str, Any]:
    """Where and as whom this process talks to the database."""
    from django.db import connection

    found: Mapping[str, Any] = connection.get_connection_params()
    ours = {name: value for name, value in found.items() if name not in _DJANGOS_OWN}
    return {**ours, "application_name": "omnify webhooks"}


def _by(until: float) -> asyncio.Timeout:
    return asyncio.timeout_at(until if until < inf else None)


def _hang_up(connection: psycopg.AsyncConnection[Any]) -> None:
    """Ends the conversation under whoever waits for its answer; the descriptor stays theirs to close."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


class Link:
    """`async with link.transaction() as cursor`: one transaction, committed when the block ends well.

    Works outside Django's connection handling: under ASGI that opens a connection a thread, and an ingest needs two in all.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._parameters = dict(given)
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self, until: float = inf) -> AsyncIterator[psycopg.AsyncCursor[Any]]:
        async with self._held(until) as connection, connection.transaction(), connection.cursor() as cursor:
            yield cursor

    @asynccontextmanager
    async def pipeline(self, until: float = inf) -> AsyncIterator[psycopg.AsyncCursor[Any]]:
        """One transaction of statements that need no answer of each other: sent together with its BEGIN and COMMIT.

        These two are said, not left to the pipeline's end: what PostgreSQL finds wrong only when it commits (a key that is
        checked then) psycopg takes there for the answer to nothing, and tells of as a connection that is broken.
        """
        async with self._held(until) as connection, connection.pipeline(), connection.cursor() as cursor:
            await cursor.execute("BEGIN")
            yield cursor
            await cursor.execute("COMMIT")

    @asynccontextmanager
    async def _held(self, until: float) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """The connection, for one caller. `until`, by the event loop's clock: TimeoutError where it cannot be had by then, and
        psycopg.OperationalError where the conversation has not ended by then.

        A server that has gone silent (frozen, or its network is) would not answer a request to cancel either, for which psycopg
        waits ten seconds: we hang up.
        """
        async with _by(until):
            await self._turn.acquire()
        try:
            async with _by(until):
                connection = await self._open()
            timer = asyncio.get_running_loop().call_at(until, _hang_up, connection) if until < inf else None
            try:
                yield connection
            except BaseException:
                # A cancelled or broken conversation leaves the connection in a state nobody should guess at.
                await self._drop()
                raise
            finally:
                if timer is not None:
                    timer.cancel()
        finally:
            self._turn.release()

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(**self._parameters, autocommit=True)
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        async with self._turn:
            await self._drop()
