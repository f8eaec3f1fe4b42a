"""Short messages after a request that htmx made (full page loads use django.contrib.messages)."""

from typing import Any

from django.http import HttpResponse
from django_htmx.http import trigger_client_event


def toast(response: HttpResponse, text: str, *, kind: str = "good", undo: str = "") -> HttpResponse:
    """Adds a toast to the response. `kind`: good, warn, bad or info. `undo`: a URL that takes the change back when POSTed to."""
    detail: dict[str, Any] = {"text": text, "kind": kind, "undo": undo}
    return trigger_client_event(response, "toast", detail)
