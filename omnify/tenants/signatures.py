"""Who may sign what somebody else asked for: the rules of two-person approval (ASVS 5.0, 2.3.5). Pure.

A change that could reach many people, or loosen what protects them, is asked for by one person and signed by another. Where
only one member may sign at all, that one signs their own request after typing its phrase, and the ledger says "alone".
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

SIGNERS = ("owner", "manager")
# What is asked for, and the least role that may ask for it: the role that the change itself needs.
ASKED_BY: Mapping[str, tuple[str, ...]] = {
    "enrol": ("owner", "manager", "agent"),
    "consent": ("owner", "manager", "agent"),
    "limits": ("owner", "manager"),
    "hours": ("owner", "manager"),
    "settings": ("owner", "manager"),
}
EXPIRES_AFTER = timedelta(days=7)
# After somebody who could sign was removed or given a lower role, nobody signs alone for so long: else one would first take
# the others' roles away.
ALONE_AFTER = timedelta(days=1)
# Unsigned recipients: so many within the time, over all sequences of the workspace, or a signature is needed.
MOST_RECIPIENTS: tuple[tuple[int, timedelta], ...] = ((5_000, timedelta(hours=1)), (20_000, timedelta(hours=24)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that needs a signature.

    `change`: exactly what would be done; `state`: what it would be done to, as the asker sees it; both plain JSON.
    `lines`: (what, before, after) for people's eyes; `phrase`: what somebody who signs alone must type; `url`: its page.
    """

    kind: str
    title: str
    change: Mapping[str, Any]
    state: Mapping[str, Any]
    subject_type: str
    subject_id: int
    phrase: str
    url: str = ""
    lines: tuple[tuple[str, str, str], ...] = ()


class NeedsSignature(Exception):
    """Nothing was changed: this needs somebody else's signature first. `wanted` is what omnify.tenants.approvals.ask takes."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(f"This needs a second signature: {wanted.title}.")
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands. `asker_role`: their present role, "" when they have left or their key has ended."""

    kind: str
    decision: str
    expires_at: datetime
    asker_user: int | None
    asker_role: str
    phrase: str


@dataclass(frozen=True, slots=True)
class Signer:
    """Who wants to sign. `others`: further members who may; `lost_lately`: one of them was removed or lowered within
    ALONE_AFTER; `since_asked`: this one came, or rose, only after the request was made."""

    user: int
    role: str
    second_factor: bool
    others: int
    lost_lately: bool
    since_asked: bool
    typed: str = ""


def canonical(value: Any) -> str:
    """One spelling for equal JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def digest(*values: Any) -> str:
    """SHA-256 of the canonical spelling, hex."""
    return hashlib.sha256(canonical(list(values)).encode()).hexdigest()


def closed(request: Request, now: datetime) -> str:
    """Why nobody can decide this any more, or ""."""
    if request.decision:
        return "It was decided already."
    if request.expires_at <= now:
        return "It has expired. It can be asked for again."
    return ""


def is_alone(request: Request, signer: Signer) -> bool:
    """Whether this would be the asker's own signature, given because nobody else could give one."""
    return signer.user == request.asker_user and signer.others == 0


def why_not_sign(request: Request, signer: Signer, *, mfa: bool, now: datetime) -> str:
    """Why this person may not sign this request now, as a sentence; "" when they may. `mfa`: the house asks for second factors."""
    if problem := closed(request, now):
        return problem
    if signer.role not in SIGNERS:
        return "Only managers and owners may sign."
    if mfa and not signer.second_factor:
        return "Set up two-factor log-in first: without it nobody signs here."
    if request.asker_role not in ASKED_BY[request.kind]:
        return "Whoever asked for it may not do this any more. Somebody who may must ask again."
    if signer.user != request.asker_user:
        return "You could not sign when this was asked for. Have it asked for again." if signer.since_asked else ""
    if signer.others:
        return "You asked for this yourself: somebody else must sign it."
    if signer.lost_lately:
        return "Somebody who could sign was removed or given a lower role today. Sign alone tomorrow."
    if plain(signer.typed) != plain(request.phrase):
        return f"Type “{request.phrase}” to sign alone."
    return ""


def why_not_refuse(request: Request, signer: Signer, *, now: datetime) -> str:
    """Why this person may not turn the request down, or "". Saying no needs no second factor and no second person."""
    return closed(request, now) or ("" if signer.role in SIGNERS else "Only managers and owners may turn it down.")


def plain(text: str) -> str:
    """Letters and digits alone: "6,000" and "6000" are the same."""
    return "".join(each for each in text.casefold() if each.isalnum())


def ranges(ids: list[int]) -> list[list[int]]:
    """Numbers as [first, last] of each run, ascending: people imported together cost next to nothing to write down."""
    found: list[list[int]] = []
    for each in sorted(set(ids)):
        if found and found[-1][1] == each - 1:
            found[-1][1] = each
        else:
            found.append([each, each])
    return found


def numbers(runs: list[list[int]]) -> list[int]:
    """What `ranges` was made from."""
    return [each for first, last in runs for each in range(first, last + 1)]


def crowded(recent: Mapping[timedelta, int], more: int) -> bool:
    """Whether `more` recipients, with those who came in unsigned within each span before, are more than may come unsigned."""
    return more > 0 and any(recent.get(span, 0) + more > most for most, span in MOST_RECIPIENTS)
