"""What makes English words about lists and subscriptions nobody's revocation: another list, a mishap, a question."""

from __future__ import annotations

import re
from typing import Final

from intelligence.gate.rules import Verdict, after, before, clause
from intelligence.gate.vocabulary import THINGS

_NOT: Final = frozenset("dont not never didnt doesnt wont".split())
_NOT_ABOUT_US: Final = frozenset(
    "waitlist waitlisted waiting schedule appointment calendar guest reservation hold speaker speakerphone invoice "
    "order cart hook meeting lead leads project team group chat thread case account title deed insurance policy lease "
    "autopay class course cc bill quote".split()
)
_OURS: Final = re.compile(
    r"(?:texts?|txts?|messages?|msgs?|sms|e?mails?|mailings?|newsletters?|marketing|promos?|promotions?|alerts?|lists?|database|system|records?|files?|contacts?|crm|directory|campaigns?|texting|calling|calls|"
    r"everything|anything|here|it|this|there|subscriptions?|updates|program|rolodex|outreach|sequence|distribution)"
)
_POINTING: Final = frozenset("your ur yall ya this these all any every whatever".split())
_WORDS_BETWEEN: Final = frozenset("the that my our of a".split())
_OTHER_NUMBERS: Final = frozenset("old previous former other second wrong".split())
_REPLACED: Final = frozenset("use replace update new instead".split())
_MISHAP: Final = frozenset("mistake accident accidentally somehow".split())
_DONE: Final = frozenset("removed deleted erased".split())
_PAST: Final = (["was"], ["were"], ["got"], ["been"])
_SOMEBODY: Final = frozenset(
    "competitor competitors customers users people they clients leads recipients subscribers contacts our we".split()
)
_ABOUT_IT: Final = frozenset(
    "rate rates link links page button feature option options flow process header footer policy form reason reasons "
    "later anytime easy easily fee fees cost time by somehow accidentally mistake accident".split()
)


def off_the_list(match: re.Match[str]) -> Verdict | None:
    follows, said = after(match, 6), match[0].split()
    if _NOT.intersection(before(match, 3)) or _OTHER_NUMBERS.intersection(said) or _REPLACED.intersection(follows):
        return "hold"
    if _MISHAP.intersection(before(match, 3) + follows) or (said[0] in _DONE and before(match, 1)[:1] in _PAST):
        return "hold"
    near = [*said, *follows[:4]]
    if not _NOT_ABOUT_US.isdisjoint(near + follows):
        return "hold"
    if {"list", "lists"}.intersection(near):
        return "opt_out"
    if follows and follows[0] in ("the", "that", "for", "on") and "database" not in follows:
        return "hold"
    return "opt_out" if _from_us(clause(match, 6)) else "hold"


def _from_us(rest: list[str]) -> bool:
    """ "… from your texts", "… from everything"; not "… from the voicemail", "… from autopay"."""
    if rest[:1] not in (["from"], ["off"]):
        return rest[:1] != ["as"]
    rest = rest[1:]
    if not rest or not _POINTING.isdisjoint(rest[:3]):
        return True
    while rest and rest[0] in _WORDS_BETWEEN:
        rest = rest[1:]
    return any(_OURS.fullmatch(word) for word in rest[:4])


def taken_off(match: re.Match[str]) -> Verdict | None:
    """ "take me off", "take me off please", not "take me off autopay"."""
    rest = clause(match, 6)
    if rest and not (rest[0] in _POINTING or rest[0] in _AFTER_OFF or _OURS.fullmatch(rest[0])):
        return "hold"
    return off_the_list(match)


_AFTER_OFF: Final = frozenset(
    "of the that please pls plz now immediately asap today thanks thank thx and or i im ok right".split()
)


def to_be_removed(match: re.Match[str]) -> Verdict | None:
    """ "my number needs to be removed", not "my number was removed by mistake"."""
    past = {"was", "were", "been", "got", "wasnt", "accidentally", "already", "not", "never"}
    return "hold" if past.intersection(match[0].split() + before(match, 2)) else off_the_list(match)


def unsubscribing(match: re.Match[str]) -> Verdict | None:
    led, follows = before(match, 5), after(match, 4)
    if _NOT.intersection(led + follows) or _SOMEBODY.intersection(led + follows) or "if" in led:
        return "hold"
    if _ABOUT_IT.intersection(follows) or {"accidentally", "mistake", "easy"}.intersection(led):
        return "hold"
    if match[0].endswith("bed") and not led and follows and follows[0] not in ("please", "me", "from", "thanks", "now"):
        return "hold"  # "unsubscribed guests"
    if match[0].endswith("bed") and (
        led[-1:] in (["got"], ["was"], ["were"], ["been"], ["get"])
        or (led[-1:] == ["i"] and follows[:1] == ["from"] and _POINTING.isdisjoint(follows[1:2]))
    ):
        return "hold"
    return "opt_out"


def opting_out(match: re.Match[str]) -> Verdict | None:
    led, follows = before(match, 4), after(match, 5)
    if _NOT.intersection(led) or _SOMEBODY.intersection(led) or _ABOUT_IT.intersection(follows[:2]) or "if" in led:
        return "hold"
    ours = rf"\b(?:{THINGS}|this|these|all|everything|list|it)\b"
    if follows[:1] == ["of"] and not re.search(ours, " ".join(follows)):
        return "hold"
    return "opt_out"
