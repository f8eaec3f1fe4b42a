"""What makes English words of refusal nobody's revocation: somebody else is meant, a time, another thing."""

from __future__ import annotations

import re
from typing import Final

from intelligence.gate.rules import Verdict, after, before
from intelligence.gate.vocabulary import FILL, ING, THINGS, WANT

_LIMITS: Final = frozenset(
    "before after until till til while whilst when during yet unless instead except without later soon first tomorrow "
    "tonight today monday tuesday wednesday thursday friday saturday sunday morning evening afternoon noon midnight "
    "weekend weekends week work driving meeting right now between past if am pm".split()
)
_LASTING: Final = frozenset("again anymore ever more forever period please".split())
_OTHERS: Final = frozenset("him her them it that those customers clients people everyone somebody someone".split())
_THIRD: Final = frozenset("he she they him her them who someone somebody people everyone".split())
_CANNOT: Final = frozenset(
    "cant cannot dont never wont didnt couldnt wouldnt doesnt not isnt arent without hardly non".split()
)
_NOT_ABOUT_US: Final = frozenset(
    "waitlist waitlisted schedule appointment calendar guest reservation hold speaker speakerphone invoice order cart "
    "hook meeting lead leads project team group chat thread case account title deed insurance policy lease".split()
)


def stopping(match: re.Match[str]) -> Verdict | None:
    """stop ...ing: ours unless somebody cannot stop, or somebody else should."""
    led, follows = before(match, 6), after(match, 3)
    if led and (led[-1] in _CANNOT or led[-2:] in (["do", "not"], ["can", "not"]) or _asked_about(led)):
        return None
    if _THIRD.intersection(led) and "you" not in led:
        return None
    if led[-1:] == ["i"] or (led and "you" not in led and led[-1] in ("to", "must", "should") and "i" in led):
        return None
    if follows and (follows[0] in _OTHERS or (match[0].endswith("sending") and not _sent_to_me(follows))):
        return "hold"
    return "opt_out"


def _sent_to_me(follows: list[str]) -> bool:
    while follows and re.fullmatch(FILL, follows[0]):
        follows = follows[1:]
    return (
        not follows
        or follows[0] in ("me", "us", "to", "please")
        or re.fullmatch(f"{THINGS}|stuff|shit|anything|things?", follows[0]) is not None
    )


def refusing(match: re.Match[str]) -> Verdict | None:
    """don't ... me: ours unless limited in time, about somebody else, or what I myself do not do."""
    led, follows = before(match, 4), after(match, 6)
    said = match[0].split()
    near = follows[:1]
    if "forget" in led or led[-1:] == ["why"]:
        return None
    if led[-1:] in (["i"], ["we"]) and not re.search(rf"\b(?:{WANT})\b", match[0]):
        return None
    if _THIRD.intersection(led[-2:]) and "you" not in led:
        return None
    if said[0] in ("cannot", "cant") and not {"you"}.intersection(said + led):
        return None
    if near and near[0] in _OTHERS:
        return None
    if said[-1] == "bother" and near and near[0] not in ("me", "us", "my", "our", "again", "anymore", "ever"):
        return "hold"
    if near and near[0] in ("back", "through", "out") and said[-1] in ("call", "ring", "reply", "respond", "write"):
        return "hold"
    if said[-1] in ("send", "reply", "respond", "write", "follow") and near and not _sent_to_me(follows):
        return "hold"
    if _INVITED.search(match.string[: match.start()]) or _INVITED.search(match.string[match.end() :]):
        return "hold"
    if _LIMITS.intersection(follows) and not _LASTING.intersection(follows[:3]):
        return "hold"
    return "opt_out"


# "please call me, don't email": another way is welcome
_INVITED: Final = re.compile(
    r"(?<!dont )(?<!not )(?<!never )(?<!stop )(?<!or )(?<!and )(?<!to )(?<!keep )(?<!you )(?<!quit )(?<!u )\b"
    r"(?:call|text|email|phone|ring|message|whatsapp) (?:me|us)\b(?! again| anymore)"
)


def at_the_end(match: re.Match[str]) -> Verdict | None:
    """... stop: said to us when the text speaks of us or of messages."""
    led = before(match, 4)
    if _CANNOT.intersection(led[-3:]) or _THIRD.intersection(led) or {"i", "we"}.intersection(led[-1:]):
        return None
    if led and led[-1] in _STOPS_OF_A_ROAD:
        return None
    if len(match.string) > 300:
        return "hold"
    ours = re.search(rf"\b(?:you|u|your|yall|{THINGS}|{ING}|number)\b", match.string[: match.start()])
    return "opt_out" if ours and "?" not in match.string[match.end() :] else "hold"


_STOPS_OF_A_ROAD: Final = frozenset(
    "bus train tram metro truck rest pit full first next last one door f non quick tube subway the a this that my our "
    "your or and txt text txtx reply send to will does do did short every any each another".split()
)


def no_more(match: re.Match[str]) -> Verdict | None:
    led, follows = before(match, 3), after(match, 4)
    if {"have", "has", "had", "got", "get", "see", "received", "is", "are", "was", "were", "theres", "there"} & set(
        led
    ):
        return None
    return "hold" if _LIMITS.intersection(follows) - {"please", "now"} else "opt_out"


def off_the_list(match: re.Match[str]) -> Verdict | None:
    follows = after(match, 6)
    if {"dont", "not", "never", "didnt"}.intersection(before(match, 3)):
        return "hold"
    said = [*match[0].split(), *follows[:4]]
    if not _NOT_ABOUT_US.isdisjoint(said + follows):
        return "hold"
    if {"list", "lists"}.intersection(said):
        return "opt_out"
    if follows and follows[0] in ("the", "that", "for", "on") and "database" not in follows:
        return "hold"
    return "opt_out"


def unsubscribing(match: re.Match[str]) -> Verdict | None:
    led, follows = before(match, 5), after(match, 4)
    others = {"customers", "users", "people", "they", "clients", "leads", "recipients", "subscribers", "contacts"}
    if {"dont", "not", "didnt", "never", "accidentally", "mistake", "accident"}.intersection(led + follows):
        return "hold"
    return "hold" if others.intersection(led + follows) else "opt_out"


def opting_out(match: re.Match[str]) -> Verdict | None:
    follows = after(match, 5)
    if {"not", "dont", "didnt", "never"}.intersection(before(match, 3)):
        return "hold"
    if follows[:1] == ["of"] and not re.search(
        rf"\b(?:{THINGS}|this|these|all|everything|list|it)\b", " ".join(follows)
    ):
        return "hold"
    return "opt_out"


def _asked_about(led: list[str]) -> bool:
    """ "did you stop …": what somebody did is asked, nothing is demanded."""
    return len(led) > 1 and led[-1] in ("you", "u", "yall") and led[-2] in ("did", "do", "didnt", "have", "havent")


def begging(match: re.Match[str]) -> Verdict | None:
    led = before(match, 4)
    if led and (led[-1] in _CANNOT or _THIRD.intersection(led) or _asked_about(led)):
        return None
    return "opt_out"


def not_asked(match: re.Match[str]) -> Verdict | None:
    return None if {"he", "she", "they"}.intersection(before(match, 3)) else "hold"
