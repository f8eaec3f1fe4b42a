"""Webhook deliveries: bounded in number, retried as the real provider does, never leaving this machine."""

import asyncio
import ipaddress
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from omnify.lib.clock import now

# Pauses in seconds before each retry. Twilio: one retry, connection failures only, 15 s in all. VAPI: none unless a
# backoffPlan asks for it. Postmark: inbound 10 tries over about 10.5 h, tracking 3 retries; a 403 ends them at once.
TWILIO_RETRIES = (1.0,)
VAPI_RETRIES: tuple[float, ...] = ()
POSTMARK_INBOUND_RETRIES = (60.0, 300.0, 600.0, 600.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 21600.0)
POSTMARK_TRACKING_RETRIES = (60.0, 300.0, 900.0)
# SendGrid: events for 24 hours; SNS: three times at once, then slower for up to an hour.
SENDGRID_RETRIES = (60.0, 300.0, 900.0, 3600.0, 7200.0, 21600.0)
SNS_RETRIES = (1.0, 1.0, 20.0, 60.0, 300.0, 900.0)
SHORTEST_PAUSES = (0.25, 5.0)  # first and longest at --pace 0, doubling: a web process that restarts needs a moment
TIMEOUT = 15.0


@dataclass(frozen=True)
class Callback:
    """One webhook to deliver: what a provider posts, and where."""

    provider: str
    event: str
    url: str
    body: bytes
    headers: dict[str, str]
    retries: tuple[float, ...] = ()
    retry_on_status: bool = False  # False: only connection failures are retried
    forged: bool = False
    about: str = ""  # the provider's id of the message or call


@dataclass
class Courier:
    """Delivers callbacks, at most `width` at a time, and remembers how each went."""

    public_base: str = ""
    pace: float = 1.0
    width: int = 32
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=2000))

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.width)
        self._tasks: set[asyncio.Task[Any]] = set()
        # No kept connections: one that a killed web process left behind would eat a webhook nobody retries.
        limits = httpx.Limits(max_connections=self.width, max_keepalive_connections=0)
        self._client = httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False)

    @property
    def pending(self) -> int:
        """Lives and deliveries still going on; 0 means every consequence of what was accepted has happened."""
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something in the background until it ends or the simulator stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            error = task.exception()
            self.log.append({"at": now().isoformat(), "event": "crash", "status": 0, "error": repr(error)})
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a simulated life ended in an error", "exception": error, "task": task}
            )

    async def deliver(self, callback: Callback, *, copies: int = 1) -> int:
        """Post it (`copies` times at once, for a provider that repeats itself). Returns the HTTP status, 0 for none."""
        status, *_ = await asyncio.gather(*(self._attempt(callback, attempt=1) for _ in range(copies)))
        if self._should_retry(callback, status):
            self.start(self._retry(callback))
        return status

    async def deliver_now(self, callback: Callback) -> tuple[int, str]:
        """Post it once and give back status and body, for answers a provider reads (TwiML)."""
        status, text = await self._post(callback, attempt=1)
        return status, text

    async def retry_later(self, callback: Callback, status: int) -> None:
        if self._should_retry(callback, status):
            self.start(self._retry(callback))

    def _should_retry(self, callback: Callback, status: int) -> bool:
        if callback.forged or not callback.retries or status == 403:
            return False
        return status == 0 or (callback.retry_on_status and not 200 <= status < 300)

    async def _retry(self, callback: Callback) -> None:
        for attempt, pause in enumerate(callback.retries, start=2):
            first, longest = SHORTEST_PAUSES
            await asyncio.sleep(max(min(first * 2 ** (attempt - 2), longest), pause * self.pace))
            if not self._should_retry(callback, await self._attempt(callback, attempt)):
                return

    async def _attempt(self, callback: Callback, attempt: int) -> int:
        return (await self._post(callback, attempt))[0]

    async def _post(self, callback: Callback, attempt: int) -> tuple[int, str]:
        entry: dict[str, Any] = {
            "at": now().isoformat(), "provider": callback.provider, "event": callback.event, "url": _safe(callback.url),
            "about": callback.about, "attempt": attempt, "forged": callback.forged, "status": 0, "error": "",
        }  # fmt: skip
        text = ""
        started = monotonic()
        try:
            address, host = self._socket_address(callback.url)
            async with self._slots:
                answer = await self._client.post(
                    address, content=callback.body, headers={**callback.headers, "host": host}
                )
            entry["status"], text = answer.status_code, answer.text
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            entry["error"] = f"{type(error).__name__}: {error}"
        entry["ms"] = round((monotonic() - started) * 1000)
        self.log.append(entry)
        return entry["status"], text

    def _socket_address(self, url: str) -> tuple[str, str]:
        """Where to connect for a webhook URL, and the Host to name.

        A public URL is delivered to `public_base`, as the proxy in front of Omnify would. Raises ValueError when that
        is not on this machine: nothing simulated may reach a real server.
        """
        target = urlsplit(url)
        if is_loopback(target.hostname or ""):
            return url, target.netloc.rpartition("@")[2]
        base = urlsplit(self.public_base)
        if not is_loopback(base.hostname or ""):
            raise ValueError("not a loopback address, and no --public-base on loopback to deliver it to")
        userinfo, at, _ = target.netloc.rpartition("@")
        local = urlunsplit((base.scheme, userinfo + at + base.netloc, target.path, target.query, ""))
        return local, target.netloc.rpartition("@")[2]

    def absolute(self, url: str) -> str:
        """A configured path ("/webhooks/…") becomes a URL on the public base; an absolute URL stays."""
        return self.public_base.rstrip("/") + url if url.startswith("/") else url

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _safe(url: str) -> str:
    """The URL without a password in it, for the log."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
