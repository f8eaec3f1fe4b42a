"""The web process: pages, API and websockets through Django; webhooks, health and metrics beside it."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omnify.settings")
os.environ.setdefault("OMNIFY_DB_ROLE", "web")

from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import CookieMiddleware
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

pages = get_asgi_application()

# Models can be imported only once Django is set up.
from omnify.operations.door import PATHS, door  # noqa: E402
from omnify.tenants.consumers import LiveConsumer  # noqa: E402
from sequences.webhooks.ingest import PREFIX, hooks  # noqa: E402


async def http(scope: Any, receive: Any, send: Any) -> None:
    """Providers' webhooks, and questions after our health, go through doors of their own; everything else is Django's."""
    if scope["path"].startswith(PREFIX):
        await hooks(scope, receive, send)
    elif scope["path"] in PATHS:
        await door(scope, receive, send)
    else:
        await pages(scope, receive, send)


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """A websocket address that does not exist."""
    await send({"type": "websocket.close"})


sockets = URLRouter([path("ws/live/", LiveConsumer.as_asgi()), re_path(r"", refuse)])  # type: ignore[arg-type]

application = ProtocolTypeRouter({"http": http, "websocket": AllowedHostsOriginValidator(CookieMiddleware(sockets))})
