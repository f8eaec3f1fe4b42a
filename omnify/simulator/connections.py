"""Cutting a connection under a client's hands, as a provider's dying load balancer does."""

import asyncio
import socket
import struct
from typing import Any

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

_open: dict[tuple[str, int], asyncio.Transport] = {}


class KnownConnections(H11Protocol):
    """uvicorn's HTTP/1.1 protocol that remembers which transport serves which peer (ASGI hides it from the app)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            _open[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            _open.pop(self.client, None)
        super().connection_lost(exc)


def reset(transport: Any) -> None:
    """Abort with a TCP reset: the peer sees 'connection reset', never a half-written answer."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def reset_peer(request: Request) -> None:
    """Reset the connection this request came in on."""
    assert request.client is not None
    reset(_open[(request.client.host, request.client.port)])
