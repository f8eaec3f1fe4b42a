"""The real ASGI application with a door beside it through which a test moves its clock: the web process is one of its own."""

import json
from datetime import timedelta
from typing import Any

from omnify.asgi import application as omnify
from omnify.lib import clock

CLOCK = "/-clock"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Everything is Omnify's, except POST /-clock with {"offset": seconds}."""
    if scope["type"] != "http" or scope["path"] != CLOCK:
        await omnify(scope, receive, send)
        return
    body = (await receive())["body"]
    clock._OFFSET = timedelta(seconds=json.loads(body)["offset"])
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
