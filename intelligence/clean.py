"""What a person wrote in a mail: without the quoted thread, the signature and the footers.

Read line by line in linear time; `headings` knows where a quoted thread begins, `signature` where a signature does.
"""

# ruff: noqa: E501 (a vocabulary is one line)

from __future__ import annotations

import re
from typing import Final

from intelligence.autoreply import AutoReply, is_auto_reply
from intelligence.headings import heading, is_quoted, quoted_next
from intelligence.markup import text_of_html
from intelligence.signature import is_answer, is_signature, without_signature

TEXT_LIMIT: Final = 200_000  # characters of a mail that are read
_WRAPPED_AT: Final = 70

_REPLY_ABOVE: Final = re.compile(
    r"^.{0,40}(?:(?:reply|respond|write|type|enter|add)\b.{0,40}\babove this line|above this line.{0,20}\b(?:reply|respond)|répondre au[- ]dessus de cette ligne|"
    r"(?:antworten?|schreiben).{0,30}über dieser (?:linie|zeile)|(?:responda|escriba).{0,30}encima de esta línea)",
    re.I,
)
_OPEN_LINK: Final = re.compile(r"<https?://[^\s<>]*$")
_ONLY_A_LINK: Final = re.compile(r"^\s*[(<\[]?https?://\S+\s*>\s*$")


def visible_reply(text: str, *, html: str | None = None, signatures: bool = True) -> str:
    """The text a person added to a mail, also between and below quoted lines.

    `html` is read when the plain text is empty. With `signatures` a signature, "Sent from my ..." and list footers go too.
    """
    if not text.strip() and html:
        text = text_of_html(html[: 4 * TEXT_LIMIT])
    lines = (
        text[:TEXT_LIMIT]
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\u200b", "")
        .replace("\ufeff", "")
        .split("\n")
    )
    passages = _without_quotes([line.rstrip() for line in lines])
    if signatures:
        passages = _unsigned(passages)
    return "\n".join(line for passage in passages for line in passage).strip()


def _unsigned(passages: list[list[str]]) -> list[list[str]]:
    """Each passage is signed by itself: what stands below a quotation is no part of the signature above it."""
    said = [passage for passage in passages if any(line.strip() for line in passage)]
    signed = [without_signature(passage) for passage in said]
    if len(said) > 1 and any(not is_signature(passage) for passage in said):
        signed = [[] if is_signature(passage) else kept for passage, kept in zip(said, signed, strict=True)]
    return signed


def _without_quotes(lines: list[str]) -> list[list[str]]:
    """The person's lines, in the passages the quotations divide them into."""
    passages: list[list[str]] = [[]]
    said = False
    index = 0
    while index < len(lines):
        line = lines[index]
        if _REPLY_ABOVE.search(line[:200]):
            return passages
        count, before = heading(lines, index)
        if count:
            if before:
                passages[-1].append(before)
                said = True
            index += count
            if quoted_next(lines, index) or not said:
                passages.append([])
                continue  # what stands unquoted below is the person's own
            return passages
        if is_quoted(line) and not (index and _OPEN_LINK.search(lines[index - 1][-500:])):
            index += 1
            if index + 1 < len(lines) and _is_torn(line, lines[index]) and is_quoted(lines[index + 1]):
                index += 1
            if passages[-1]:
                passages.append([])
            continue
        passages[-1].append(line)
        said = said or bool(line.strip())
        index += 1
    return passages


def _is_torn(above: str, line: str) -> bool:
    """The rest of a quoted line that was too long for a mail program, which broke it and left its mark out."""
    text = line.strip()
    if not text:
        return False
    if _ONLY_A_LINK.match(line):
        return True
    if " " in text:
        return len(above) > _WRAPPED_AT and above[-1] not in ".!?:" and text[0].islower()
    if "http" in above.split()[-1]:
        return not text.isalpha() or (len(above) > _WRAPPED_AT and not is_answer(text))
    return len(above) > _WRAPPED_AT and above[-1] not in ".!?:" and text[0].islower() and not is_answer(text)


__all__ = ["AutoReply", "is_auto_reply", "visible_reply"]
