"""How many SMS segments a text costs, and why.

GSM 03.38: 160 septets alone, 153 in a concatenated message (six octets of header); a character of the extension
table takes two septets that must stay in one segment. Anything outside that alphabet turns the whole text into UCS-2:
70 code units alone, 67 in a concatenated message; a surrogate pair and a grapheme stay in one segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import regex

from sequences.lookalikes import PLAIN, TRANSLATION

Encoding = Literal["GSM-7", "UCS-2"]

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION: Final = frozenset("\f^{}\\[~]|€")
ALPHABET: Final = BASIC | EXTENSION

_LIMITS: Final[dict[Encoding, tuple[int, int]]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
_BITS: Final[dict[Encoding, int]] = {"GSM-7": 7, "UCS-2": 16}
_HEADER_BITS: Final = 48
_GRAPHEME: Final = regex.compile(r"\X")


@dataclass(frozen=True, slots=True)
class Forced:
    """A character that forces UCS-2: where it stands (index in code points) and its plain look-alike, if any."""

    char: str
    index: int
    replacement: str | None


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text costs on the wire.

    `characters` is what a provider counts (septets in GSM-7, graphemes in UCS-2), `units` are septets or UTF-16 code
    units, `per_segment` the units that fit into each segment, `remaining` the units still free in the last one.
    """

    encoding: Encoding
    segments: int
    characters: int
    units: int
    per_segment: int
    remaining: int
    forced_by: tuple[Forced, ...] = ()

    @property
    def message_bits(self) -> int:
        """Bits of the text itself."""
        return self.units * _BITS[self.encoding]

    @property
    def total_bits(self) -> int:
        """Bits on the air: the text and the concatenation headers."""
        return self.message_bits + (_HEADER_BITS * self.segments if self.segments > 1 else 0)


def smart(text: str) -> str:
    """The text with typographic look-alikes replaced by characters of the SMS alphabet; everything else is kept."""
    return text.translate(TRANSLATION)


def count(text: str) -> Segments:
    """Count the segments of a text. An empty text costs none."""
    atoms, encoding = _atoms(text)
    units = sum(size for _, size in atoms)
    alone, joined = _LIMITS[encoding]
    if units <= alone:
        segments, per_segment, used = (1 if text else 0), alone, units
    else:
        fills = _fills(atoms, joined)
        segments, per_segment, used = len(fills), joined, fills[-1][1]
    characters = units if encoding == "GSM-7" else len(atoms)
    forced = _forced(atoms) if encoding == "UCS-2" else ()
    return Segments(encoding, segments, characters, units, per_segment, per_segment - used, forced)


def split(text: str) -> tuple[str, ...]:
    """The text cut where a phone network cuts it; joined again it is the text."""
    atoms, encoding = _atoms(text)
    alone, joined = _LIMITS[encoding]
    if sum(size for _, size in atoms) <= alone:
        return (text,) if text else ()
    starts = [start for start, _ in _fills(atoms, joined)] + [len(atoms)]
    return tuple("".join(atom for atom, _ in atoms[a:b]) for a, b in pairwise(starts))


def _atoms(text: str) -> tuple[list[tuple[str, int]], Encoding]:
    """The pieces that may not be split, each with its size in units."""
    if ALPHABET.issuperset(text):
        return [(char, 2 if char in EXTENSION else 1) for char in text], "GSM-7"
    atoms: list[tuple[str, int]] = []
    for grapheme in _GRAPHEME.findall(text):
        size = _utf16(grapheme)
        if size > _LIMITS["UCS-2"][1]:  # a pile of combining marks larger than a segment has to be cut somewhere
            atoms.extend((char, _utf16(char)) for char in grapheme)
        else:
            atoms.append((grapheme, size))
    return atoms, "UCS-2"


def _utf16(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)


def _fills(atoms: list[tuple[str, int]], room: int) -> list[tuple[int, int]]:
    """For each segment, the index of its first atom and the units used in it."""
    fills = []
    start = used = 0
    for index, (_, size) in enumerate(atoms):
        if used + size > room:
            fills.append((start, used))
            start, used = index, 0
        used += size
    fills.append((start, used))
    return fills


def _forced(atoms: list[tuple[str, int]]) -> tuple[Forced, ...]:
    forced = []
    index = 0
    for atom, _ in atoms:
        if not ALPHABET.issuperset(atom):
            plain = "".join(PLAIN.get(char, char) for char in atom)
            forced.append(Forced(atom, index, plain if ALPHABET.issuperset(plain) else None))
        index += len(atom)
    return tuple(forced)
