"""How it went. The judge is the simulator's ledger, what people received and said; our own tables only say what we admit. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# States in which a message was never on anybody's handset, and says so.
UNSENT = ("ready", "deferred", "claimed", "sending", "unknown", "expired", "suppressed", "cancelled", "rejected")
# Answers that a provider lists, so that each of them must be heard, whatever became of its webhook. Nobody lists the mail that
# came in by SMTP: of that, what a webhook took.
LISTED = ("sms",)
ON_ITS_WAY = ("accepted", "sent", "delivered", "undelivered")

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Ours:
    """What our tables say: each message (mark, state, reason, channel, attempt, purpose, person), each enrolled person (person,
    phone, email, status, reason), the provider ids of what we heard, the keys of parked events, how many notifications."""

    messages: Sequence[Record]
    people: Sequence[Record]
    heard: Collection[str]
    parked: Collection[str]
    notified: int


@dataclass(frozen=True)
class Theirs:
    """What the simulator says: what people received, what they said, the ids of the sayings that we took with a 2xx, and the
    kinds of which a list can be read again, so that all of them count."""

    received: Sequence[Record]
    said: Sequence[Record]
    taken: Collection[str]
    listed: Collection[str] = ()


@dataclass(frozen=True)
class Verdict:
    """duplicates, lost, unsettled, deaf, stuck and after_stop must be empty; what is held was shown to a person.

    `in_a_request`: of the crew's dead, those that were killed while a request of theirs was under way. `unknowns`: messages of
    which nobody knew for a while whether they had left; `unknown`: those of them that are so still.
    """

    seed: int
    kills: Mapping[str, int]
    restarts: int
    zombies: Mapping[str, int]
    jumps: int
    messages: int
    received: int
    duplicates: tuple[str, ...]
    lost: tuple[str, ...]
    held: int
    notified: int
    unsettled: tuple[str, ...]
    unknown: int
    resent: int
    found: int
    said: int
    taken: int
    deaf: tuple[str, ...]
    stuck: tuple[str, ...]
    withheld: Mapping[str, int]
    claims: int
    after_stop: tuple[str, ...]
    seconds: float
    in_a_request: int = 0
    unknowns: int = 0

    @property
    def failures(self) -> list[str]:
        """One line a broken promise; empty when all were kept."""
        found = [
            f"{len(marks)} {what}: {', '.join(marks[:10])}"
            for what, marks in (
                ("received twice or by nobody's order", self.duplicates),
                ("lost", self.lost),
                ("not settled", self.unsettled),
                ("said and never heard", self.deaf),
                ("people whose sequence stands still without a word", self.stuck),
                ("claimed after the STOP was stored", self.after_stop),
            )
            if marks
        ]
        if self.held > self.notified:
            found.append(f"{self.held} held, but only {self.notified} notifications")
        if not self.received:
            found.append("nobody received anything: nothing was tested")
        return found

    def table(self) -> str:
        rows: list[tuple[str, object]] = [("seed", self.seed), ("killed with -9", sum(self.kills.values()))]
        rows += [(f"    {role}", number) for role, number in sorted(self.kills.items())]
        rows += sorted(self.zombies.items())
        rows += [
            ("workers killed inside a request", self.in_a_request),
            ("PostgreSQL crashed", self.restarts),
            ("clocks set wrong", self.jumps),
            ("messages", self.messages),
            ("received by people", self.received),
            ("received twice", len(self.duplicates)),
            ("lost", len(self.lost)),
            ("unknown for a while", self.unknowns),
            ("unknown at the end", self.unknown),
            ("unknown, found at the provider", self.found),
            ("proven absent, sent once more", self.resent),
            ("held for a person, with a notification", self.held),
            ("not settled", len(self.unsettled)),
            *((f"not sent, and says why: {why}", number) for why, number in sorted(self.withheld.items())),
            ("people answered", self.said),
            ("    taken with a 2xx", self.taken),
            ("    not in the conversation, and should be", len(self.deaf)),
            ("people standing still without a word", len(self.stuck)),
            ("marketing claims", self.claims),
            ("    after the person's STOP was stored", len(self.after_stop)),
            ("seconds", round(self.seconds)),
        ]
        return "\n".join(f"{name:<58} {value!s:>8}" for name, value in rows)


def judge(ours: Ours, theirs: Theirs, steps: int, **known: Any) -> Verdict:
    """Holds the two accounts against each other. `steps`: messages a person gets who lets it go on; `known`: the rest of Verdict."""
    marks = Counter(record["mark"] for record in theirs.received if not record.get("automatic"))
    by_mark = {message["mark"]: message for message in ours.messages}
    spoke = {record["from"] for record in theirs.said} | {
        record["to"] for record in theirs.received if record["kind"] == "call"
    }
    return Verdict(
        messages=len(by_mark),
        received=len(marks),
        duplicates=tuple(mark for mark, count in marks.items() if count > 1 or mark not in by_mark),
        lost=tuple(lost(ours, marks, spoke)),
        held=sum(message["state"] == "held" for message in ours.messages),
        notified=ours.notified,
        unknown=sum(message["state"] == "unknown" for message in ours.messages),
        resent=sum(message["attempt"] > 1 for message in ours.messages),
        found=sum(message["reason"] == "found_at_provider" for message in ours.messages),
        said=len(theirs.said),
        taken=len(theirs.taken),
        deaf=tuple(deaf(ours, theirs)),
        stuck=tuple(stuck(ours, spoke, steps)),
        withheld=Counter(f"{m['state']} {m['reason']}".strip() for m in ours.messages if m["state"] in UNSENT),
        **known,
    )


def lost(ours: Ours, marks: Collection[str], spoke: Collection[str]) -> list[str]:
    """Messages that we take for sent and nobody received, and those withheld from people who never said a word."""
    silent = {p["person"] for p in ours.people if not {p["phone"], p["email"]} & set(spoke)}
    found = []
    for message in ours.messages:
        if message["mark"] in marks:
            continue
        if message["state"] in ON_ITS_WAY or (message["state"] != "held" and message["person"] in silent):
            fate = (message["channel"], message["state"], message["reason"])
            found.append(f"{message['mark']} ({' '.join(filter(None, fate))})")
    return found


def deaf(ours: Ours, theirs: Theirs) -> list[str]:
    """What people said and we took, or could have read from a list, and what is neither in a conversation nor set aside in sight."""
    heard = set(ours.heard)
    return [
        record["provider_id"]
        for record in theirs.said
        if (record["provider_id"] in theirs.taken or record.get("kind") in theirs.listed)
        and record["provider_id"] not in heard
        and not any(record["provider_id"] in key for key in ours.parked)
    ]


def stuck(ours: Ours, spoke: Collection[str], steps: int) -> list[str]:
    """People whose sequence neither went to its end nor was stopped, with a reason, by something they said."""
    touches = Counter(message["person"] for message in ours.messages if message["purpose"] == "marketing")
    found = []
    for person in ours.people:
        went = person["status"] == "completed" and touches[person["person"]] == steps
        answered = bool({person["phone"], person["email"]} & set(spoke))
        stopped = person["status"] in ("paused", "exited") and bool(person["reason"]) and answered
        if not (went or stopped):
            found.append(f"{person['phone']} {person['status']} {person['reason']} {touches[person['person']]}/{steps}")
    return found
