"""/healthz and /metrics, answered beside Django: without a log-in, session or pool, within two seconds even when the database
is away. One connection of their own a process, asked at most once a second however often somebody knocks.
"""

import asyncio
import hmac
import ipaddress
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from omnify.lib import clock
from omnify.operations.findings import FAILED, Finding, Seen, database, judge, worst
from omnify.operations.metrics import exposition
from omnify.operations.seeing import LOOK, TALLIES, seen_in

PATHS = frozenset({"/healthz", "/healthz/", "/metrics", "/metrics/"})
ANSWER_WITHIN = 1.5
KEPT_FOR = 1.0
STATEMENT_TIMEOUT = "-c statement_timeout=1000"
# A look that hangs longer is given up, and the next one begins with a new connection.
GIVEN_UP_AFTER = 5.0

logger = logging.getLogger(__name__)
Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found, and when (monotonic). `seen` is None when the database did not answer."""

    at: float
    seen: Seen | None
    tallies: tuple[tuple[str, float], ...] = ()


class Door:
    """The ASGI callable. Belongs to one event loop."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._last: Look | None = None
        self._looking: asyncio.Task[Look] | None = None
        self._since = 0.0

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(scope, send, 405, "text/plain", "Only GET and HEAD.", [(b"allow", b"GET, HEAD")])
        elif scope["path"].startswith("/metrics"):
            await self._metrics(scope, send)
        else:
            await self._health(scope, send)

    async def _health(self, scope: Scope, send: Send) -> None:
        look = await self.look()
        findings = [database(look.seen is not None)]
        if look.seen is not None:
            findings += judge(look.seen, send_epoch=settings.SEND_EPOCH, sending=settings.SENDING)
        state = worst(findings)
        strict = b"strict" in scope.get("query_string", b"")
        code = 503 if look.seen is None or (strict and state == FAILED) else 200
        body = json.dumps({"status": state, "checks": {each.name: _said(each) for each in findings}}, indent=1)
        await _answer(scope, send, code, "application/json", body)

    async def _metrics(self, scope: Scope, send: Send) -> None:
        if not may_read(scope, settings.METRICS_TOKEN):
            await _answer(scope, send, 403, "text/plain", "Metrics need the bearer token OMNIFY_METRICS_TOKEN.")
            return
        look = await self.look()
        findings = [database(look.seen is not None)]
        if look.seen is not None:
            findings += judge(look.seen, send_epoch=settings.SEND_EPOCH, sending=settings.SENDING)
        body, kind = exposition(look.seen, findings, dict(look.tallies))
        await _answer(scope, send, 200 if look.seen is not None else 503, kind, body)

    async def look(self) -> Look:
        """The last look, if it is fresh, else a new one; everybody who asks meanwhile waits for the same, ANSWER_WITHIN at most."""
        if self._last is not None and time.monotonic() - self._last.at < KEPT_FOR:
            return self._last
        if self._looking is not None and not self._looking.done() and time.monotonic() - self._since > GIVEN_UP_AFTER:
            self._looking.cancel()
            self._looking = self._connection = None
        if self._looking is None or self._looking.done():
            self._since = time.monotonic()
            self._looking = asyncio.get_running_loop().create_task(self._look())
        # Not wait_for: psycopg would first try to cancel at a server that does not answer.
        await asyncio.wait({self._looking}, timeout=ANSWER_WITHIN)
        if self._looking.done() and not self._looking.cancelled():
            self._last = self._looking.result()
            return self._last
        return Look(time.monotonic(), None)

    async def _look(self) -> Look:
        try:
            conn = await self._connected()
            before = clock.machine()
            row = await (await conn.execute(LOOK)).fetchone()
            seen = seen_in(row, before, clock.machine())
            tallies = await (await conn.execute(TALLIES)).fetchall()
            return Look(time.monotonic(), seen, tuple(tallies))
        except (psycopg.Error, OSError) as error:
            logger.warning("The database does not answer the health check (%s).", type(error).__name__)
            if self._connection is not None:
                await self._connection.close()
            self._connection = None
            return Look(time.monotonic(), None)

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            parameters = connection.get_connection_params()
            for name in (
                "pool",
                "cursor_factory",
                "context",
                "server_side_binding",
                "prepare_threshold",
                "isolation_level",
            ):
                parameters.pop(name, None)
            parameters["options"] = f"{parameters.get('options', '')} {STATEMENT_TIMEOUT}".strip()
            parameters["connect_timeout"] = 2
            parameters["application_name"] = "omnify health"
            self._connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
        return self._connection

    async def close(self) -> None:
        """Ends the connection; the next look opens another."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def may_read(scope: Scope, token: str) -> bool:
    """Whether this request may read metrics: it bears the token, or, where none is set, it comes from this very machine and
    through no proxy (which would make everybody come from this machine)."""
    headers = {name.lower(): value for name, value in scope.get("headers", ())}
    if token:
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), token.encode())
    if any(name in headers for name in (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")):
        return False
    try:
        return ipaddress.ip_address((scope.get("client") or ("", 0))[0]).is_loopback
    except ValueError:
        return False


def _said(finding: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {"status": finding.state, "says": finding.sentence}
    if finding.value is not None:
        told["value"] = round(finding.value, 3)
    if finding.limits is not None:
        told["degraded_from"], told["failed_from"] = finding.limits
    return told


async def _answer(
    scope: Scope, send: Send, status: int, kind: str, body: str, extra: list[tuple[bytes, bytes]] | None = None
) -> None:
    content = body.encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *(extra or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})


door = Door()
