"""Live updates: hints over a websocket that something changed. A page that misses one shows the truth at its next load.

The layer is in memory in each process, bridged by PostgreSQL's NOTIFY (ids only, under its 8,000-byte limit). At most once.
"""

import asyncio
import json
import logging
from collections.abc import Iterable
from typing import Any

from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer
from django.db import connection, transaction

CHANNEL = "omnify_live"
LIMIT = 7900
# Seconds that a page waits for the process to listen; without a database it is open all the same, and told later to look again.
LISTENING_WITHIN = 5.0

logger = logging.getLogger(__name__)


def group_name(tenant_id: int) -> str:
    """One group a tenant: what a page listens to is decided by its session, never by the browser's message."""
    return f"tenant.{int(tenant_id)}"


def payload(tenant_id: int, topic: str, key: str = "") -> str:
    """The JSON of one hint: a topic and, where it is about one row, that row's public id. Raises ValueError over the limit."""
    text = json.dumps(
        {"group": group_name(tenant_id), "message": {"type": "live.hint", "topic": topic, "key": str(key)}}
    )
    if len(text) > LIMIT:
        raise ValueError(f"A live hint carries ids only; this one has {len(text)} bytes.")
    return text


def hint(tenant_id: int, topic: str, key: str = "") -> None:
    """Tells this tenant's open pages that `topic` (and the row `key`, a public id) changed, once the transaction commits."""
    text = payload(tenant_id, topic, key)
    from django.conf import settings

    if settings.REDIS_URL:
        transaction.on_commit(lambda: _send_by_layer(text))
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, text])


WAKE = "omnify_wake"


def announce(tenant_ids: Iterable[int], topic: str, *, wake: str) -> None:
    """One hint to each of these tenants and one wake-up for the workers, in one statement; both go out at the commit."""
    from django.conf import settings

    notices = [(WAKE, wake)]
    for tenant_id in tenant_ids:
        if settings.REDIS_URL:
            hint(tenant_id, topic)
        else:
            notices.append((CHANNEL, payload(tenant_id, topic)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(channel, payload) FROM unnest(%s::text[], %s::text[]) AS notice(channel, payload)",
            [[channel for channel, _ in notices], [text for _, text in notices]],
        )


def _send_by_layer(payload: str) -> None:
    from asgiref.sync import async_to_sync
    from channels.layers import get_channel_layer

    data = json.loads(payload)
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(layer.group_send)(data["group"], data["message"])


class NotifyLayer(InMemoryChannelLayer):
    """In-memory channel layer whose group_send reaches every process through LISTEN/NOTIFY."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listener: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self._missed = False

    async def group_add(self, group: str, channel: str) -> None:
        """Returns when the process hears what is told to the group: what was told before is in the page that asks for this."""
        if self._listener is None or self._listener.done():
            # (pages that one before it served, and that it left, have missed something)
            self._heard, self._missed = asyncio.Event(), bool(self.groups)
            self._listener = asyncio.get_running_loop().create_task(self._listen(self._heard))
        await super().group_add(group, channel)
        try:
            async with asyncio.timeout(LISTENING_WITHIN):
                await self._heard.wait()
        except TimeoutError:
            self._missed = True

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        payload = json.dumps({"group": group, "message": message})
        if len(payload) > LIMIT:
            raise ValueError(f"A live hint carries ids only; this one has {len(payload)} bytes.")
        await sync_to_async(_notify)(payload)

    async def _listen(self, heard: asyncio.Event) -> None:
        """Listens for ever; a dropped connection is opened again with growing pauses (0.1 s to 5 s), and then every page is told to
        look again, for what happened meanwhile was told to nobody."""
        import psycopg

        pause = 0.1
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**_listen_parameters(), autocommit=True) as conn:
                    await conn.execute(f"LISTEN {CHANNEL}")
                    pause = 0.1
                    heard.set()
                    if self._missed:
                        self._missed = False
                        for group in list(self.groups):
                            await super().group_send(group, {"type": "live.again"})
                    async for notice in conn.notifies():
                        data = json.loads(notice.payload)
                        await super().group_send(data["group"], data["message"])
            except (psycopg.OperationalError, OSError) as error:
                logger.warning(
                    "Live updates lost the database (%s); trying again in %.1f s.", type(error).__name__, pause
                )
            heard.clear()
            self._missed = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)


def _notify(payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])


def _listen_parameters() -> dict[str, Any]:
    parameters = connection.get_connection_params()
    for name in ("pool", "cursor_factory", "context", "server_side_binding", "prepare_threshold", "isolation_level"):
        parameters.pop(name, None)
    return parameters
