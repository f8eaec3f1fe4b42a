"""A request that lost a deadlock is done again: its transaction was undone whole, so nothing of it has happened yet.

Merges, edits and opt-outs of the same people take the same rows in the order of docs/reliability.md; where two still meet
crosswise, the database ends one of them. Workers try again by themselves; a member's request is tried again here.
"""

import psycopg
from django.conf import settings
from django.contrib.messages import get_messages
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

TRIES = 3
LOST = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


def lost(error: BaseException) -> bool:
    """Whether the database ended this transaction in favour of another one: the only fault that a second try can mend."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, LOST)


def keep_body(request: HttpRequest) -> None:
    """Reads a JSON body of ordinary size into the request, so that a second try finds it. A form is kept by Django anyway."""
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return
    if request.content_type == "application/json" and 0 < size <= (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
        request.body  # noqa: B018 (reading it keeps it)


def forget(request: HttpRequest) -> bool:
    """Takes back what the lost try left on the request. False: its body cannot be read a second time, so it is not tried again."""
    if request.method not in ("GET", "HEAD") and not (hasattr(request, "_body") or hasattr(request, "_post")):
        return False
    request.view_failed = request.lost_deadlock = False  # type: ignore[attr-defined]
    said = get_messages(request)
    if hasattr(said, "_queued_messages"):
        said._queued_messages.clear()
    if hasattr(request, "_files"):
        for _, files in request.FILES.lists():
            for file in files:
                file.seek(0)
    return True


def busy(request: HttpRequest) -> HttpResponse:
    """What is answered when every try was lost: 503, nothing changed, ask again in a moment."""
    if request.path_info.startswith("/api/"):
        said = "Others were changing the same people at this moment. Nothing was changed; send the request again."
        answer: HttpResponse = JsonResponse({"detail": said}, status=503)
    else:
        answer = HttpResponse(render_to_string("503.html"), status=503)
    answer["Retry-After"] = "1"
    return answer
