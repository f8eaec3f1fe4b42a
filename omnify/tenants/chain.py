"""What a seal is the hash of. Pure, and simple enough to be done again elsewhere with a shell and `sha256sum`.

An event's line is its columns as JSON: names sorted, no blanks, non-ASCII escaped, times in UTC to the microsecond. A seal's
root is the SHA-256, in hex, of its header's line and its events' lines in order of id, each followed by a line feed. The
header names the seal before by its root, so no seal can be changed, taken out or put in without changing all that follow.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

COLUMNS = ("id", "tenant_id", "kind", "at", "actor", "subject_type", "subject_id", "data")
LEAF = 16  # bytes: eight of the id, eight of the line's hash


def line_of(row: Mapping[str, Any]) -> str:
    """The canonical line of one event, given its COLUMNS."""
    return _json({**row, "at": _moment(row["at"])})


def header(*, tenant: int, number: int, after: int, upto: int, count: int, previous: str) -> str:
    """The canonical first line of what a root is made of."""
    told = {"seal": number, "tenant": tenant, "after": after, "upto": upto, "count": count, "previous": previous}
    return _json(told)


def root_of(head: str, lines: Iterable[str]) -> str:
    digest = hashlib.sha256(head.encode() + b"\n")
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def leaf(event_id: int, line: str) -> bytes:
    return event_id.to_bytes(8, "big") + hashlib.sha256(line.encode()).digest()[:8]


def leaves_in(packed: bytes) -> dict[int, bytes]:
    """Event id -> the start of its hash. What is no whole leaf is left out."""
    whole = range(0, len(packed) - len(packed) % LEAF, LEAF)
    return {int.from_bytes(packed[n : n + 8], "big"): packed[n + 8 : n + LEAF] for n in whole}


def difference(sealed: Mapping[int, bytes], found: Mapping[int, bytes]) -> tuple[int, str] | None:
    """The first event id, in order, that is not as it was sealed, and what happened to it. None: all are."""
    for event_id in sorted(sealed.keys() | found.keys()):
        if event_id not in found:
            return event_id, "removed"
        if event_id not in sealed:
            return event_id, "inserted afterwards"
        if sealed[event_id] != found[event_id]:
            return event_id, "changed"
    return None


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
