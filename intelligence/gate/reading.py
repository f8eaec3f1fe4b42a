"""A text as the rules see it: folded words with their place in the original.

Letters are compared without case, accents, width, invisible characters, look-alike letters or digits put in for
letters; every word remembers where it stood, so that a verdict can quote the person's own characters.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

HEAD = TAIL = 4_000  # characters of a long text that are read: people say stop at the top or at the bottom

_STOP_SIGNS: Final = frozenset("🛑✋⛔🚫🤚🖐")
_ENDS: Final = frozenset('.!?;:,\n…。！？،؛|/()[]{}"•*')
_APOSTROPHES: Final = frozenset("'’‘`´ʼ＇")
_ENGLISH_TAILS: Final = frozenset({"t", "s", "m", "d", "re", "ve", "ll", "am"})
_DIGITS: Final = str.maketrans("013457$@", "oieastsa")
_CYRILLIC: Final = str.maketrans("аеорстухікмнвѕ", "aeopctyxikmhbs")
_DECODED: Final = frozenset(
    {
        *("stop", "stopall", "quit", "end", "cancel", "remove", "revoke", "unsubscribe", "unsub", "optout", "opt"),
        *("text", "texts", "texting", "message", "messages", "messaging", "contact", "contacting", "calling", "spam"),
        *("me", "list", "alone", "leave", "off", "fuck"),
    }
)
_PLEASE: Final = re.compile(r"p+l+[ea]*[sz]+e*")
_MASKED: Final = re.compile(r"(?<![^\W_])[fF](?:\*{2,4}|[*#@$!-]{1,3}(?=c?k))(?:c?k)?(in'?g?)?(?![^\W_])")
_STRETCHED: Final = re.compile(r"(?:stop){2,}|s+t+o{3,}p+|s+t+op{3,}|s{2,}t+op+|st{2,}op+")


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word, or one of the marks that end a clause, and its place in the original text."""

    text: str
    start: int
    end: int

    @property
    def is_mark(self) -> bool:
        return len(self.text) == 1 and self.text in _ENDS


@dataclass(frozen=True, slots=True)
class Reading:
    """The words of a text, and the same as one line with single blanks for the phrase rules."""

    original: str
    words: tuple[Word, ...]
    line: str
    starts: tuple[int, ...]

    def quote(self, start: int, end: int) -> str:
        """The characters of the original under a stretch of the line."""
        first = last = None
        for word, at in zip(self.words, self.starts, strict=True):
            if at < end and at + len(word.text) > start:
                first = word if first is None else first
                last = word
        return self.original[first.start : last.end] if first and last else ""


def read_words(text: str) -> Reading:
    """Fold a text. Of a very long one only the head and the tail are read."""
    if len(text) > HEAD + TAIL:
        tail = len(text) - TAIL
        words = [*_words(text[:HEAD], 0), Word("\n", HEAD, HEAD), *_words(text[tail:], tail)]
    else:
        words = _words(text, 0)
    starts, at = [], 0
    for word in words:
        starts.append(at)
        at += len(word.text) + 1
    return Reading(text, tuple(words), " ".join(word.text for word in words), tuple(starts))


def fold(text: str) -> str:
    """A text without case, accents and invisible characters; for comparing words and writing rules."""
    return "".join(_folded(char) for char in text)


@lru_cache(maxsize=8192)
def _folded(char: str) -> str:
    if char in _STOP_SIGNS:
        return char
    if char in _APOSTROPHES:
        return "'"
    char = _UNDECOMPOSED.get(char, char)
    decomposed = unicodedata.normalize("NFKD", char).casefold()
    kept = "".join(c for c in unicodedata.normalize("NFKD", decomposed) if unicodedata.category(c) not in _INVISIBLE)
    return unicodedata.normalize("NFC", kept)


_UNDECOMPOSED: Final = {
    "ł": "l",
    "Ł": "l",
    "ø": "o",
    "Ø": "o",
    "đ": "d",
    "Đ": "d",
}  # letters Unicode does not take apart
_INVISIBLE: Final = frozenset({"Mn", "Me", "Cf", "Cc"})


def _words(text: str, offset: int) -> list[Word]:
    words: list[Word] = []
    letters: list[str] = []
    start = end = passed = 0
    masked = {match.start() + offset: match for match in _MASKED.finditer(text)}

    def flush() -> None:
        if letters:
            words.extend(_split("".join(letters), start, end))
            letters.clear()

    for index, char in enumerate(text, offset):
        if index < passed:
            continue
        if match := masked.get(index):
            flush()
            passed = match.end() + offset
            words.append(Word("fucking" if match[1] else "fuck", index, passed))
            continue
        if char == "\n" or char in _ENDS:
            flush()
            words.append(Word(char, index, index + 1))
            continue
        if char == "#" and not letters and not text[index - offset + 1 : index - offset + 2].isalnum():
            words.append(Word("number", index, index + 1))  # "wrong #"
            continue
        if char in _STOP_SIGNS:
            flush()
            if not words or words[-1].text != "stop" or words[-1].end < index - 1:
                words.append(Word("stop", index, index + 1))  # a row of signs says it once
            else:
                words[-1] = Word("stop", words[-1].start, index + 1)
            continue
        folded = _folded(char)
        if not folded and not char.isspace():
            end = index + 1 if letters else end
            continue
        if folded.isalnum() or folded in ("'", "$", "@", "_"):
            if not letters:
                start = index
            letters.append(folded)
            end = index + 1
        else:
            flush()
    flush()
    return words


def _split(run: str, start: int, end: int) -> list[Word]:
    """A run of letters as words: don't → dont, m'appelez → m appelez; st0p → stop."""
    pieces = run.replace("_", " ").split("'")
    words = [pieces[0]]
    for piece in pieces[1:]:
        if piece in _ENGLISH_TAILS and words[-1]:
            words[-1] += piece
        else:
            words.append(piece)
    flat = [plain for word in words for plain in word.split()]
    return [Word(_decoded(word), start, end) for word in flat]


def _decoded(word: str) -> str:
    if word.isascii() and word.isalpha():
        if _PLEASE.fullmatch(word):
            return "please"
        return "stop" if _STRETCHED.fullmatch(word) else word
    if any("а" <= char <= "я" or char in "іѕ" for char in word) and any("a" <= char <= "z" for char in word):
        word = word.translate(_CYRILLIC)
    plain = word.translate(_DIGITS)
    if plain in _DECODED and any(char.isalpha() for char in word):
        return plain
    return word.strip("$@") or word


def squeezed(word: str) -> str:
    """The word with every run of one letter reduced to one: stoppp and stop become the same."""
    return "".join(char for index, char in enumerate(word) if not index or char != word[index - 1])
