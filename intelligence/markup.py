"""The text of an HTML mail, without what its program marks as quoted."""

# ruff: noqa: E501 (a vocabulary is one line)

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_BREAKS: Final = frozenset("p div br tr li ul ol table h1 h2 h3 h4 h5 h6 blockquote pre hr section article".split())
_HIDDEN: Final = frozenset({"head", "style", "script", "title", "template"})
_VOID: Final = frozenset("area base br col embed hr img input link meta source track wbr".split())
QUOTED_LINE: Final = "\n>\n"
_QUOTED: Final = frozenset(
    "gmail_quote gmail_quote_container moz-cite-prefix protonmail_quote zmail_extra tutanota_quote ms-outlook-mobile-reference-message "
    "moz-forward-container freebirdformreplyquote gmail_attr reply-intro appleoriginalcontents front-blockquote missive_quote clean_bq airmail_on nylas-quote "
    "hm-quote messagereplysection".split()
)
_THREAD_BEGINS: Final = frozenset(
    "divrplyfwdmsg appendonsend mail-editor-reference-message-container outlookmessageheader zwchr stopspelling olk_src_body_section".split()
)
# What Outlook, Hotmail and Yahoo put before the names in a mail they quote.
_REPEATED: Final = re.compile(r"^(?:x_|ecx|ydp[0-9a-f]{1,16})+")
_NUMBERED: Final = ("yahoo_quoted", "outlookmessageheader")
_QUOTING_STYLE: Final = re.compile(r"border-left(?:-\w+)?\s*:[^;]{0,60}\d", re.I)


def text_of_html(html: str) -> str:
    """Plain text with line breaks. What Gmail, Yahoo, Thunderbird, Outlook and others mark as quoted becomes a line ">".

    An unmarked blockquote may be the writer's own; the last one is the mail that is answered.
    """
    reader = _Reader()
    reader.feed(_whole_tags(_without_comments(html)))
    reader.close()
    last = max((number for number, _ in reader.parts), default=0)
    kept: list[str] = []
    for number, text in reader.parts:
        if number == 0 or number != last:
            kept.append(text)
        elif not kept or kept[-1] != QUOTED_LINE:
            kept.append(QUOTED_LINE)
    return "".join(kept)


# A "<" that no ">" closes before the next "<" begins no tag. Python's parser would look for its end through the whole rest of
# the text, and again for each of them: 100 kB of "<div " took it half a minute.
_NO_TAG: Final = re.compile(r"<(?=[^<>]*(?:<|\Z))")


def _whole_tags(html: str) -> str:
    return _NO_TAG.sub("&lt;", html)


def _without_comments(html: str) -> str:
    """The HTML without its comments; one that is never closed hides all that follows it, as in a browser."""
    kept, at = [], 0
    while (begin := html.find("<!--", at)) >= 0:
        kept.append(html[at:begin])
        end = html.find("-->", begin + 4)
        if end < 0:
            return "".join(kept)
        at = end + 3
    return "".join([*kept, html[at:]])


class _Reader(HTMLParser):
    """Collects (number of the outermost blockquote, text); number 0 is outside of any."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[tuple[int, str]] = []
        self._stack: list[str] = []
        self._skip_from: int | None = None
        self._ended = False
        self._quotes = 0
        self._quote_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: (value or "").lower() for key, value in attrs}
        names = {_REPEATED.sub("", name) for key in ("class", "id", "name") for name in given.get(key, "").split()}
        if not _THREAD_BEGINS.isdisjoint(names) or any(name.endswith("outlookmessageheader") for name in names):
            self._ended = True
        if tag in _BREAKS:
            self._say("\n")
        if tag in _VOID:
            return
        self._stack.append(tag)
        quoted = _is_marked(tag, names, given)
        if self._skip_from is None and (tag in _HIDDEN or quoted):
            if quoted:
                self._say(QUOTED_LINE)
            self._skip_from = len(self._stack)
        if tag == "blockquote":
            if not self._quote_depth:
                self._quotes += 1
            self._quote_depth += 1

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._stack[-50:]:
            return
        while self._stack:
            closed = self._stack.pop()
            if closed == "blockquote":
                self._quote_depth -= 1
            if self._skip_from is not None and len(self._stack) < self._skip_from:
                self._skip_from = None
            if closed == tag:
                break
        if tag in _BREAKS:
            self._say("\n")

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        # "</b> me": the blank belongs to the words, unless a line or a blank has just ended.
        begins = words and data[0].isspace() and self.parts and not self.parts[-1][1][-1:].isspace()
        self._say((" " if begins else "") + words + (" " if data[-1:].isspace() else ""))

    def _say(self, text: str) -> None:
        if self._skip_from is None and not self._ended:
            self.parts.append((self._quotes if self._quote_depth else 0, text))


def _is_marked(tag: str, names: set[str], given: dict[str, str]) -> bool:
    """Whether a mail program says of this element that it is quoted."""
    if not _QUOTED.isdisjoint(names) or any(name.startswith(_NUMBERED) for name in names):
        return True
    styled = bool(_QUOTING_STYLE.search(given.get("style", "")[:1000]))
    if tag == "blockquote":
        return styled or given.get("type") == "cite" or "cite" in given
    return styled and given.get("name") == "quote"
