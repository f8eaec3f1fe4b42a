"""HTTP to addresses that a tenant or a stranger named (their webhooks, media): never to a machine of ours.

The address is checked at connect time, on the very socket that is opened: resolving first and connecting later fails to a
DNS server that gives two answers, and to redirects. https on port 443 only, no proxy from the environment, no cookies, ten
seconds and 64 kB in all. Sources: OWASP, Server-Side Request Forgery Prevention; IANA's special-purpose address registries.
"""

import hashlib
import hmac
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore

PORT, SECONDS, LIMIT, MOST_REDIRECTS = 443, 10.0, 64_000, 3
SIGNATURE_TOLERANCE = 300  # seconds
_REDIRECTS = {301, 302, 303, 307, 308}

# What Python's is_global lets through and is nobody's public web server all the same.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/4",
        "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
# All public IPv6 there is; mapped, compatible, NAT64 and local addresses, which can stand for any IPv4, lie outside.
_UNICAST = ipaddress.ip_network("2000::/3")


class Refused(Exception):
    """The address may not be asked. Nothing was sent to it."""


class Unresolved(Refused):
    """No name server answered about the host: nobody knows whether it may be asked, and the next minute may tell."""


class Unreachable(Exception):
    """It could not be asked, did not answer in time, or its answer was no HTTP or too large. It may have got the request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case, `body` at most the limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def is_public(address: str) -> bool:
    """Whether this IP address, as text, belongs to the public Internet. False for whatever cannot be read as one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if ip.version == 6 and (ip not in _UNICAST or ip.scope_id):
        return False
    return (
        ip.is_global and not ip.is_multicast and not any(ip.version == net.version and ip in net for net in _NOT_PUBLIC)
    )


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, as the machine's resolver says now. Raises Refused when it says none, Unresolved when it fails."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        kind = Unresolved if isinstance(error, OSError) and error.errno == socket.EAI_AGAIN else Refused
        raise kind(f"{host} has no address ({type(error).__name__}).") from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def connect(address: str, port: int, timeout: float) -> socket.socket:
    """A connection to one checked address. Raises OSError."""
    return socket.create_connection((address, port), timeout)


def dial(host: str, port: int, timeout: float, *, private: Iterable[str] = ()) -> socket.socket:
    """A connection to `host`, whose addresses must all be public; tries them in turn. `private`: hosts that need not be.

    One private answer among public ones refuses all: it is how rebinding looks. Raises Refused, or OSError of the last try.
    """
    addresses = resolve(host, port)
    inner = [each for each in addresses if not is_public(each)]
    if not addresses or (inner and host.lower() not in {each.lower() for each in private}):
        raise Refused(f"{host} is not on the public Internet.")
    deadline = time.monotonic() + timeout
    failure: OSError = TimeoutError(f"{host} does not answer.")
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return connect(address, port, left)
        except OSError as error:
            failure = error
    raise failure


def fetch(
    url: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    redirects: int = 0,
    limit: int = LIMIT,
    seconds: float = SECONDS,
    trust: ssl.SSLContext | None = None,
) -> Answer:
    """One request to a tenant's or a stranger's address, and the whole answer.

    `redirects`: how many may be followed (at most 3, GET only), each checked like the first; a redirect not followed is the
    answer. `seconds` counts for everything together. `trust`: which certificates count; the system's by default.
    Raises Refused (nothing was sent) or Unreachable.
    """
    deadline = time.monotonic() + seconds
    follow = min(redirects, MOST_REDIRECTS) if method == "GET" else 0
    while True:
        answer = _once(
            checked(url), method, body, headers or {}, limit, deadline, trust or ssl.create_default_context()
        )
        if answer.status not in _REDIRECTS or not follow or "location" not in answer.headers:
            return answer
        follow -= 1
        url = urljoin(url, answer.headers["location"])
        headers = {}  # what was meant for the first host is not for the next


def checked(url: str) -> str:
    """The URL, if its form may be asked: https, port 443, a host, no user name, nothing that two parsers read differently."""
    if not url.isascii() or any(ord(char) <= 32 or char in '\\<>"^`{|}\x7f' for char in url):
        raise Refused("The address holds characters that no address has.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("This is no address.") from error
    if parts.scheme != "https" or port not in (None, PORT):
        raise Refused("Only https on port 443 is asked.")
    if not parts.hostname or "@" in parts.netloc or "%" in parts.netloc:
        raise Refused("The address names no host, or a user.")
    return url


def signature(secret: str, body: bytes, *, now: datetime) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 over `<seconds>.<body>`, for the receiver to know it is from us, and from now."""
    stamp = str(int(now.timestamp()))
    return f"t={stamp},v1={_mac(secret, stamp, body)}"


def signature_holds(given: str, secret: str, body: bytes, *, now: datetime) -> bool:
    """The receiver's check, as we document it: the right secret, this very body, at most five minutes old."""
    parts = dict(part.partition("=")[::2] for part in given.split(","))
    stamp = parts.get("t", "")
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        return False
    fresh = abs(now.timestamp() - int(stamp)) <= SIGNATURE_TOLERANCE
    return fresh and hmac.compare_digest(parts.get("v1", "").encode(), _mac(secret, stamp, body).encode())


def _mac(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def _once(
    url: str, method: str, body: bytes, headers: Mapping[str, str], limit: int, deadline: float, trust: ssl.SSLContext
) -> Answer:
    sent = {"user-agent": "Omnify", "accept-encoding": "identity", "connection": "close", **headers}
    chunks, size = [], 0
    try:
        with (
            httpcore.ConnectionPool(ssl_context=trust, network_backend=_Checked(deadline), retries=0) as pool,
            pool.stream(method, url, headers=list(sent.items()), content=body) as response,
        ):
            for chunk in response.iter_stream():
                size += len(chunk)
                if size > limit:
                    raise Unreachable(f"The answer is larger than {limit} bytes.")
                chunks.append(chunk)
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status, found, b"".join(chunks))
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
        raise Unreachable(f"No answer ({type(error).__name__}).") from error


class _Checked(httpcore.NetworkBackend):
    """Opens sockets with `dial` alone, and gives all of them one deadline."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.NetworkStream:
        return _Stream(dial(host.strip("[]"), port, _left(self._deadline)), self._deadline)

    def connect_unix_socket(self, path: str, *args: Any, **options: Any) -> httpcore.NetworkStream:
        raise Refused("A socket of this machine is nobody's address.")


class _Stream(httpcore.NetworkStream):
    """A socket on which every wait ends at the deadline: a server that drips byte by byte gains nothing."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = sock, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._socket.settimeout(_left(self._deadline))
        return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._socket.settimeout(_left(self._deadline))
        self._socket.sendall(buffer)

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._socket.settimeout(_left(self._deadline))
        try:
            return _Stream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._deadline)
        except BaseException:
            self._socket.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._socket if info == "socket" else None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("The time for this request is over.")
    return left
