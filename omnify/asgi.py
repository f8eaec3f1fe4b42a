"""The web process: pages, API and websockets through Django; webhooks beside it."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omnify.settings")
os.environ.setdefault("OMNIFY_DB_ROLE", "web")

from typing import Any

from django.core.asgi import get_asgi_application

pages = get_asgi_application()

# Models can be imported only once Django is set up.
from sequences.webhooks.ingest import PREFIX, hooks  # noqa: E402


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Providers' webhooks go through their own door; everything else is Django's."""
    if scope["type"] == "http" and scope["path"].startswith(PREFIX):
        await hooks(scope, receive, send)
    else:
        await pages(scope, receive, send)
