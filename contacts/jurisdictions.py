"""Addresses and stated zones -> the jurisdictions whose law may hold (US-FL, CA-ON, GB). Pure."""

from functools import cache, lru_cache

from contacts import states, zones
from contacts.addressing import country_code, state_of, zones_of_address

# Territories that are countries of their own in ISO 3166 and states in the law of the United States.
_TERRITORIES = frozenset({"PR", "GU", "VI", "MP", "AS"})
_BY_STATE = ("US", "CA", "AU")
_NO_STATE = frozenset({"AA", "AE", "AP"})  # armed forces abroad: American, and no place


@lru_cache(maxsize=65_536)
def place_of_address(country: str, state: str, postal_code: str) -> tuple[str, ...]:
    """The jurisdiction of an address: its state where the country's states differ and one is known, else its country."""
    code = country_code(country)
    if code in _TERRITORIES:
        return (f"US-{code}",)
    if not code:
        if country.strip():
            return ()
        # A state or ZIP without a country: North American lists leave it out.
        code = next((guess for guess in ("US", "CA") if _precise(guess, state, postal_code)), "")
        return (f"{code}-{state_of(code, state, postal_code)}",) if code else ()
    if code in _BY_STATE and (key := state_of(code, state, postal_code)) and key not in _NO_STATE:
        return (f"{code}-{key}",)
    return (code,)


def places_of_zones(stated: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """What a stated zone adds to the jurisdictions already known: nothing where one of them keeps that clock, else the
    zone's country (its state, where the whole zone lies in one)."""
    if not stated or any(zones.alike((zone,), clocks_of(place)) for place in known for zone in stated):
        return ()
    countries = _of_zone()
    found = [countries.get(zone) or countries.get(zones.links().get(zone, ""), "") for zone in stated]
    return tuple(dict.fromkeys(place for place in found if place))


def narrowed(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Both together, a country without its state left out where a state of it is among them."""
    both = dict.fromkeys((*some, *others))
    return tuple(place for place in both if not any(other.startswith(f"{place}-") for other in both))


@cache
def clocks_of(place: str) -> tuple[str, ...]:
    """The zones of a jurisdiction."""
    country, _, state = place.partition("-")
    return zones_of_address(country, state, "", "")[0] if state else zones.of_country().get(country, ())


def _precise(code: str, state: str, postal_code: str) -> bool:
    key = state_of(code, state, postal_code)
    return bool(key) and key not in _NO_STATE


@cache
def _of_zone() -> dict[str, str]:
    """America/Phoenix -> US-AZ, America/New_York -> US, Europe/London -> GB: the country of each zone, or the one state it
    lies in."""
    found = {zone: country for country, names in zones.all_of_country().items() for zone in names}
    for zone, country in found.items():
        if country in _TERRITORIES:
            found[zone] = f"US-{country}"
        elif country == "US":
            within = [state for state, clocks in states.US.items() if zone in clocks]
            found[zone] = f"US-{within[0]}" if len(within) == 1 else "US"
    return found
