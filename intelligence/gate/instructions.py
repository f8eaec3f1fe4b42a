"""Instructions such as "Reply STOP to opt out": of ours or of somebody else's, quoted or forwarded, nobody's wish."""

# ruff: noqa: E501 (an alternative is one line)

from __future__ import annotations

import re
from typing import Final

from intelligence.gate.vocabulary import ING

_WORD_TO_SEND: Final = r"(?:stop\w*|end|quit|cancel|unsub\w*|opt ?out|remove|out)"
_PATTERN: Final = re.compile(
    rf"""(?<!\w)(?:
    (?:reply|respond|text|txt|send|snd|msg|type|press|say|enter)(?:\ (?:back|with|us|the|word|keyword|a|message|code|get|txt)){{0,4}}\ (?:[\"]\ ?)?{_WORD_TO_SEND}(?!\ (?:{ING}|me|us|my|it))
    | (?:reply|respond|text|txt|send|snd)\ \w+\ stop(?!\w)
    | (?:to|2|for)\ (?:be\ removed|opt\ ?out|unsub\w*|stop|end|cancel|quit|remove)(?:\ \w+){{0,4}}?\ ?[,:]?\ (?:reply|text|txt|send|sms|msg|call|visit|click|go\ to|email|respond|press|get|getstop|tap|follow|use)
    | (?:2|to|4)stop | getstop | stop\ ?[?:]\ (?:reply|text|txt|send|call|sms)
    | {_WORD_TO_SEND}(?:\ [?,:|/])?\ (?:(?:reply|txt|text|send|sms|call)(?=(?:\ \S+){{0,4}}?\ (?:\S*\d|stop|x|end|quit|unsub|out|no)(?!\w))|with(?=\ (?:stop|the\ word|\w*\d))|at\ any\ ?time|anytime|here|link|below|by\ (?:calling|clicking|replying|texting)|from\ alerts|now\ by|via|at\ https?|to\ \w*\d{{3,}}|\w*\d{{5,}})(?:\ \w+){{0,3}}
    | (?:reply|replying|respond|send|sending|txt|texting)\ (?:with\ )?{_WORD_TO_SEND}\ (?:to|2|4|at|on)
    | (?:click|tap|visit|go|link|use|follow|manage|update)\ (?:\w+\ ){{0,5}}(?:unsubscribe|opt\ out|preferences|unsub)
    | (?:if\ you|you\ (?:can|may|are\ receiving|received|will\ (?:be|get|receive)))\ (?:\w+\ ){{0,8}}(?:unsubscribe|unsubscribing|opt\ out|receive|receiving|stop)
    | you\ (?:have\ (?:been\ |successfully\ )?|are\ (?:now\ )?)(?:unsubscribed|opted\ out|removed)
    | (?:msg|message)(?:\ and)?\ (?:&\ )?data\ rates
    | (?:unsub\w*|opt\ out)\ (?:\?\ )?stop
    | unsub\ (?:reply|\d+) | (?:or|/)\ stop\ (?:4|for|to|sms|txt)\ | help\ (?:4|for|or)\ \w+\ ?,?\ ?stop
    )(?!\w)""",
    re.VERBOSE,
)
_SENTENCE: Final = re.compile(r"[.!?\n…]")


def instructions(line: str) -> list[tuple[int, int]]:
    """The sentences of a folded line that tell a reader how to opt out, as (start, end)."""
    return [_sentence(line, match) for match in _PATTERN.finditer(line)]


def _sentence(line: str, match: re.Match[str]) -> tuple[int, int]:
    start = max(
        (mark.end() for mark in _SENTENCE.finditer(line, max(0, match.start() - 200), match.start())), default=0
    )
    end = _SENTENCE.search(line, match.end())
    return min(start, match.start()), end.start() if end else len(line)
