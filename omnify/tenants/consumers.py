"""The websocket of a page: hints of one tenant's changes, for as long as the session may see that tenant."""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from omnify.lib.live import group_name
from omnify.tenants.standing import tenant_of_session

NOT_WELCOME = 4403  # live.js does not come back after this one


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Joins the group of the session's tenant; whatever the browser sends only makes it look at the session again."""

    recheck_seconds = 30.0

    async def connect(self) -> None:
        self.tenant_id: int | None = None
        self.watch: asyncio.Task[None] | None = None
        if not same_origin(self.scope):
            await self.close()
            return
        self.session_key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME, "")
        self.tenant_id = await self.standing()
        # Accepted even when it is refused: only then does the browser learn the code, and stops trying.
        await self.accept()
        if self.tenant_id is None:
            await self.close(code=NOT_WELCOME)
            return
        await self.channel_layer.group_add(group_name(self.tenant_id), self.channel_name)
        self.watch = asyncio.create_task(self.keep_watch())

    async def disconnect(self, code: int) -> None:
        if self.watch is not None:
            self.watch.cancel()
            with suppress(asyncio.CancelledError):
                await self.watch
        if self.tenant_id is not None:
            await self.channel_layer.group_discard(group_name(self.tenant_id), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        """The content of a message means nothing here, so none of it is even parsed."""
        await self.check()

    async def live_hint(self, message: dict[str, Any]) -> None:
        await self.send_json({"topic": message["topic"], "key": message["key"]})

    async def keep_watch(self) -> None:
        while True:
            await asyncio.sleep(self.recheck_seconds)
            await self.check()

    async def check(self) -> None:
        """Closes when the session or the membership has ended, or another tenant was chosen in another tab."""
        tenant_id = await self.standing()
        if tenant_id != self.tenant_id:
            await self.close(code=NOT_WELCOME if tenant_id is None else None)

    async def standing(self) -> int | None:
        return await database_sync_to_async(tenant_of_session)(self.session_key)


def same_origin(scope: dict[str, Any]) -> bool:
    """Whether the page that opened the socket came from this very host and port: cookies travel from any page, Origin does not lie."""
    headers = dict(scope["headers"])
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1"))
    return bool(origin.netloc) and origin.netloc == headers.get(b"host", b"").decode("latin-1")
