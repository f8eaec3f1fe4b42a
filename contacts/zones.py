"""Names of time zones: old names resolved, the ways people write them understood, copies of one zone told apart from others. Pure.

The data is that of the pinned tzdata package (IANA time zone database, public domain), read once.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo, available_timezones

# What people and other systems write. Ambiguous ones keep every zone they may mean (MST: Denver, or Arizona all year).
_SPOKEN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("et", "est", "edt", "eastern", "eastern time", "us eastern"), ("America/New_York",)),
    **dict.fromkeys(("ct", "cst", "cdt", "central", "central time", "us central"), ("America/Chicago",)),
    **dict.fromkeys(("mt", "mst", "mountain", "mountain time", "us mountain"), ("America/Denver", "America/Phoenix")),
    "mdt": ("America/Denver",),
    **dict.fromkeys(("pt", "pst", "pdt", "pacific", "pacific time", "us pacific"), ("America/Los_Angeles",)),
    **dict.fromkeys(("akt", "akst", "akdt", "alaska", "alaska time"), ("America/Anchorage",)),
    **dict.fromkeys(("hst", "hawaii", "hawaii time", "hawaii-aleutian"), ("Pacific/Honolulu",)),
    **dict.fromkeys(("arizona", "us arizona"), ("America/Phoenix",)),
    **dict.fromkeys(("ast", "adt", "atlantic", "atlantic time"), ("America/Halifax", "America/Puerto_Rico")),
    **dict.fromkeys(("nst", "ndt", "newfoundland"), ("America/St_Johns",)),
    **dict.fromkeys(("bst", "uk", "uk time", "british summer time"), ("Europe/London",)),
    **dict.fromkeys(("cet", "cest", "central european time", "w. europe"), ("Europe/Berlin",)),
    **dict.fromkeys(("eet", "eest"), ("Europe/Athens",)),
    "jst": ("Asia/Tokyo",),
    **dict.fromkeys(("aest", "aedt"), ("Australia/Sydney", "Australia/Brisbane")),
    **dict.fromkeys(("acst", "acdt"), ("Australia/Adelaide", "Australia/Darwin")),
    "awst": ("Australia/Perth",),
    **dict.fromkeys(("nzst", "nzdt"), ("Pacific/Auckland",)),
    **dict.fromkeys(("utc", "gmt", "z", "zulu"), ("Etc/UTC",)),
}
_CLOCKS_FROM = datetime(2026, 1, 1, 12, tzinfo=UTC)
_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])\s*(\d{1,2})(?::?00)?")
_TAIL = re.compile(r"\s*(?:standard time|daylight time|time zone|timezone)$|\s*\(.*\)$")


@lru_cache(maxsize=4096)
def resolve(stated: str) -> tuple[str, ...]:
    """The zones that a stated name may mean; () when it names none.

    Names of places that exist stay as written (Europe/Copenhagen); renamed ones get their new name (US/Eastern, Asia/Calcutta).
    """
    text = " ".join(stated.replace("\x00", "").split())[:80]
    if not text:
        return ()
    folded = text.lower().replace(" ", "_")
    name = _by_folded_name().get(folded)
    if name is not None and folded not in _SPOKEN:
        return (name if name in _places() or name.startswith("Etc/") else links().get(name, name),)
    spoken = text.lower()
    while (shorter := _TAIL.sub("", spoken)) != spoken:
        spoken = shorter
    if spoken in _SPOKEN:
        return _SPOKEN[spoken]
    if match := _OFFSET.fullmatch(spoken):
        return _by_offset(match.group(1), int(match.group(2)))
    by_city = _by_city().get(spoken.replace(" ", "_"))
    return (by_city,) if by_city else ()


def _by_offset(sign: str, hours: int) -> tuple[str, ...]:
    """UTC-5 as Etc/GMT+5: POSIX counts the other way round."""
    name = "Etc/UTC" if hours == 0 else f"Etc/GMT{'-' if sign == '+' else '+'}{hours}"
    return (name,) if name in available_timezones() else ()


def collapse(zones: Iterable[str]) -> tuple[str, ...]:
    """The same zones without those whose clocks always agree with one already there (Europe/Jersey beside Europe/London)."""
    kept: dict[tuple[int, ...], str] = {}
    for zone in zones:
        known = kept.get(clock := _clock(zone))
        if known is None or (known in links() and zone not in links()):
            kept[clock] = zone
    return tuple(kept.values())


def alike(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether the clocks of `some` are all among those of `others`."""
    return {_clock(zone) for zone in some} <= {_clock(zone) for zone in others}


@cache
def _clock(zone: str) -> tuple[int, ...]:
    """Its offsets from UTC in minutes, week by week through two years: equal for zones that are one to everybody alive."""
    info = ZoneInfo(zone)
    offsets = (info.utcoffset(_CLOCKS_FROM + timedelta(weeks=week)) for week in range(105))
    return tuple(int(offset.total_seconds()) // 60 for offset in offsets if offset is not None)


@cache
def links() -> dict[str, str]:
    """Name -> the zone it is a link to, from tzdata's own table."""
    text = resources.files("tzdata.zoneinfo").joinpath("tzdata.zi").read_text("utf-8")
    rows = (line.split() for line in text.splitlines() if line.startswith("L "))
    direct = {name: target for _, target, name in rows}
    return {name: direct.get(target, target) for name, target in direct.items()}


@cache
def of_country() -> dict[str, tuple[str, ...]]:
    """ISO 3166-1 alpha-2 -> its zones, most populous first (zone.tab), those with the same clocks told once."""
    return {country: collapse(zones) for country, zones in _table("zone.tab").items()}


@cache
def all_of_country() -> dict[str, list[str]]:
    """ISO 3166-1 alpha-2 -> every zone zone.tab lists for it."""
    return _table("zone.tab")


@cache
def _places() -> frozenset[str]:
    return frozenset(zone for zones in all_of_country().values() for zone in zones)


def _table(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in resources.files("tzdata.zoneinfo").joinpath(name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            codes, _, zone = line.split("\t")[:3]
            for code in codes.split(","):
                found.setdefault(code, []).append(zone)
    return found


@cache
def _by_folded_name() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


@cache
def _by_city() -> dict[str, str]:
    """london -> Europe/London, for city names that name one zone only."""
    found: dict[str, set[str]] = {}
    for zone in _places():
        found.setdefault(zone.rsplit("/", 1)[-1].lower(), set()).add(zone)
    return {city: next(iter(zones)) for city, zones in found.items() if len(zones) == 1}
