"""The web process: pages, API and websockets through Django; webhooks beside it."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omnify.settings")
os.environ.setdefault("OMNIFY_DB_ROLE", "web")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
