"""Which encoding a text file is in, or why it is no text. Reads a file once, in blocks."""

import codecs
from pathlib import Path

BLOCK = 1 << 20
SAMPLE = 1 << 18

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHERS = (
    (b"PK\x03\x04", "This is an Excel workbook or a zip archive. Open it and save the sheet as CSV."),
    (b"\xd0\xcf\x11\xe0", "This is an old Excel workbook. Open it and save the sheet as CSV."),
    (b"\x1f\x8b", "This file is compressed (gzip). Unpack it first."),
    (b"%PDF", "This is a PDF, not a CSV file."),
    (b"\x89PNG", "This is a picture, not a CSV file."),
    (b"\xff\xd8\xff", "This is a picture, not a CSV file."),
    (b"{\\rtf", "This is a word processor's document, not a CSV file."),
)
_NO_TEXT = "This is not a text file. Save the list as CSV and upload that."
# One-byte encodings of western lists, the likeliest first; the one that makes the most sensible words wins.
_WESTERN = ("cp1252", "mac_roman", "cp850", "cp1250")
_DENSE = [
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp874",
    "cp932",
    "gb18030",
    "big5",
    "euc_kr",
    "euc_jp",
]
# Control characters that no text has: all below the blank but tab, line feed, vertical tab, form feed, return, escape.
_CONTROLS = bytes(set(range(1, 32)) - {9, 10, 11, 12, 13, 26, 27})


class Unreadable(Exception):
    """The file cannot be read as a list of people. The message is a sentence for whoever uploaded it."""


def detect(path: Path) -> str:
    """The codec's name. Raises Unreadable for an empty file, a workbook, a picture, any binary junk."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if not head.strip(b"\x00\r\n\t \xef\xbb\xbf\xff\xfe"):
        raise Unreadable("The file is empty.")
    for mark, sentence in _OTHERS:
        if head.startswith(mark):
            raise Unreadable(sentence)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if wide := _without_mark(head):
        return wide
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls > len(head) * 0.02 or head.count(0) > len(head) * 0.2:
        raise Unreadable(_NO_TEXT)
    wrong = _first_not_utf8(path)
    if wrong is None:
        return "utf-8"
    return _one_byte(_around(path, wrong))


def _without_mark(head: bytes) -> str:
    """UTF-16 without a byte-order mark: every other byte of western text is NUL."""
    even, odd = head[0::2], head[1::2]
    if len(odd) >= 4 and odd.count(0) > len(odd) * 0.4 and even.count(0) < len(even) * 0.1:
        return "utf-16-le"
    if len(even) >= 4 and even.count(0) > len(even) * 0.4 and odd.count(0) < len(odd) * 0.1:
        return "utf-16-be"
    return ""


def _first_not_utf8(path: Path) -> int | None:
    """Where the first bytes stand that are not UTF-8; None when all are. An ASCII beginning proves nothing of the rest."""
    decoder, place = codecs.getincrementaldecoder("utf-8")(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return place
            place += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return max(place - BLOCK, 0)
    return None


def _around(path: Path, place: int) -> bytes:
    """The lines with bytes above 127 in the block at `place`: what tells one encoding from another, at most 64 kB of it."""
    with path.open("rb") as file:
        file.seek(place)
        block = file.read(BLOCK + 4)
    telling = [line for line in block.splitlines() if not line.isascii()]
    return b"\n".join(telling)[: 1 << 16]


def _one_byte(sample: bytes) -> str:
    high = len(sample) - len(sample.translate(None, bytes(range(128, 256))))
    letters = high + sum(sample.count(letter) for letter in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if high > letters * 0.4:
        from charset_normalizer import from_bytes

        best = from_bytes(sample, cp_isolation=_DENSE).best()
        if best is not None:
            return best.encoding
    return min(_WESTERN, key=lambda name: _oddness(sample.decode(name, errors="replace")))


def _oddness(text: str) -> int:
    """How many characters make no sense where they stand: a capital or a sign inside a word, a control, a replacement."""
    odd = 0
    for before, here, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if here.isascii():
            continue
        if here == "\ufffd" or "\x80" <= here < "\xa0":
            odd += 3
        elif here.isupper():
            odd += 2 * before.islower() + (not after.isalpha())
        elif not here.isalpha():
            odd += 2 * (before.isalpha() and after.isalpha()) + 1
        elif before.isupper() and here.islower() and after.isupper():
            odd += 2
    return odd
