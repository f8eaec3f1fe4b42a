"""Which time zones and jurisdictions a person may be in: stated zone, then address, then area code. Pure.

Every candidate is kept and a message must be allowed in all of them: an area code is weak evidence (numbers move with
people), a state may lie in two zones, and a wrong guess texts somebody at six in the morning (47 CFR 64.1200(c)(1)).

A jurisdiction is a country (GB), or a state of one whose states differ (US-FL, CA-ON). "US" alone is the United States
without a known state, which binds to the strictest hours; a state from an address or an area code takes its place. A stated
zone adds a jurisdiction only where no candidate lies in that zone: somebody on Eastern time with a Californian number may
be in any eastern state, so they get "US" beside "US-CA".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberType
from phonenumbers.timezone import time_zones_for_geographical_number, time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from contacts.addressing import zones_of_address
from contacts.areacodes import places_of_area_code
from contacts.jurisdictions import narrowed, place_of_address, places_of_zones
from contacts.zones import alike, collapse, resolve

# Kinds of number that belong to no place.
_NOWHERE = frozenset(
    {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.VOIP,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """`zones`: all candidates, best evidence first, () when nothing is known. `evidence`: what each kind of evidence said,
    a tuple of ("stated" | "address" | "area code", zones). `places`: all candidate jurisdictions, () when nothing is known.
    `strength`: 3 a stated zone, 2 an address, 1 an area code alone, 0 nothing: what may replace what on a known contact."""

    zones: tuple[str, ...]
    evidence: tuple[tuple[str, tuple[str, ...]], ...] = ()
    places: tuple[str, ...] = ()
    strength: int = 0


_STRENGTH = {"stated": 3, "address": 2, "area code": 1}


def place_of(
    stated: str = "", country: str = "", state: str = "", city: str = "", postal_code: str = "", e164: str = ""
) -> Place:
    """All zones and jurisdictions these facts allow. A country with several zones says less than an area code inside it,
    and gives way to it."""
    by_phone, phoned = _of_phone(e164)
    # Where a state is written the postal code is not asked; without it people of one town share the answer.
    postal_code = "" if state.strip() else postal_code
    return _weighed(stated, country, state, city, postal_code, by_phone, phoned, e164.startswith("+1"))


@lru_cache(maxsize=16_384)
def _weighed(
    stated: str,
    country: str,
    state: str,
    city: str,
    postal_code: str,
    by_phone: tuple[str, ...],
    phoned: tuple[str, ...],
    by_area: bool,
) -> Place:
    by_statement = resolve(stated)
    by_address, precise = zones_of_address(country, state, city, postal_code)
    if not precise and by_phone and alike(by_phone, by_address):
        by_address = ()
    better = by_statement or by_address
    if not by_area and len(by_phone) > 1 and better and alike(better, by_phone):
        by_phone = ()  # a mobile number names its country and no more
    evidence = tuple(
        (kind, zones)
        for kind, zones in (("stated", by_statement), ("address", by_address), ("area code", by_phone))
        if zones
    )
    lived = narrowed(place_of_address(country, state, postal_code), phoned)
    places = (*lived, *places_of_zones(by_statement, lived))
    strength = max((_STRENGTH[kind] for kind, _ in evidence), default=0)
    return Place(_union(zones for _, zones in evidence), evidence, places, strength)


def zones_of_phone(e164: str) -> tuple[str, ...]:
    """The zones a number's area code or country covers; () for toll-free, personal and unreadable numbers."""
    return _of_phone(e164)[0]


def _of_phone(e164: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(zones, jurisdictions) that a number says."""
    if e164.startswith("+1") and len(e164) == 12:
        return _zones_of_area_code(e164[2:5]), places_of_area_code(e164[2:5])
    if not e164:
        return (), ()
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return (), ()
    kind = phonenumbers.number_type(number)
    if kind in _NOWHERE:
        return (), ()
    digits = str(number.national_number)
    places = _country_of(number.country_code or 0, digits[:6], len(digits))
    if kind == PhoneNumberType.UNKNOWN:
        # In no plan we know: its country is all that can be said.
        return collapse(TIMEZONE_DATA.get(str(number.country_code), ())), places
    mobile = kind == PhoneNumberType.MOBILE
    zones = time_zones_for_number(number) if mobile else time_zones_for_geographical_number(number)
    return collapse(zone for zone in zones if zone != "Etc/Unknown"), places


@lru_cache(maxsize=16_384)
def _country_of(code: int, beginning: str, length: int) -> tuple[str, ...]:
    """The country of a number: where several share a country code, its first digits decide (+44 7781: Guernsey)."""
    regions = [region for region in COUNTRY_CODE_TO_REGION_CODE.get(code, ()) if region.isalpha()]  # 001: of no country
    if len(regions) < 2:
        return tuple(regions)
    example = phonenumbers.PhoneNumber(code, int(beginning + "2" * (length - len(beginning))))
    return (phonenumbers.region_code_for_number(example) or regions[0],)


@lru_cache(maxsize=1024)
def _zones_of_area_code(area: str) -> tuple[str, ...]:
    """Every zone of any exchange in a North American area code: since numbers can be ported, an exchange says nothing more.

    Area codes of no place (800, 833, 5xx, 900 …) have no entry of their own in the data, so they give ().
    """
    return collapse(zone for key in _AREAS.get(area, ()) for zone in TIMEZONE_DATA[key])


def _area_keys() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for key in TIMEZONE_DATA:
        if key.startswith("1") and len(key) >= 4:
            found.setdefault(key[1:4], []).append(key)
    return {area: tuple(keys) for area, keys in found.items()}


_AREAS = _area_keys()


def _union(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(zone for group in groups for zone in group))
