"""What makes English words of refusal nobody's revocation: somebody else is meant, a time, another thing."""

from __future__ import annotations

import re
from typing import Final

from intelligence.gate.rules import Verdict, after, before, clause
from intelligence.gate.vocabulary import FILL, ING, THINGS, WANT
from intelligence.gate.words import distance

_LIMITS: Final = frozenset(
    "before after until till til while whilst when during yet unless instead except without later soon first tomorrow "
    "tonight today monday tuesday wednesday thursday friday saturday sunday morning evening afternoon noon midnight "
    "weekend weekends week work driving meeting right now between past if am pm".split()
)
_STRICT: Final = frozenset("until till til unless before after between yet am pm".split())  # even "again" has an end
_LASTING: Final = frozenset("again anymore ever more forever period".split())
_OTHERS: Final = frozenset("him her them it that those customers clients people everyone somebody someone".split())
_THIRD: Final = frozenset("he she they him her them who someone somebody people everyone".split())
_YOU: Final = frozenset("you u ya yall guys people".split())
_CANNOT: Final = frozenset(
    "cant cannot dont never wont didnt couldnt wouldnt doesnt not isnt arent without hardly non".split()
)
_NOT_ABOUT_US: Final = frozenset(
    "waitlist waitlisted schedule appointment calendar guest reservation hold speaker speakerphone invoice order cart "
    "hook meeting lead leads project team group chat thread case account title deed insurance policy lease autopay "
    "class course cc".split()
)
_NUMBERS: Final = frozenset("number numbers phone cell mobile line landline home house inbox email address".split())
_TITLES: Final = frozenset("sir maam mam madam miss mrs mr ms honey hun sweetie baby babe dear buddy boss".split())
_ASKED: Final = frozenset("told tell telling asked ask asking said say want wanted prefer rather wish like".split())
_KIND: Final = frozenset("appreciate appreciated great nice better best prefer glad love grateful thankful".split())


def stopping(match: re.Match[str]) -> Verdict | None:
    """stop ...ing: ours unless somebody cannot stop, or somebody else should."""
    led, follows = before(match, 6), after(match, 3)
    if follows[:1] in (["is"], ["isnt"], ["wont"], ["was"]):  # "stop texting is not needed"
        return None
    if led and (led[-1] in _CANNOT or led[-2:] in (["do", "not"], ["can", "not"]) or _asked_about(led)):
        return None
    if _THIRD.intersection(led) and "you" not in led:
        return None
    mine = led[-1:] == ["i"] or (len(led) > 1 and led[-1] in ("to", "must", "should") and not _YOU.intersection(led))
    if mine and follows[:1] not in (["me"], ["us"], ["my"]):  # "we need to stop texting our clients"
        return "hold" if _ASKED.intersection(led) - {"want", "like"} else None
    if follows[:1] in (["him"], ["her"]) and re.fullmatch(THINGS, " ".join(follows[1:2])):
        return "opt_out"  # "please stop sending him messages"
    if follows[:1] in (["your"], ["his"], ["their"], ["each"]) and not match[0].endswith("sending"):
        return "hold"  # "quit bugging your sister"
    if follows and (follows[0] in _OTHERS or (match[0].endswith("sending") and not _sent_to_me(follows))):
        return "hold"
    return "opt_out"


def mistyped_stopping(match: re.Match[str]) -> Verdict | None:
    """stop texing me: a way of being reached with one or two letters wrong."""
    word = match[1]
    near = (
        "texting",
        "messaging",
        "contacting",
        "calling",
        "emailing",
        "sending",
        "bothering",
        "spamming",
        "harassing",
    )
    if not any(abs(len(word) - len(one)) <= 2 and distance(word, one) <= (2 if len(one) > 8 else 1) for one in near):
        return None
    return stopping(match)


def _sent_to_me(follows: list[str]) -> bool:
    while follows and re.fullmatch(FILL, follows[0]):
        follows = follows[1:]
    return (
        not follows
        or follows[0]
        in ("me", "us", "to", "please", "thanks", "thank", "thx", "now", "asap", "immediately", "or", "and")
        or re.fullmatch(f"{THINGS}|stuff|shit|anything|things?", follows[0]) is not None
    )


def refusing(match: re.Match[str]) -> Verdict | None:
    """don't ... me: ours unless limited in time, about somebody else, or what I myself do not do."""
    led, follows, said = before(match, 8), after(match, 6), match[0].split()
    if _spoken_of(led, follows, said) or {"forget", "why"}.intersection(led[-4:]):
        return None
    if follows[:1] == ["it"] and re.search(r"(?:phone|number|line|cell) ?,? $", match.string[: match.start()]):
        return "opt_out"  # "this is my work phone, don't text it"
    if follows and (follows[0] in _OTHERS or (said[-1] == "call" and _named(match))):
        return None
    if said[-1] == "disturb" and follows and follows[0] not in ("me", "us", "again", "anymore", "please"):
        return "hold"
    if said[-1] == "bother" and follows and follows[0] not in ("me", "us", "my", "our", "again", "anymore", "ever"):
        return "hold"
    if follows[:1] in (["back"], ["through"], ["out"]) and said[-1] in ("call", "ring", "reply", "respond", "write"):
        return "hold"
    if said[-1] in ("send", "reply", "respond", "write", "follow") and follows and not _sent_to_me(follows):
        return "hold"
    if said[-1] in ("reply", "respond") and follows[:1] in (["to"], ["all"]) and follows[1:2] not in (["me"], ["this"]):
        return "hold"
    if not _LASTING.intersection(follows[:3]) and _I_WILL.search(match.string, match.end(), match.end() + 60):
        return "hold"
    to_me = follows[:1] in (["me"], ["us"])  # "don't email me, text me" is clear; "don't call, text me" may be for now
    if _INVITED.search(match.string, 0, match.start()) or (not to_me and _INVITED.search(match.string, match.end())):
        return "hold"
    if _reports_on_you(led, follows, said) or _about_another(follows) or _limited(match, follows):
        return "hold"
    return "opt_out"


def _spoken_of(led: list[str], follows: list[str], said: list[str]) -> bool:
    """What I, he or you do not do, not what is demanded."""
    if led[-1:] in (["i"], ["we"]) and not re.search(rf"\b(?:{WANT})\b", " ".join(said)):
        return True
    if _THIRD.intersection(led[-2:]) and "you" not in led[-4:]:
        return True
    return said[0] in ("cannot", "cant") and "you" not in said + led[-4:]


def _reports_on_you(led: list[str], follows: list[str], said: list[str]) -> bool:
    """ "you never call me", "if you don't call me by five": a reproach, or a condition."""
    if _LASTING.intersection(follows[:4]) or _KIND.intersection(led) or {"consent", "permission"}.intersection(said):
        return False
    told = _ASKED.intersection(led) or {"that", "sure"}.intersection(led)
    return "if" in led[-3:] or (bool(_YOU.intersection(led[-1:])) and not told)


def _about_another(follows: list[str]) -> bool:
    """ "don't contact the landlord", "don't call my wife": not me, unless for good or by my own number."""
    if follows[:1] in (["a"], ["an"]):
        return True
    if _LASTING.intersection(follows):
        return False
    if follows[:1] in (["my"], ["our"]):
        return len(follows) > 1 and _NUMBERS.isdisjoint(follows[1:3])
    if follows[:1] in (["me"], ["us"]) and follows[1:2] in (["the"], ["a"], ["an"], ["my"], ["your"]):
        return True  # "don't text me the code"
    return follows[:1] in (["the"], ["his"], ["their"])


def _named(match: re.Match[str]) -> bool:
    """ "don't call me sir", "don't call me Bob, it's Robert"."""
    rest = match.string[match.end() : match.end() + 60].split()
    if rest[:1] != ["me"] or len(rest) < 2:
        return False
    return rest[1] in _TITLES or (rest[2:3] == [","] and rest[3:4] in (["its"], ["call"], ["my"]))


def _limited(match: re.Match[str], follows: list[str]) -> bool:
    if not _LIMITS.intersection(follows):
        return False
    return not _LASTING.intersection(follows) or not _STRICT.isdisjoint(clause(match))


# "please call me, don't email": another way is welcome
_INVITED: Final = re.compile(
    r"(?<!dont )(?<!not )(?<!never )(?<!stop )(?<!or )(?<!and )(?<!to )(?<!keep )(?<!you )(?<!quit )(?<!u )\b"
    r"(?:call|text|email|phone|ring|message|whatsapp) (?:me|us)\b(?! again| anymore)"
)


_I_WILL: Final = re.compile(
    r"(?<!\w)(?:ill|i will|we will) (?:call|text|email|contact|message|reach out|be in touch|let you know)"
)


def unless_limited(match: re.Match[str]) -> Verdict | None:
    return "hold" if _limited(match, after(match, 6)) else "opt_out"


def unused(match: re.Match[str]) -> Verdict | None:
    """ "don't use this number": for good, unless it names another."""
    return "hold" if {"use", "call", "text", "try", "instead"}.intersection(after(match, 8)) else "opt_out"


def at_the_end(match: re.Match[str]) -> Verdict | None:
    """... stop: said to us when the text speaks of us or of messages."""
    led = before(match, 4)
    if _CANNOT.intersection(led[-3:]) or _THIRD.intersection(led) or {"i", "we"}.intersection(led[-1:]):
        return None
    if led and (led[-1] in _STOPS_OF_A_ROAD or _asked_about(led) or {"did", "does", "when"}.intersection(led)):
        return None
    if len(match.string) > 300:
        return "hold"
    ours = re.search(
        rf"\b(?:you|u|your|yall|{THINGS}|{ING}|number|gods?|christ|jesus|for real|seriously|last time)\b",
        match.string[: match.start()],
    )
    return "opt_out" if ours and "?" not in match.string[match.end() :] else "hold"


_STOPS_OF_A_ROAD: Final = frozenset(
    "bus train tram metro truck rest pit full first next last one door f non quick tube subway the a this that my our "
    "your or and txt text txtx reply send to will does do did short every any each another".split()
)


def to_stop(match: re.Match[str]) -> Verdict | None:
    """ "I want them to stop": the messages, when the text names them; else perhaps the drips."""
    if {"him", "her", "he", "she"}.intersection(before(match, 6)):
        return None
    return "opt_out" if re.search(rf"\b(?:{THINGS}|texting|calling)\b", match.string) else "hold"


def no_more(match: re.Match[str]) -> Verdict | None:
    led, follows = before(match, 3), after(match, 4)
    had = {"have", "has", "had", "got", "get", "see", "received", "is", "are", "was", "were", "theres", "there"}
    if had.intersection(led):
        return None
    return "hold" if _LIMITS.intersection(follows) - {"please", "now"} else "opt_out"


def _asked_about(led: list[str]) -> bool:
    """ "did you stop …": what somebody did is asked, nothing is demanded."""
    return len(led) > 1 and led[-1] in ("you", "u", "yall") and led[-2] in ("did", "do", "didnt", "have", "havent")


def begging(match: re.Match[str]) -> Verdict | None:
    led = before(match, 6)
    near = led[-4:]
    if led and (led[-1] in _CANNOT or _THIRD.intersection(near) or _asked_about(led)):
        return None
    if led and led[-1] in ("did", "does", "when", "if", "why"):
        return None
    if led[-1:] == ["to"] and {"told", "tell", "asked", "ask"}.intersection(led[:-2]) and not _YOU.intersection(led):
        return None  # "I told the other company to leave me alone"
    return "opt_out"


def said_so(match: re.Match[str]) -> Verdict | None:
    """ "I said stop", but not "I never said stop"."""
    return None if _CANNOT.intersection(match[0].split() + before(match, 2)) else "opt_out"


def not_lost(match: re.Match[str]) -> Verdict | None:
    return None if _CANNOT.intersection(before(match, 2)) else "opt_out"


def not_asked(match: re.Match[str]) -> Verdict | None:
    return None if {"he", "she", "they"}.intersection(before(match, 3)) else "hold"
