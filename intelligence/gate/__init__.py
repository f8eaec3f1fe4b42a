"""The deterministic gate: the first thing run on any inbound text, before and regardless of any model.

It finds what must win at once: taking back consent, threats, wrong numbers, the wish for a human, START and HELP. Give
it what the person wrote (`intelligence.clean.visible_reply` for mail); run it on automatic replies too.
Sources: 47 CFR 64.1200(a)(10); the carriers' keyword lists named in `words`.
"""

# ruff: noqa: E501 (word lists)

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from intelligence.gate import alarms, english, languages
from intelligence.gate.instructions import instructions
from intelligence.gate.reading import Reading, read_words
from intelligence.gate.rules import ALL, EMAIL, PHONE, VOICE, Channel, Hit, Verdict, hits
from intelligence.gate.words import keyword

__all__ = ["ALL", "EMAIL", "PHONE", "VOICE", "Channel", "Gate", "Verdict", "read"]


@dataclass(frozen=True, slots=True)
class Gate:
    """What a text demands.

    `scope`: the channels the words close (empty unless something is to be closed). `rule`: the rule that fired.
    `quote`: the person's own characters it rests on. `language`: of the rule, not a guess about the person.
    "hold": a person should look before anything else goes out. `not_interested` marks a no that closes nothing.
    """

    verdict: Verdict
    scope: frozenset[Channel] = frozenset()
    rule: str = ""
    quote: str = ""
    language: str = ""
    not_interested: bool = False


_FAMILY: Final[dict[Channel, frozenset[Channel]]] = {"sms": PHONE, "voice": PHONE, "email": EMAIL}
_PRECEDENCE: Final[tuple[Verdict, ...]] = ("opt_out", "wrong_number", "complaint", "hold", "human")

_EVEN_IN_AN_INSTRUCTION: Final = frozenset(
    {
        "stop contacting",
        "do not contact",
        "take me off",
        "remove me",
        "leave me alone",
        "lose my number",
        "asked to stop",
    }
)
_CLAUSE: Final = re.compile(r"[.!?;:,\n…。！？،؛|]")
_PLAYFUL: Final = re.compile(r"(?<!\w)(?:ha(?:ha)+\w*|lol|lmao|lmfao|rofl|jk|kidding|joking|laugh\w*|hehe)(?!\w)")
_KIDDING: Final = re.compile(r"(?<!\w)(?:kidding|joking|jk)(?!\w)")
_STRONG: Final = frozenset(
    {"stop", "stopall", "stop all", "unsubscribe", "unsub", "opt out", "optout", "stop now", "stopp", "arretez", "baja"}
)
_ANNOYED: Final = re.compile(r"(?<!\w)(?:spam|harass\w*|annoying|leave me)(?!\w)")
_IMPERATIVE: Final = re.compile(
    r"(?:^|(?<=[.!?;,\n] ))(?:(?:please|pls|just|ok|hi|hello|hey|no|yes|can you|could you|i want to|i need to|id like to|i wanna) ){0,3}"
    r"(?:stop|cancel|quit|end|unsubscribe|revoke|remove|cease|desist|discontinue)(?= )"
)
_HARMLESS: Final = re.compile(
    r"(?<!\w)(?:stop (?:by|at|in|over|off|into|to|for|here|there|light|lights|sign|signs|watch|the (?:car|bus|train|clock|press\w*|leak\w*|bleeding)|"
    r"and (?:shop|see|say|get|grab|talk|chat|visit|read|think|look|smell)|thinking|laughing|smiling|crying|eating|smoking|drinking|worrying|working|"
    r"loss|order|motion|payment|payments|gap|it from)|(?:bus|train|tram|metro|truck|rest|pit|full|first|next|last|one|door|f|non|quick|tube|subway) stop|"
    r"end (?:of|up|at|in|on|to|user|result|date|goal|with|by|the (?:day|week|month|year|call|meeting))|remove the|remove (?:an|old|one|that) |quit (?:smoking|drinking|my (?:job|gym)))(?!\w)"
)


def read(text: str, *, channel: Channel = "sms", subject: str = "") -> Gate:
    """Read one inbound text. A mail's subject counts only when it is itself a keyword ("unsubscribe")."""
    reading = read_words(_without_quotes(text) if channel == "email" else text)
    if found := _whole(reading, channel) or (_subject(subject) if channel == "email" else None):
        return found
    line = reading.line
    spans = instructions(line)
    found_hits = [hit for hit in _all_hits(line) if _counts(hit, line, spans)]
    if not spans and (clause := _keyword_clause(reading) or _shouted(reading)):
        found_hits.append(clause)
    chosen = _choose(found_hits)
    if chosen and chosen.verdict == "opt_out" and _KIDDING.search(line):
        chosen = replace(chosen, verdict="hold")
    if chosen:
        return _gate(chosen, reading, channel)
    if somebody := _another_name(reading):
        return somebody
    declined = english.NOT_INTERESTED.search(line)
    if not spans and (doubt := _IMPERATIVE.search(line)) and not _HARMLESS.search(line, doubt.start()):
        return Gate("hold", frozenset(), "starts like a revocation", reading.quote(*doubt.span()), "en", bool(declined))
    if declined:
        return Gate("none", frozenset(), "not interested", reading.quote(*declined.span()), "en", not_interested=True)
    return Gate("none")


def _whole(reading: Reading, channel: Channel) -> Gate | None:
    words = tuple(word for word in reading.words if not word.is_mark)
    found = keyword(tuple(word.text for word in words))
    if found is None:
        return None
    kind, language, name = found
    quote = reading.original[words[0].start : words[-1].end]
    if kind != "opt_out":
        return Gate(kind, frozenset(), f"keyword {name}", quote, language)
    return Gate("opt_out", ALL if name in _EVERYTHING else _FAMILY[channel], f"keyword {name}", quote, language)


_EVERYTHING: Final = frozenset({"stopall", "stop all", "unsubscribe all", "cancel all", "end all", "cease", "desist"})


def _subject(subject: str) -> Gate | None:
    return None if ":" in subject else _opt_out_only(_whole(read_words(subject), "email"))


def _opt_out_only(gate: Gate | None) -> Gate | None:
    return gate if gate and gate.verdict == "opt_out" else None


def _without_quotes(text: str) -> str:
    """The lines of a mail that are not quoted, at their places."""
    return "\n".join(" " * len(line) if line.lstrip().startswith(">") else line for line in text.split("\n"))


def _all_hits(line: str) -> list[Hit]:
    return [
        *hits(alarms.THREATS, line),
        *hits(english.OPT_OUT, line),
        *hits(languages.OPT_OUT, line),
        *hits(alarms.WRONG, line),
        *hits(alarms.GRIEVANCES, line),
        *hits(alarms.HUMAN, line),
    ]


def _counts(hit: Hit, line: str, spans: list[tuple[int, int]]) -> bool:
    """Within an instruction only words about the person count."""
    if not any(start < hit.end and hit.start < end for start, end in spans):
        return True
    near = line[hit.start : hit.end + 12].split()
    return hit.rule.name in _EVEN_IN_AN_INSTRUCTION and not {"me", "us", "my"}.isdisjoint(near)


def _keyword_clause(reading: Reading) -> Hit | None:
    """A clause that is a keyword by itself: "No. Stop. I am busy"."""
    clauses = [match for match in re.finditer(r"[^.!?;:,\n…]+", reading.line) if match[0].strip()]
    playful = _PLAYFUL.search(reading.line) is not None
    for index, clause in enumerate(clauses):
        found = keyword(tuple(clause[0].split()))
        if not found or found[0] != "opt_out":
            continue
        sure = (
            (found[2] in _STRONG or _ANNOYED.search(reading.line) or english.NOT_INTERESTED.search(reading.line))
            and not playful
            and (index in (0, len(clauses) - 1) or len(reading.words) <= 20)
        )
        return Hit(_CLAUSE_RULE, "opt_out" if sure else "hold", clause.start(), clause.end())
    return None


def _shouted(reading: Reading) -> Hit | None:
    """STOP in capitals, first or last in a text that is otherwise not: "STOP I already bought one"."""
    words = [(word, at) for word, at in zip(reading.words, reading.starts, strict=True) if not word.is_mark]
    if len(words) < 2 or len(words) > 20 or _PLAYFUL.search(reading.line) or reading.original.isupper():
        return None
    for (word, at), (beside, _) in ((words[0], words[1]), (words[-1], words[-2])):
        said, next_to_it = (reading.original[one.start : one.end] for one in (word, beside))
        if (
            word.text == "stop"
            and said.isupper()
            and beside.text not in _QUOTING
            and not (next_to_it.isupper() and len(next_to_it) > 1)
            and not _HARMLESS.search(reading.line)
        ):
            return Hit(_CLAUSE_RULE, "opt_out", at, at + len(word.text))
    return None


def _another_name(reading: Reading) -> Gate | None:
    """ "This is not Maria": perhaps a wrong number; only the capital letter tells it from "this is not urgent"."""
    if len(reading.words) > 8 or not (match := _NOT_ME.search(reading.line)):
        return None
    quote = reading.quote(*match.span())
    name = reading.quote(*match.span(1))
    if not name.istitle() or sum(word[0].isupper() for word in quote.split()) > 2:
        return None
    return Gate("hold", frozenset(), "not this person", quote, "en")


_QUOTING: Final = frozenset({"said", "says", "say", "saying", "reads", "sign", "word", "a", "the"})
_NOT_ME: Final = re.compile(
    r"(?<!\w)(?:this is not|this isnt|im not|i am not|its not|(?:dont|do not) know (?:any|a)) (\w+)(?= ?(?:[.!,\n]|$))"
)
_CLAUSE_RULE: Final = english.rule("keyword as a clause", "opt_out", r"stop")


def _choose(found: list[Hit]) -> Hit | None:
    """Threats first, then by precedence, then the earliest rule."""
    for hit in found:
        if hit.verdict == "complaint" and hit.rule.scope == "all":
            return hit
    for verdict in _PRECEDENCE:
        for hit in found:
            if hit.verdict == verdict:
                return hit
    return None


def _gate(hit: Hit, reading: Reading, channel: Channel) -> Gate:
    quote = reading.quote(hit.start, hit.end)
    declined = english.NOT_INTERESTED.search(reading.line) is not None
    return Gate(hit.verdict, _scope(hit, reading.line, channel), hit.rule.name, quote, hit.rule.language, declined)


def _scope(hit: Hit, line: str, channel: Channel) -> frozenset[Channel]:
    if hit.verdict not in ("opt_out", "complaint", "wrong_number") or hit.rule.scope == "nothing":
        return frozenset()
    if hit.rule.scope == "all":
        return ALL
    said = line[hit.start : hit.end] + " " + " ".join(_after(line, hit.end))
    if _ANYTHING.search(said):
        return ALL
    named: frozenset[Channel] = frozenset()
    if _BY_MAIL.search(said):
        named |= EMAIL
    if _BY_TEXT.search(said):
        named |= PHONE
    elif _BY_CALL.search(said):
        # Who names calls and mail means the telephone as a whole, and the mail.
        named |= PHONE if named else VOICE
    if named:
        return named
    if hit.rule.scope == "named" and _BY_ANY.search(said):
        return ALL
    return _FAMILY[channel]


def _after(line: str, at: int) -> list[str]:
    words = _CLAUSE.split(line[at : at + 60])[0].split()[:6]
    return next((words[:index] for index, word in enumerate(words) if word in _TURNS), words)


# "stop calling but you can text me": what comes after is welcome
_TURNS: Final = frozenset("but however just only instead except pero aber mais ma maar ale но men you solo nur".split())


_BY_MAIL: Final = re.compile(
    r"(?<!\w)(?:e ?mail(?:s|ing|ed)?|newsletters?|mailing(?! list)|correos?|courriels?|mails?)(?!\w)"
)
# Words for calls alone close calls; a telephone, a number or texts mean both ("stop" itself does, too).
_BY_CALL: Final = re.compile(
    r"(?<!\w)(?:call\w*|phon(?:ing|ed)|phone (?:me|us|calls?)|ring\w*|dial\w*|voicemails?|robocall\w*|llam\w+|appel\w+|bel(?:len|t)?|gebeld|chiam\w+|dzwon\w*|звон\w+|anruf\w*|angerufen|ruf|rufen|telefonier\w*|lig(?:ar|ue|uem|acoes)\w*)(?!\w)"
)
_BY_TEXT: Final = re.compile(
    r"(?<!\w)(?:text\w*|txt\w*|sms\w*|phones?(?! (?:me|us|calls?)(?!\w))|robotext\w*|whatsapp\w*|number|messag\w*|msgs?|mensaj\w*|mensag\w*|nachrichten|messages?|messagg\w*|bericht(?:en)?|wiadomosci|сообщени\w*|смс)(?!\w)"
)
_BY_ANY: Final = re.compile(
    r"(?<!\w)(?:contact\w*|bother\w*|harass\w*|reach\w*|communicat\w*|correspondence|solicit\w*|disturb\w*|get in touch|pester\w*|bug\w*|annoy\w*|hear|stalking)(?!\w)"
)
_ANYTHING: Final = re.compile(
    r"(?<!\w)(?:everything|all (?:your )?(?:lists|communications?|channels|contact)|any (?:way|form|channel|means|kind)|every (?:list|way)|everywhere)(?!\w)"
)
