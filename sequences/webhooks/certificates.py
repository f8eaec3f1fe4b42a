"""The certificates that Amazon SNS signs with: from Amazon's own hosts only, fetched once and remembered.

The door needs one before it can believe anything, so the first message of a certificate waits for it; the fetch runs in a
thread, goes through the client that asks no machine of ours, and happens only for a sender that exists and its own topic.
Source: docs.aws.amazon.com/sns, "Verifying the signatures of Amazon SNS messages".
"""

import asyncio
import re
import time
from collections import OrderedDict
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from omnify.lib import outbound

KEEP_SECONDS, KEEP_FAILED_SECONDS, KEEP_AT_MOST = 24 * 3600.0, 5.0, 256
SECONDS, LIMIT = 5.0, 20_000
# A region's host and nothing else; the name of the file is a digest.
_AMAZON = re.compile(r"https://sns\.[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d{1,2}\.amazonaws\.com(?:\.cn)?/")
_FILE = re.compile(r"SimpleNotificationService-[0-9a-f]{32,64}\.pem")

_known: OrderedDict[str, tuple[Any, float]] = OrderedDict()


class Unready(Exception):
    """The certificate could not be fetched now: nothing is known about the message yet."""


def is_amazons(url: str, path: re.Pattern[str] | None = None) -> bool:
    """Whether this is an address of SNS itself (and, with `path`, of this file there)."""
    found = _AMAZON.match(url)
    return found is not None and (path is None or path.fullmatch(url[found.end() :]) is not None)


def is_simulators(url: str) -> bool:
    """Whether this is an address of the simulator's SNS. Only a sender that is marked as simulated may use it."""
    base = str(settings.SIMULATOR_URL or "").rstrip("/")
    return bool(base) and url.startswith(f"{base}/ses/sns/") and ".." not in url


def is_certificate(url: str, *, simulated: bool) -> bool:
    """Whether a certificate may be fetched from here for such a sender."""
    if simulated:
        return is_simulators(url) and _FILE.fullmatch(url.rpartition("/")[2]) is not None
    return is_amazons(url, _FILE)


def known(url: str) -> Any:
    """The certificate that was fetched from this address; None where there is none."""
    certificate, _ = _known.get(url, (None, 0.0))
    return certificate


async def ready(url: str, *, simulated: bool) -> None:
    """Sees to it that known(url) answers. Raises Unready where it cannot be fetched now; a failure counts for some seconds."""
    certificate, read_at = _known.get(url, (None, float("-inf")))
    if time.monotonic() - read_at < (KEEP_SECONDS if certificate is not None else KEEP_FAILED_SECONDS):
        if certificate is None:
            raise Unready(url)
        return
    try:
        found = await asyncio.to_thread(fetch, url, simulated=simulated)
    except Unready:
        if certificate is None:
            remember(url, None)
            raise
        return  # an old one is better than none: they stay valid for years
    remember(url, found)


def remember(url: str, certificate: Any) -> None:
    """Keeps what was found at this address; None: nothing was."""
    _known[url] = (certificate, time.monotonic())
    _known.move_to_end(url)
    while len(_known) > KEEP_AT_MOST:
        _known.popitem(last=False)


def fetch(url: str, *, simulated: bool) -> Any:
    """The certificate at this address. Raises Unready."""
    from cryptography.x509 import load_pem_x509_certificate

    if not is_certificate(url, simulated=simulated):
        raise Unready("not an address of a certificate")
    try:
        status, body = get(url, simulated=simulated)
        if status != 200:
            raise Unready(f"The certificate's address answered {status}.")
        return load_pem_x509_certificate(body)
    except (outbound.Refused, outbound.Unreachable, ValueError) as error:
        raise Unready(type(error).__name__) from error


def get(url: str, *, simulated: bool) -> tuple[int, bytes]:
    """(status, body) of one GET of an address that was checked: by the client for strangers' addresses, or from the simulator.

    Raises outbound.Refused or outbound.Unreachable.
    """
    if not simulated:
        answer = outbound.fetch(url, limit=LIMIT, seconds=SECONDS)
        return answer.status, answer.body
    import httpx

    if not is_simulators(url) or urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
        raise outbound.Refused("Not the simulator.")
    try:
        found = httpx.get(url, timeout=SECONDS, trust_env=False, follow_redirects=False)
    except httpx.HTTPError as error:
        raise outbound.Unreachable(type(error).__name__) from error
    return found.status_code, found.content[:LIMIT]
