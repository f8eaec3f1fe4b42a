"""What a rule is, and how rules are tried on a reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["opt_out", "opt_in", "help", "complaint", "wrong_number", "human", "hold", "none"]
Channel = Literal["sms", "email", "voice"]

PHONE: Final[frozenset[Channel]] = frozenset({"sms", "voice"})
VOICE: Final[frozenset[Channel]] = frozenset({"voice"})
EMAIL: Final[frozenset[Channel]] = frozenset({"email"})
ALL: Final[frozenset[Channel]] = PHONE | EMAIL

Scope = Literal["named", "channel", "all", "nothing"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A phrase rule.

    `check` looks at the match and may lower it to "hold" or reject it with None. `scope`: "named" reads the channels
    from the words, "channel" is the channel the message came by, "all" every channel.
    """

    name: str
    verdict: Verdict
    pattern: re.Pattern[str]
    scope: Scope = "channel"
    language: str = "en"
    check: Callable[[re.Match[str]], Verdict | None] | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fired, with its verdict after the check and its place in the line."""

    rule: Rule
    verdict: Verdict
    start: int
    end: int
    scope: frozenset[Channel] | None = None


def rule(
    name: str,
    verdict: Verdict,
    pattern: str,
    *,
    scope: Scope = "channel",
    language: str = "en",
    check: Callable[[re.Match[str]], Verdict | None] | None = None,
) -> Rule:
    """A rule from a pattern over folded words with single blanks; it is tied to word borders here."""
    return Rule(name, verdict, re.compile(rf"(?<!\w)(?:{pattern})(?!\w)"), scope, language, check)


def hits(rules: tuple[Rule, ...], line: str) -> Iterator[Hit]:
    """Everything the rules find in a line, in the order of the rules."""
    for one in rules:
        for match in one.pattern.finditer(line):
            verdict = one.check(match) if one.check else one.verdict
            if verdict is not None:
                yield Hit(one, verdict, match.start(), match.end())


_MARK: Final = re.compile(r"[.!?;:,\n…。！？،؛|]")


def before(match: re.Match[str], words: int = 4) -> list[str]:
    """The words of the same clause just before a match, nearest last."""
    clause = _MARK.split(match.string[max(0, match.start() - 80) : match.start()])[-1]
    return clause.split()[-words:]


def clause(match: re.Match[str], words: int = 8) -> list[str]:
    """The words of the same clause just after a match, nearest first."""
    return _MARK.split(match.string[match.end() : match.end() + 80], maxsplit=1)[0].split()[:words]


def after(match: re.Match[str], words: int = 5) -> list[str]:
    """The words just after a match, up to the end of the sentence, nearest first."""
    clause = re.split(r"[.!?\n…]", match.string[match.end() : match.end() + 80], maxsplit=1)[0]
    return re.sub(r"[^\w\s]", " ", clause).split()[:words]
