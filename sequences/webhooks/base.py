"""What every provider's webhook module works with, and how to add one.

A module `webhooks/<provider>.py` has four pure functions:
- `genuine(request, account, now) -> bool`: was it made by the holder of this account's secret?
- `why_refused(request, account, now) -> str`: of one that was not, two words for the tenant.
- `identify(request) -> Identity`: what makes two deliveries the same event; never fails on a body it cannot read.
- `parse(kind, body, mark) -> list[Signal]`: the stored body in our words; ValueError when it is not what it says it is.

Two more where a provider needs them: `split(request) -> Sequence[Request]`, the events of one POST, each stored for itself;
`async prepare(request, account)`, what must be at hand before `genuine` can say anything (a certificate).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from omnify.lib.values import value

KEY_LENGTH = 200
UNREADABLE = "unreadable"
MOST_MARKS = 100
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


@value
class Request:
    """One POST. `url` is the address as we gave it to the provider, rebuilt from PUBLIC_URL, never from the Host header."""

    url: str
    kind: str
    mark: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """The sender that a webhook key belongs to, with its secrets opened."""

    sender_id: int
    tenant_id: int
    provider: str
    config: Mapping[str, Any]
    credentials: Mapping[str, Any]
    simulated: bool = False

    def secret(self, name: str) -> str:
        value = self.credentials.get(name)
        return value if isinstance(value, str) else ""


@value
class Identity:
    """What is stored beside the raw body: which parser reads it, which event it is, and our message's id if it carries one."""

    kind: str
    event_key: str
    mark: str = ""


def event_key(*parts: object) -> str:
    """The parts joined with colons; what would not fit the column keeps its beginning and gets a digest of the whole.

    JSON may hold half of a surrogate pair, which UTF-8, and so the column, cannot: it is written out.
    """
    key = ":".join(str(part) for part in parts).replace("\x00", "�").encode("utf-8", "backslashreplace").decode()
    if len(key) <= KEY_LENGTH:
        return key
    return f"{key[: KEY_LENGTH - 65]}:{hashlib.sha256(key.encode()).hexdigest()}"


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def unreadable(request: Request) -> Identity:
    """A genuine request that makes no sense to us is stored too: somebody may want to read it."""
    return Identity(UNREADABLE, event_key(UNREADABLE, digest(request.body)), mark_in(request.mark))


def mark_in(text: object) -> str:
    """The first UUID in a text, in its usual spelling, else ""."""
    found = _UUID.search(text) if isinstance(text, str) else None
    return found[0].lower() if found else ""


def marks_in(text: str) -> tuple[str, ...]:
    """Every UUID in a text, in its order, each once: other people's programs write some of their own beside ours."""
    return tuple(dict.fromkeys(found[0].lower() for found in islice(_UUID.finditer(text), MOST_MARKS)))


def text_of(value: object, limit: int = 1_000_000) -> str:
    """A JSON value that should be a text; anything else is ""."""
    return value[:limit] if isinstance(value, str) else ""


def table(value: object) -> dict[str, Any]:
    """A JSON value that should be an object; anything else is {}."""
    return value if isinstance(value, dict) else {}
