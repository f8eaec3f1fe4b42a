"""The websocket of a page: hints of one tenant's changes, for as long as the session may see that tenant."""

import asyncio
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from omnify.lib.live import group_name
from omnify.tenants.standing import STANDING, standing_of_session

NOT_WELCOME = 4403  # live.js does not come back after this one


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Joins the group of the session's tenant; whatever the browser sends only makes it look at the session again."""

    recheck_seconds = 30.0
    # However many frames a browser sends, they cost the database one look a second.
    frame_seconds = 1.0

    async def connect(self) -> None:
        self.tenant_id: int | None = None
        self.began_as: tuple[int, str] | None = None
        self.watch: asyncio.Task[None] | None = None
        self.looked_at = 0.0
        if not same_origin(self.scope):
            await self.close()
            return
        self.session_key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME, "")
        self.began_as = await self.standing()
        self.tenant_id = self.began_as[0] if self.began_as else None
        if self.tenant_id is None:
            # Accepted although it is refused: only then does the browser learn the code, and stops trying.
            await self.accept()
            await self.close(code=NOT_WELCOME)
            return
        # Before it is open: from then on the page takes what it shows for what is.
        await self.channel_layer.group_add(group_name(self.tenant_id), self.channel_name)
        await self.accept()
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
        if time.monotonic() - self.looked_at >= self.frame_seconds:
            await self.check()

    async def live_hint(self, message: dict[str, Any]) -> None:
        if message["topic"] == STANDING:  # somebody's rights have changed: whether it was this one, the database says
            await self.check()
            return
        await self.send_json({"topic": message["topic"], "key": message["key"]})

    async def live_again(self, message: dict[str, Any]) -> None:
        """Hints were lost: the page comes back at once, and fetches everything anew."""
        await self.close()

    async def keep_watch(self) -> None:
        while True:
            await asyncio.sleep(self.recheck_seconds)
            await self.check()

    async def check(self) -> None:
        """Closes when the session or the membership has ended, the role is another, or another tenant was chosen in another tab."""
        self.looked_at = time.monotonic()
        standing = await self.standing()
        if standing != self.began_as:
            await self.close(code=NOT_WELCOME if standing is None else None)

    async def standing(self) -> tuple[int, str] | None:
        return await database_sync_to_async(standing_of_session)(self.session_key)


def same_origin(scope: dict[str, Any]) -> bool:
    """Whether the page that opened the socket came from this very host and port: cookies travel from any page, Origin does not lie."""
    headers = dict(scope["headers"])
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1"))
    return bool(origin.netloc) and origin.netloc == headers.get(b"host", b"").decode("latin-1")
