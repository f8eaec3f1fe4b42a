"""Files that are made while they are sent: memory stays flat, however large they become."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header


def attachment(
    request: HttpRequest, pieces: Iterator[str] | Iterator[bytes], file_name: str, content_type: str
) -> StreamingHttpResponse:
    """A streamed attachment, fit for the kind of server that asks: ASGI would collect a plain iterator in memory first."""
    content: Any = _asynchronously(pieces) if hasattr(request, "scope") else pieces
    response = StreamingHttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, file_name) or "attachment"
    # Django would pack each piece of an asynchronous stream as a gzip file of its own, and browsers read the first one only.
    response["Content-Encoding"] = "identity"
    return response


async def _asynchronously(pieces: Iterator[Any]) -> AsyncIterator[Any]:
    following = sync_to_async(_next_of, thread_sensitive=True)
    while (piece := await following(pieces)) is not None:
        yield piece


def _next_of(pieces: Iterator[Any]) -> Any:
    """A piece is read in transactions of its own: while a slow client takes it, others have the connection."""
    try:
        return next(pieces, None)
    finally:
        if not connection.in_atomic_block:
            connection.close()
