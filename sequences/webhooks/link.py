"""One asynchronous database connection of our own, used by one caller at a time and opened again when it breaks."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
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


class Link:
    """`async with link.transaction() as cursor`: one transaction, committed when the block ends well.

    Works outside Django's connection handling: under ASGI that opens a connection a thread, and an ingest needs two in all.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._parameters = dict(given)
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[psycopg.AsyncCursor[Any]]:
        async with self._turn:
            connection = await self._open()
            try:
                async with connection.transaction(), connection.cursor() as cursor:
                    yield cursor
            except BaseException:
                # A cancelled or broken conversation leaves the connection in a state nobody should guess at.
                await self._drop()
                raise

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[psycopg.AsyncCursor[Any]]:
        """One transaction of statements that need no answer of each other: sent together with its BEGIN and COMMIT.

        These two are said, not left to the pipeline's end: what PostgreSQL finds wrong only when it commits (a key that is
        checked then) psycopg takes there for the answer to nothing, and tells of as a connection that is broken.
        """
        async with self._turn:
            connection = await self._open()
            try:
                async with connection.pipeline(), connection.cursor() as cursor:
                    await cursor.execute("BEGIN")
                    yield cursor
                    await cursor.execute("COMMIT")
            except BaseException:
                await self._drop()
                raise

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
