"""Is it well? Every check with its limits, what it means in a sentence, and what to do about it. Pure.

One table of limits for /healthz, /metrics' alarms and the Operations page, so that they never disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

OK, DEGRADED, FAILED = "ok", "degraded", "failed"
_RANK = {OK: 0, DEGRADED: 1, FAILED: 2}

# Seconds from which a check is (degraded, failed).
LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "pulse": (15, 60),  # it beats every second and says so every five
    "facts": (30, 120),
    "clock": (1, 2),
    "ready": (120, 900),
    "unknown": (
        300,
        900,
    ),  # settled within five minutes while providers answer; after a quarter of an hour held for a person
    "events": (30, 300),
    "cluster": (15, 60),  # a canary every six seconds
    "pollers": (900, 3600),
    "ledger": (600, 3600),  # sealed once a minute
}
CHANNELS = ("sms", "email", "voice")
NOUNS = {"sms": "texts", "email": "email", "voice": "AI calls"}
CLUSTERS = {
    "default": "decides and takes in replies",
    "dispatch": "sends texts and email",
    "slow": "places calls, imports, computes",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at the database brought. `facts` are sequences.vitals', `drift` this machine's clock minus the database's,
    `seals` how far the ledger is sealed and shipped."""

    at: datetime
    beat_at: datetime | None
    measured_at: datetime | None
    facts: Mapping[str, Any]
    epoch: int
    switched_off: tuple[str, ...]
    drift: float
    seals: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. `value` is a number of seconds or of things, None where there is nothing to measure."""

    name: str
    state: str
    value: float | None
    sentence: str
    remedy: str = ""
    limits: tuple[float, float] | None = field(default=None)

    @property
    def well(self) -> bool:
        return self.state == OK


def worst(findings: list[Finding]) -> str:
    return max((each.state for each in findings), key=lambda state: _RANK[state], default=OK)


def judge(seen: Seen, *, send_epoch: int, sending: bool) -> list[Finding]:
    """All checks but the database's own, which answered. `send_epoch`, `sending`: what this process was configured with."""
    return [
        _pulse(seen),
        _facts(seen),
        _clock(seen),
        *(_cluster(seen, name) for name in CLUSTERS),
        _switches(seen, sending),
        _epoch(seen, send_epoch),
        _ready(seen, frozen=seen.epoch != send_epoch, sending=sending),
        _unknown(seen),
        _events(seen),
        _pollers(seen),
        _ledger(seen),
    ]


def database(answered: bool) -> Finding:
    if answered:
        return Finding("database", OK, 1, "The database answers.")
    return Finding(
        "database", FAILED, 0, "The database does not answer.", "Nothing is lost; everything waits. Start it again."
    )


def duration(seconds: float) -> str:
    """A length of time as people say it: "8 s", "4 min", "3 h", "2 days"."""
    for size, word in ((172_800, "days"), (5_400, "h"), (90, "min")):
        if seconds >= size:
            return f"{seconds / {'days': 86_400, 'h': 3_600, 'min': 60}[word]:.0f} {word}"
    return f"{seconds:.0f} s"


def age_of(seen: Seen, moment: Any) -> float | None:
    """Seconds since an ISO moment of the facts, as of now: the facts' own age is added. None for none."""
    if not moment or not seen.facts.get("at"):
        return None
    at_look = (datetime.fromisoformat(seen.facts["at"]) - datetime.fromisoformat(str(moment))).total_seconds()
    return max(0.0, at_look + (_since(seen, seen.measured_at) or 0.0))


def _since(seen: Seen, moment: datetime | None) -> float | None:
    return None if moment is None else max(0.0, (seen.at - moment).total_seconds())


def _state(name: str, seconds: float) -> str:
    degraded, failed = LIMITS[name]
    return FAILED if seconds >= failed else DEGRADED if seconds >= degraded else OK


def _pulse(seen: Seen) -> Finding:
    age = _since(seen, seen.beat_at)
    remedy = "Start `manage.py pulse`. Until then nothing is asked to run; nothing is lost."
    if age is None:
        return Finding("pulse", FAILED, None, "The pulse has never beaten here.", remedy, LIMITS["pulse"])
    state = _state("pulse", age)
    if state == OK:
        return Finding("pulse", OK, age, f"The pulse beats; it said so {duration(age)} ago.", "", LIMITS["pulse"])
    return Finding("pulse", state, age, f"The pulse was last alive {duration(age)} ago.", remedy, LIMITS["pulse"])


def _facts(seen: Seen) -> Finding:
    age = _since(seen, seen.measured_at)
    if age is None:
        sentence = "Nothing has been measured yet."
        return Finding("facts", DEGRADED, None, sentence, "The pulse measures every five seconds.", LIMITS["facts"])
    state = _state("facts", age)
    remedy = "The numbers below are old. Look for statements that run for long, or for a pulse that is away."
    return Finding(
        "facts", state, age, f"Measured {duration(age)} ago.", "" if state == OK else remedy, LIMITS["facts"]
    )


def _clock(seen: Seen) -> Finding:
    """The worse of two machines: this one, and the pulse's when it last looked."""
    off = max(abs(seen.drift), abs(float(seen.facts.get("drift") or 0)))
    state = _state("clock", off)
    if state == OK:
        return Finding("clock", OK, off, "Clocks agree with the database's.", "", LIMITS["clock"])
    remedy = "Repair the machine's time synchronisation. What decides and sends goes by the database's clock meanwhile."
    return Finding(
        "clock", state, off, f"A machine's clock is {off:.1f} s off the database's.", remedy, LIMITS["clock"]
    )


def _cluster(seen: Seen, name: str) -> Finding:
    check, does = f"cluster_{name}", CLUSTERS[name]
    canary = (seen.facts.get("clusters") or {}).get(name)
    remedy = f"Start `Q_CLUSTER_NAME={name} manage.py qcluster`, or look into its log."
    if not canary or not canary.get("asked"):
        sentence = f"The cluster “{name}” ({does}) has not been asked yet."
        return Finding(check, DEGRADED, None, sentence, remedy, LIMITS["cluster"])
    begun, asked = canary.get("begun"), canary["asked"]
    answered = begun and datetime.fromisoformat(begun) >= datetime.fromisoformat(asked)
    waits = 0.0 if answered else age_of(seen, asked) or 0.0
    state = _state("cluster", waits)
    if state == OK:
        return Finding(check, OK, waits, f"The cluster “{name}” takes tasks: it {does}.", "", LIMITS["cluster"])
    sentence = f"The cluster “{name}” ({does}) has taken no task for {duration(waits)}."
    return Finding(check, state, waits, sentence, remedy, LIMITS["cluster"])


def _switches(seen: Seen, sending: bool) -> Finding:
    off = seen.switched_off
    if not sending:
        sentence = "OMNIFY_SENDING is off for this process and those started with it."
        return Finding("switches", DEGRADED, 1, sentence, "Start them without it.")
    if not off:
        return Finding("switches", OK, 0, "No switch is off.")
    what = "Sending" if "all" in off else f"Sending of {' and '.join(NOUNS.get(key, key) for key in off)}"
    return Finding(
        "switches", DEGRADED, len(off), f"{what} is switched off for everybody.", "Turn it on again when you are ready."
    )


def _epoch(seen: Seen, send_epoch: int) -> Finding:
    if seen.epoch == send_epoch:
        return Finding("epoch", OK, 0, "The database is of the epoch that may send.")
    sentence = f"Sending is frozen: the database is of epoch {seen.epoch}, the configuration says {send_epoch}."
    return Finding("epoch", FAILED, 1, sentence, "A restored database sends nothing until `manage.py thaw` has run.")


def _ready(seen: Seen, *, frozen: bool, sending: bool) -> Finding:
    """The oldest message that should be on its way; what a switch holds back does not count as late."""
    off = set(CHANNELS) if frozen or not sending or "all" in seen.switched_off else set(seen.switched_off)
    channels = seen.facts.get("channels") or {}
    ages = {name: age_of(seen, (channels.get(name) or {}).get("oldest")) for name in CHANNELS if name not in off}
    late = {name: age for name, age in ages.items() if age is not None}
    if not late:
        return Finding("ready", OK, 0, "No message is late.", "", LIMITS["ready"])
    name, age = max(late.items(), key=lambda pair: pair[1])
    state = _state("ready", age)
    sentence = f"The longest wait of a message that is due is {duration(age)} ({NOUNS[name]})."
    remedy = "Is its cluster working? Are its senders' limits lower than what is asked of them?"
    return Finding("ready", state, age, sentence, "" if state == OK else remedy, LIMITS["ready"])


def _unknown(seen: Seen) -> Finding:
    count, age = int(seen.facts.get("unknown") or 0), age_of(seen, seen.facts.get("oldest_unknown"))
    if not count or age is None:
        return Finding("unknown", OK, 0, "The fate of every message is known.", "", LIMITS["unknown"])
    state = _state("unknown", age)
    sentence = f"{_things(count, 'message has', 'messages have')} an unknown fate, the oldest for {duration(age)}."
    remedy = "Do the providers answer? What cannot be settled in a quarter of an hour is held for a person."
    return Finding("unknown", state, age, sentence, "" if state == OK else remedy, LIMITS["unknown"])


def _events(seen: Seen) -> Finding:
    events = seen.facts.get("events") or {}
    age = age_of(seen, events.get("oldest"))
    if age is None:
        return Finding("events", OK, 0, "Everything that providers told has been taken up.", "", LIMITS["events"])
    state = _state("events", age)
    sentence = f"{_things(int(events.get('new') or 0), 'event waits', 'events wait')} to be applied, the oldest for {duration(age)}."
    remedy = "The cluster “default” applies them, what people said first."
    return Finding("events", state, age, sentence, "" if state == OK else remedy, LIMITS["events"])


def _pollers(seen: Seen) -> Finding:
    readers = seen.facts.get("pollers") or {}
    age, failing = age_of(seen, readers.get("asked")), int(readers.get("failing") or 0)
    if age is None:
        return Finding("pollers", OK, 0, "No provider's records are to be read again.", "", LIMITS["pollers"])
    state = max(_state("pollers", age), DEGRADED if failing else OK, key=lambda each: _RANK[each])
    sentence = f"Providers' records were all read again within {duration(age)}."
    if failing:
        sentence = f"{_things(failing, 'reading', 'readings')} of a provider's records failed at the last attempt."
    remedy = "Their page in the admin says why. What a webhook did not bring is found only by reading."
    return Finding("pollers", state, age, sentence, "" if state == OK else remedy, LIMITS["pollers"])


def _ledger(seen: Seen) -> Finding:
    """Is the ledger being sealed, and does the sink, where there is one, take what is shipped?"""
    sealed, shipped = _past(seen, seen.seals.get("sealed_at")), _past(seen, seen.seals.get("shipped_at"))
    if sealed is None:
        return Finding("ledger", OK, None, "Nothing of the ledger has been sealed yet.", "", LIMITS["ledger"])
    state, problem = _state("ledger", sealed), str(seen.seals.get("problem") or "")
    sentence = f"The ledger was sealed {duration(sealed)} ago"
    if problem:
        state, sentence = max(state, DEGRADED, key=lambda each: _RANK[each]), f"{sentence}; shipping fails: {problem}"
    elif shipped is not None:
        sentence += f"; seal {seen.seals.get('shipped')} was shipped {duration(shipped)} ago, as the last"
    remedy = "The cluster “slow” seals it once a minute. What is not sealed or shipped yet is not lost."
    return Finding("ledger", state, sealed, f"{sentence.rstrip('.')}.", "" if state == OK else remedy, LIMITS["ledger"])


def _past(seen: Seen, moment: Any) -> float | None:
    return None if not moment else _since(seen, datetime.fromisoformat(str(moment)))


def _things(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
