"""G4: two years of clock, people who may be anywhere, any window: nothing leaves, and nothing can arrive, outside the law.

The plan and the guards are the real ones; the judge is another reading of the law (omnify.promises.lawbook).
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from contacts.addressing import zones_of_address
from contacts.areacodes import places_of_area_code
from contacts.places import place_of
from omnify.promises.outcome import Outcome
from sequences.decisions import Send, Wait
from sequences.graph import Graph, build
from sequences.guards import WireFacts, judge, latest_arrival
from sequences.plan import PersonFacts, SequenceFacts, Standing, plan
from sequences.windows import EVERY_DAY, Window

SENDS = {"quick": 20_000, "full": 1_000_000}
START, LENGTH = datetime(2026, 11, 1, tzinfo=UTC), timedelta(days=731)
STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA "
    "RI SC SD TN TX UT VT VA WA WV WI WY"
).split()
# Ordinary ones, those whose numbers lie in several zones, and those of no place at all.
AREAS = (
    "212",
    "415",
    "305",
    "850",
    "423",
    "605",
    "701",
    "775",
    "208",
    "219",
    "270",
    "907",
    "808",
    "602",
    "800",
    "888",
    "833",
    "500",
)
COUNTRIES = ("GB", "DE", "CA")
EDGES = (time(8), time(9), time(10), time(11), time(12), time(13), time(17), time(18), time(19), time(20), time(21))
CONSENTS = frozenset({"pewc_text", "pewc_artificial_voice", "email_optin"})
CHANNELS = ("sms", "sms", "voice", "voice", "email")


@dataclass(frozen=True)
class Way:
    """One send: who, by which channel and window, when it left, and the last moment it may arrive."""

    zones: tuple[str, ...]
    places: tuple[str, ...]
    channel: str
    window: Window
    left: datetime
    latest: datetime


def prove_hours(scale: str, seed: int) -> Outcome:
    """Tried: sends. Failed: those that left, or could still arrive, outside the law's hours."""
    from omnify.promises.lawbook import outside_the_law

    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    channels: Counter[str] = Counter()
    wrong: list[str] = []
    ways = sends(chance)
    for _ in range(SENDS[scale]):
        way = next(ways)
        channels[way.channel] += 1
        sits = way.left + (way.latest - way.left) * chance.random()
        for moment in (way.left, sits, way.latest):
            problem = outside_the_law(moment, way.zones, way.places, way.channel)
            if problem:
                wrong.append(f"{way.channel} at {moment:%a %F %T} UTC to {way.zones} {way.places}: {problem}")
                break
    print(*wrong[:1000], sep="\n", flush=True)
    told = ", ".join(f"{number:,} {channel}" for channel, number in sorted(channels.items()))
    return Outcome(
        sum(channels.values()),
        len(wrong),
        f"sends over two years, {told}; {wrong[0] if wrong else 'judged when they left and might arrive'}",
    )


def sends(chance: random.Random) -> Iterator[Way]:
    """Sends without end: whoever may not be written to at all is left out."""
    while True:
        way = one(chance)
        if way is not None:
            yield way


def one(chance: random.Random) -> Way | None:
    """One person, one step: decided, put off as often as the plan and the guards want, and sent; None if it never was."""
    zones, places = somewhere(chance)
    channel, window = chance.choice(CHANNELS), a_window(chance)
    moment = decided_at(chance, zones, places, channel, window)
    if moment is None:
        return None
    expires = moment + timedelta(hours=chance.choice((4, 12, 72)))
    facts = wire_facts(channel, zones, places, window, expires)
    # A worker sleeps between the decision and the wire: for a moment, for minutes, for hours.
    moment += timedelta(seconds=chance.choice((0.0, 1.0, 90.0, 3600.0, 9 * 3600.0)) * chance.random())
    for _ in range(4):
        stop = judge(facts, moment)
        if stop is None:
            latest = latest_arrival(facts, moment)
            return Way(zones, places, channel, window, moment, max(latest, moment))
        if stop.not_before is None:
            return None
        moment = max(stop.not_before, moment) + late(chance)
    return None


def decided_at(
    chance: random.Random, zones: tuple[str, ...], places: tuple[str, ...], channel: str, window: Window
) -> datetime | None:
    person, sequence = person_facts(zones, places), sequence_facts(window)
    moment, standing = some_time(chance, zones), Standing("active", "", 1, 0, False, False)
    for _ in range(4):
        decision = plan(standing, person, sequence, GRAPHS[channel], moment).entries[-1].decision
        if isinstance(decision, Send):
            return moment
        if not isinstance(decision, Wait) or decision.until is None:
            return None
        moment = decision.until + late(chance)
    return None


def late(chance: random.Random) -> timedelta:
    return timedelta(seconds=chance.choice((0.0, 0.0, 2.0, 600.0)) * chance.random())


def some_time(chance: random.Random, zones: tuple[str, ...]) -> datetime:
    """Any moment, and more often one within two minutes of an hour at which a rule opens or closes on one of the clocks."""
    moment = START + LENGTH * chance.random()
    if not zones or chance.random() < 0.4:
        return moment
    from sequences.windows import zone

    place = zone(chance.choice(zones))
    edge = datetime.combine(moment.astimezone(place).date(), chance.choice(EDGES), tzinfo=place)
    return edge.astimezone(UTC) + timedelta(seconds=chance.uniform(-120, 120))


def somewhere(chance: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(zones, jurisdictions) somebody may be in, by what is known: an address, a number, both, a country, or nothing."""
    kind = chance.choice(("address", "number", "both", "both", "zone", "country", "nothing"))
    state, area = chance.choice(STATES), chance.choice(AREAS)
    number = f"+1{area}5550100"
    if kind == "address":
        return zones_of_address("US", state, "", "")[0], (f"US-{state}",)
    if kind == "number":
        return place_of(e164=number).zones, tuple(places_of_area_code(area))
    if kind == "both":
        both = place_of(country="US", state=state, e164=number)
        return both.zones, tuple(dict.fromkeys((f"US-{state}", *places_of_area_code(area))))
    if kind == "zone":
        return ("America/Chicago",), ()
    if kind == "country":
        country = chance.choice(COUNTRIES)
        return zones_of_address(country, "", "", "")[0], (country,)
    return (), ()


def a_window(chance: random.Random) -> Window:
    if chance.random() < 0.5:
        return Window(EVERY_DAY, time(8), time(21))
    start = chance.randrange(0, 20)
    days = frozenset(chance.sample(range(7), chance.randrange(1, 8)))
    return Window(days, time(start, chance.choice((0, 30))), time(chance.randrange(start + 1, 24), 59))


def person_facts(zones: tuple[str, ...], places: tuple[str, ...]) -> PersonFacts:
    return PersonFacts(
        deleted=False, email="pat@people.example", phone="+12125550100", email_valid=None, phone_valid=None, phone_type="",
        zones=zones, places=places, suppressed={}, consents=CONSENTS, variables=dict,
    )  # fmt: skip


def sequence_facts(window: Window) -> SequenceFacts:
    return SequenceFacts("active", window, "America/New_York", True, {"sms": 1, "voice": 2, "email": 3})


def wire_facts(
    channel: str, zones: tuple[str, ...], places: tuple[str, ...], window: Window, expires: datetime
) -> WireFacts:
    own: dict[str, Any] = {
        "days": sorted(window.days), "start": window.start.isoformat(), "end": window.end.isoformat(),
    }  # fmt: skip
    return WireFacts(
        channel=channel, purpose="marketing", expires_at=expires, sending_on=True, tenant_enabled=True, tenant_mode="live",
        tenant_zone="America/New_York", sequence_status="active", enrollment_status="active", enrollment_reason="",
        contact_deleted=False, zones=zones, places=places, window=own, suppressed=False, consents=CONSENTS,
        has_sender=True, sender_simulated=False, sender_paused_until=None, in_flight="",
    )  # fmt: skip


def _graph(channel: str) -> Graph:
    step = {
        "id": 1, "key": "one", "kind": channel, "name": "", "enabled": True, "subject": "Hello", "body": "Hello", "config": {},
    }  # fmt: skip
    return build(1, [step], [])


GRAPHS = {channel: _graph(channel) for channel in ("sms", "voice", "email")}
