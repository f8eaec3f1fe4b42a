"""The door for providers: a bare ASGI app for /hooks/*, beside Django in the web process or in a process of its own.

Verify, store one raw row, commit, answer. Nothing is parsed for meaning, nobody is looked up, no page is rendered: replies
are lost by slow or broken webhooks (Telnyx allows 2 s, Twilio retries once, VAPI never), so this path does nothing else.

Answers: 200 stored (also an event we do not understand), 403 not genuine, 404 nobody's key, 405 not a POST, 413 too large,
503 our own fault; what is turned away from a known sender is counted (refusals.py). Never 403 for a fault of ours: Postmark stops retrying on it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings

from omnify.lib.clock import now
from sequences.webhooks import certificates, mail, sendgrid, ses, twilio, vapi
from sequences.webhooks.accounts import Accounts
from sequences.webhooks.base import Account, Request, mark_in
from sequences.webhooks.link import Link, parameters
from sequences.webhooks.refusals import Refusals
from sequences.webhooks.storing import Row, Store

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

LIMIT = 1_000_000  # bytes
# A mail with a photograph; its sender has already shown the password before the body is read.
MAIL_LIMIT = 35_000_000
LARGE = 200_000
PREFIX = "/hooks/"
EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
# What is kept of the headers. Never the secrets.
KEPT_HEADERS = ("content-type", "user-agent", "i-twilio-idempotency-token", "x-timestamp")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """One provider's webhook: its module, the senders that may use it, and its sub-addresses."""

    name: str
    module: ModuleType
    providers: frozenset[str]
    kinds: frozenset[str]
    # Sub-addresses whose callers show a password before their body is read, which may then be a mail with a photograph.
    passworded: frozenset[str] = frozenset()


DOORS = {
    "twilio": Door("twilio", twilio, frozenset({"twilio"}), frozenset({"status", "inbound"})),
    "vapi": Door("vapi", vapi, frozenset({"vapi"}), frozenset({"call"})),
    "postmark": Door("postmark", mail, frozenset({"postmark", "smtp"}), frozenset({"mail"}), frozenset({"mail"})),
    "sendgrid": Door(
        "sendgrid", sendgrid, frozenset({"sendgrid"}), frozenset({"events", "inbound"}), frozenset({"inbound"})
    ),
    "ses": Door("ses", ses, frozenset({"ses"}), frozenset({"sns"})),
}


class Refusal(Exception):
    """Carries the status to answer with, and, where the sender's owner should know of it, the reason in two words."""

    def __init__(self, status: int, reason: str = "") -> None:
        super().__init__(status)
        self.status, self.reason = status, reason


@dataclass(frozen=True, slots=True)
class Desk:
    """What one event loop needs: two connections, one to look senders up and one to write."""

    accounts: Accounts
    store: Store
    refusals: Refusals
    links: tuple[Link, Link]

    @classmethod
    def open(cls) -> "Desk":
        given = parameters()
        looking, writing = Link(given), Link(given)
        return cls(Accounts(looking), Store(writing), Refusals(), (looking, writing))

    async def close(self) -> None:
        await self.store.close()
        await self.refusals.close()
        for link in self.links:
            await link.close()


class Ingest:
    """The ASGI callable."""

    def __init__(self) -> None:
        self._desks: WeakKeyDictionary[asyncio.AbstractEventLoop, Desk] = WeakKeyDictionary()

    def desk(self) -> Desk:
        loop = asyncio.get_running_loop()
        if loop not in self._desks:
            self._desks[loop] = Desk.open()
        return self._desks[loop]

    async def close(self) -> None:
        """Ends this loop's connections."""
        desk = self._desks.pop(asyncio.get_running_loop(), None)
        if desk is not None:
            await desk.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.live(receive, send)
        reply = b""
        try:
            reply = await self.take(scope, receive)
            status = 200
        except Refusal as refusal:
            status = refusal.status
        except (psycopg.Error, OSError, TimeoutError) as problem:
            logger.error("The webhook door cannot reach the database: %s", type(problem).__name__)
            status = 503
        except Exception:
            # Without the traceback's values; a provider must hear 503 and come again, never 403.
            logger.exception("The webhook door failed")
            status = 503
        headers = [(b"content-length", str(len(reply)).encode()), (b"cache-control", b"no-store")]
        headers += [(b"content-type", b"text/xml")] if reply else []
        headers += [(b"allow", b"POST")] if status == 405 else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": reply})

    async def live(self, receive: Receive, send: Send) -> None:
        """The server's start and stop, where this is the whole application: `uvicorn sequences.webhooks.ingest:hooks`."""
        while (message := await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await self.close()
        await send({"type": message["type"] + ".complete"})

    async def take(self, scope: Scope, receive: Receive) -> bytes:
        """Stores one request; returns the answer's body. Raises Refusal."""
        if scope["method"] != "POST":
            raise Refusal(405)
        door, key, kind, mark = parts_of(scope["path"])
        desk = self.desk()
        account = await desk.accounts.find(key)
        if account is None or account.provider not in door.providers:
            desk.refusals.note_unknown()
            raise Refusal(404)
        try:
            return await self.taken(
                desk, door, key, account, Request(public_url(scope), kind, mark, headers_of(scope), b""), receive
            )
        except Refusal as refusal:
            if refusal.reason:
                desk.refusals.note(account, door.name, refusal.reason)
            raise

    async def taken(
        self, desk: Desk, door: Door, key: str, account: Account, request: Request, receive: Receive
    ) -> bytes:
        """Stores one request to a known key; `request` has no body yet."""
        limit = LIMIT
        if request.kind in door.passworded:
            account = await self.checked(desk, door, key, account, request)
            limit = MAIL_LIMIT
        body = await body_of(receive, request.headers, limit)
        request = Request(request.url, request.kind, request.mark, request.headers, body)
        if request.kind not in door.passworded:
            account = await self.checked(desk, door, key, account, request)
        first, *more = await rows_of(door, account, request)
        if more:
            await asyncio.gather(*[desk.store.add(row) for row in (first, *more)])
        else:
            await desk.store.add(first)
        return EMPTY_TWIML if door.name == "twilio" and request.kind == "inbound" else b""

    async def checked(self, desk: Desk, door: Door, key: str, account: Account, request: Request) -> Account:
        """The account whose secret the request proves to know. A secret changed within the last minute is read again."""
        await prepared(door, account, request)
        if door.module.genuine(request, account, now()):
            return account
        again = await desk.accounts.find(key, fresh=True)
        if again is not None:
            await prepared(door, again, request)
        if again is None or again.provider not in door.providers or not door.module.genuine(request, again, now()):
            raise Refusal(403, door.module.why_refused(request, again or account, now()))
        return again


async def prepared(door: Door, account: Account, request: Request) -> None:
    """What this provider's check needs is at hand. Where it cannot be had the answer is 503: nothing is known about the request."""
    if door.name == "ses":
        try:
            await ses.prepare(request, account)
        except certificates.Unready as problem:
            logger.warning("A certificate of Amazon SNS could not be had: %s", problem)
            raise Refusal(503) from problem


def parts_of(path: str) -> tuple[Door, str, str, str]:
    """/hooks/twilio/<key>/status/<mark>, /hooks/twilio/<key>/inbound, /hooks/vapi/<key>[/<mark>], /hooks/postmark/<key>,
    /hooks/sendgrid/<key>/events, /hooks/sendgrid/<key>/inbound, /hooks/ses/<key>."""
    name, _, rest = path.removeprefix(PREFIX).partition("/")
    key, *more = rest.rstrip("/").split("/")
    door = DOORS.get(name)
    if door is None or not path.startswith(PREFIX):
        raise Refusal(404)
    if name == "twilio":
        if not more or more[0] not in door.kinds or len(more) > 2 or (more[0] == "inbound" and len(more) > 1):
            raise Refusal(404)
        return door, key, more[0], mark_in(more[1]) if len(more) > 1 else ""
    if name == "sendgrid":
        if len(more) != 1 or more[0] not in door.kinds:
            raise Refusal(404)
        return door, key, more[0], ""
    if len(more) > 1:
        raise Refusal(404)
    return door, key, next(iter(door.kinds)), mark_in(more[0]) if more else ""


def headers_of(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def public_url(scope: Scope) -> str:
    """The address as the provider was given it: what it signed. From PUBLIC_URL, since proxies and attackers choose Host."""
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{settings.PUBLIC_URL}{path}{'?' + query if query else ''}"


async def body_of(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """The whole body. Refuses with 413 as soon as it is longer than `limit`; ends quietly when the client is gone."""
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise Refusal(413, "too large")
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400)
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise Refusal(413, "too large")
        if not message.get("more_body", False):
            return b"".join(chunks)


async def rows_of(door: Door, account: Account, request: Request) -> list[Row]:
    """The rows to store, one an event. A large body is taken apart in a thread, so that other requests are not kept waiting."""
    if len(request.body) > LARGE:
        return await asyncio.to_thread(rows_now, door, account, request)
    return rows_now(door, account, request)


def rows_now(door: Door, account: Account, request: Request) -> list[Row]:
    events: Sequence[Request] = sendgrid.split(request) if door.name == "sendgrid" else (request,)
    return [row_now(door, account, each) for each in events]


def row_now(door: Door, account: Account, request: Request, *, at: datetime | None = None) -> Row:
    """The row of one request; `at`: when it happened, where that is not now (the database's now)."""
    if door.name == "postmark":
        request = replace(request, body=mail.stored_body(request.body))
    identity = door.module.identify(request)
    kept = {name: request.headers[name].replace("\x00", "")[:300] for name in KEPT_HEADERS if name in request.headers}
    return Row(
        tenant_id=account.tenant_id,
        sender_id=account.sender_id,
        provider=door.name,
        kind=identity.kind,
        event_key=identity.event_key,
        mark=identity.mark,
        headers=kept,
        # PostgreSQL's text holds neither NUL nor broken UTF-8; what made no sense stays visible as a mark.
        body=request.body.decode("utf-8", "replace").replace("\x00", "\ufffd"),
        received_at=at,
    )


hooks = Ingest()
