"""Raw events into the database, many requests in one commit. Each request is answered only after its row is committed."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import psycopg

from omnify.lib.clock import offset
from omnify.lib.values import value
from sequences.columns import Bigints, Texts, Timestamps, register
from sequences.webhooks.link import Link

BATCH = 100
# Both less than the 15 s a provider waits: an honest 503 beats a dropped line. A batch, and a request that waits for its turn.
TRY_SECONDS, ANSWER_SECONDS = 8.0, 10.0

logger = logging.getLogger(__name__)

# provider_event_add: rows of one tenant; an event that is already here changes nothing. What came in just now came in when
# the database says, less the microseconds it has waited for its turn: a web machine whose clock is wrong would misdate what
# people said, and of two that waited together the later would count as the earlier. `%s` seconds: clock.offset().
PROVIDER_EVENT_ADD = """
INSERT INTO sequences_providerevent
    (tenant_id, sender_id, provider, kind, event_key, mark, headers, body, received_at, state, tries, problem)
SELECT %s::bigint, sender_id, provider, kind, event_key, mark, headers::jsonb, body,
       coalesce(received_at, statement_timestamp() + make_interval(secs => %s::float8 - waited / 1e6)), 'new', 0, ''
FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::bigint[])
    AS given (sender_id, provider, kind, event_key, mark, headers, body, received_at, waited)
ON CONFLICT (sender_id, provider, event_key) DO NOTHING
"""
COLUMNS = (Bigints, Texts, Texts, Texts, Texts, Texts, Texts, Timestamps, Bigints)
# The tenant of the statement that follows; and the workers, who hear of it once a commit however often it is said.
ENTER = "SELECT set_config('app.tenant_id', %s, true), pg_notify('omnify_wake', 'inbound')"


@value
class Row:
    """One provider event to be stored. `received_at` None: when it is stored, by the database's clock."""

    tenant_id: int
    sender_id: int
    provider: str
    kind: str
    event_key: str
    mark: str
    headers: dict[str, str]
    body: str
    received_at: datetime | None

    def values(self, waited: int = 0) -> tuple[Any, ...]:
        return (
            self.sender_id,
            self.provider,
            self.kind,
            self.event_key,
            self.mark,
            json.dumps(self.headers),
            self.body,
            self.received_at,
            waited,
        )

    @property
    def place(self) -> tuple[int, int, str, str]:
        """In one order everywhere, so that two processes storing the same events never wait for each other in a ring."""
        return self.tenant_id, self.sender_id, self.provider, self.event_key


def store_now(rows: Sequence[Row]) -> int:
    """Stores one tenant's rows from a worker, by the door's own statement, and wakes inbound; returns how many were new.

    For what a provider was asked for instead of told. Raises what the database raises.
    """
    from django.db import connection

    from omnify.tenants.context import tenant_context

    ordered = sorted(rows, key=lambda row: row.place)
    added = 0
    for tenant_id, mine in groupby(ordered, key=lambda row: row.tenant_id):
        columns = [list(column) for column in zip(*(row.values() for row in mine), strict=True)]
        with tenant_context(tenant_id), connection.cursor() as cursor:
            cursor.execute(PROVIDER_EVENT_ADD, [tenant_id, offset().total_seconds(), *columns])
            added += cursor.rowcount
            if cursor.rowcount:
                cursor.execute("SELECT pg_notify('omnify_wake', 'inbound')")
    return added


@dataclass(slots=True)
class Waiting:
    """A row whose request is still to be answered; `since`: by the event loop's clock. `late`: it has been, with our regrets."""

    row: Row
    done: "asyncio.Future[None]"
    since: float
    late: bool = False

    def settle(self, problem: BaseException | None) -> None:
        """A client that hung up has cancelled its future; that must not stop the others."""
        if self.done.done():
            return
        if problem is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(problem)


class Store:
    """Takes rows from any number of requests of one event loop and commits up to a hundred of them at a time."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def add(self, row: Row) -> None:
        """Returns when the row, or an equal one before it, is committed. Raises what the database raised, and TimeoutError when
        its turn has not come in time."""
        loop = asyncio.get_running_loop()
        waiting = Waiting(row, loop.create_future(), loop.time())
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="webhook writer")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await waiting.done
        except TimeoutError:
            waiting.late = True
            raise

    async def close(self) -> None:
        """Lets the batch that is being written end."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _write(self) -> None:
        """Commits batches until nobody waits. Requests that arrive meanwhile make the next batch."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            # Who was told to come again does; a database that is away must not fill our memory.
            batch = [each for each in batch if not each.late]
            if not batch:
                continue
            try:
                await self._settle(batch)
            except BaseException:
                # Cancelled, or a fault of ours: nobody may wait for a writer that is gone.
                for each in [*batch, *self._waiting]:
                    each.settle(ConnectionError("The webhook writer stopped."))
                self._waiting.clear()
                raise

    async def _settle(self, batch: Sequence[Waiting]) -> None:
        try:
            await self._commit(batch)
        except (psycopg.OperationalError, OSError, TimeoutError) as problem:
            # The class only: a database error quotes the row, and rows hold people's words.
            logger.error("Provider events could not be stored: %s", type(problem).__name__)
            for each in batch:
                each.settle(problem)
        except Exception as problem:  # noqa: BLE001 (also a row that cannot even be written down; its sender hears of it)
            if len(batch) == 1:
                logger.error("A provider event could not be stored: %s", type(problem).__name__)
                batch[0].settle(problem)
                return
            # One bad row (its sender was just deleted, say) must not cost the others their place.
            for each in batch:
                await self._settle([each])
        else:
            for each in batch:
                each.settle(None)

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        """One transaction. A connection that the server closed while idle is replaced once; events are stored once anyway."""
        until = asyncio.get_running_loop().time() + TRY_SECONDS
        try:
            await self._insert(batch, until)
        except psycopg.OperationalError:
            await self._insert(batch, until)

    async def _insert(self, batch: Sequence[Waiting], until: float) -> None:
        ordered = sorted(batch, key=lambda each: each.row.place)
        time = asyncio.get_running_loop().time
        async with self._link.pipeline(until) as cursor:
            register(cursor)
            for tenant_id, mine in groupby(ordered, key=lambda each: each.row.tenant_id):
                # Row-level security lets the statement that follows write this tenant's rows and no other's.
                await cursor.execute(ENTER, [str(tenant_id)], prepare=True)
                rows = [each.row.values(round((time() - each.since) * 1e6)) for each in mine]
                columns = [column(values) for column, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)]
                await cursor.execute(PROVIDER_EVENT_ADD, [tenant_id, offset().total_seconds(), *columns], prepare=True)
