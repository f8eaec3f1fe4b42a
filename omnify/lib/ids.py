"""Identifiers: bigint inside, opaque and unguessable wherever a person, a provider or a URL sees one."""

import os
import time
import uuid


def public_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits.

    Time-ordered, so that a unique index on it grows at its right edge; random enough that nobody guesses a neighbour's.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (
        (milliseconds & 0xFFFFFFFFFFFF) << 80
        | 0x7 << 76
        | (random >> 68 & 0xFFF) << 64
        | 0b10 << 62
        | random & 0x3FFFFFFFFFFFFFFF
    )
    return uuid.UUID(int=value)


def public_ids(count: int) -> list[bytes]:
    """That many public ids of one millisecond, each as its 16 bytes: for a batch that is written in one statement."""
    milliseconds = (time.time_ns() // 1_000_000 & 0xFFFFFFFFFFFF).to_bytes(6)
    random = os.urandom(10 * count)
    return [
        milliseconds
        + bytes((0x70 | random[at] & 0xF, random[at + 1], 0x80 | random[at + 2] & 0x3F))
        + random[at + 3 : at + 10]
        for at in range(0, 10 * count, 10)
    ]
