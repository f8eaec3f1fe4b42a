"""Country, state, city and postal code -> the time zones such an address may lie in. Pure."""

from functools import cache
from importlib import resources

from contacts import states, zones

# Names people write that the ISO table spells otherwise.
_ALSO = {
    "usa": "US", "u.s.": "US", "u.s.a.": "US", "united states of america": "US", "america": "US", "uk": "GB", "u.k.": "GB",
    "united kingdom": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "deutschland": "DE", "österreich": "AT", "schweiz": "CH", "suisse": "CH", "españa": "ES", "italia": "IT", "france": "FR",
    "nederland": "NL", "the netherlands": "NL", "holland": "NL", "brasil": "BR", "méxico": "MX", "nippon": "JP", "日本": "JP",
    "south korea": "KR", "korea": "KR", "russia": "RU", "vietnam": "VN", "czech republic": "CZ", "czechia": "CZ", "turkey": "TR",
    "türkiye": "TR", "uae": "AE", "polska": "PL", "sverige": "SE", "norge": "NO", "danmark": "DK", "suomi": "FI",
}  # fmt: skip
_STATES = {
    "US": (states.US, states.US_NAMES, states.US_CITIES),
    "CA": (states.CANADA, states.CANADA_NAMES, states.CANADA_CITIES),
    "AU": (states.AUSTRALIA, states.AUSTRALIA_NAMES, states.AUSTRALIA_CITIES),
}


@cache
def names_of_countries() -> dict[str, str]:
    """ISO 3166-1 alpha-2 -> English name, from tzdata's table."""
    rows = resources.files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text("utf-8").splitlines()
    return dict(row.split("\t", 1) for row in rows if row and not row.startswith("#")) | {"GB": "United Kingdom"}


@cache
def _countries() -> dict[str, str]:
    return {name.lower(): code for code, name in names_of_countries().items()} | _ALSO


def country_code(text: str) -> str:
    """ISO 3166-1 alpha-2 of a country's code or name; "" when it is none."""
    folded = " ".join(text.split()).lower()
    if len(folded) == 2 and folded.upper() in _codes():
        return folded.upper()
    return _countries().get(folded, "")


@cache
def _codes() -> frozenset[str]:
    return frozenset(_countries().values())


def zones_of_address(country: str, state: str, city: str, postal_code: str) -> tuple[tuple[str, ...], bool]:
    """All zones the address may lie in, and whether it says more than a country of several zones. ((), False): nothing known."""
    code = country_code(country)
    if code:
        return _in_country(code, state, city, postal_code)
    if country.strip():
        return (), False
    for guess in ("US", "CA"):  # a state or ZIP without a country: North American lists leave it out
        found, precise = _in_country(guess, state, city, postal_code)
        if precise and state_of(guess, state, postal_code):
            return found, precise
    return (), False


def _in_country(code: str, state: str, city: str, postal_code: str) -> tuple[tuple[str, ...], bool]:
    if code in _STATES:
        table, _, cities = _STATES[code]
        if key := state_of(code, state, postal_code):
            by_city = cities.get(key, {}).get(" ".join(city.split()).lower())
            return by_city or table[key], bool(table[key])
        if code == "US":
            return states.US_ALL, False
    found = zones.of_country().get(code, ())
    return found, len(found) == 1


def state_of(code: str, state: str, postal_code: str) -> str:
    """The key of the state in its country's table: from its code or name, else from the postal code."""
    table, names, _ = _STATES[code]
    text = " ".join(state.split())
    if text.upper().replace(".", "") in table:
        return text.upper().replace(".", "")
    by_name = names.get(text.lower()) or names.get(text.lower().replace(" ", "_"))
    return by_name or ("" if text else _state_of_postal(code, postal_code))


def _state_of_postal(code: str, postal_code: str) -> str:
    digits = postal_code.strip().upper()
    if code == "CA":
        # A1A 1A1: letter, digit, letter.
        fits = len(digits) >= 3 and digits[0].isalpha() and digits[1].isdigit() and digits[2].isalpha()
        return states.CANADA_POSTAL.get(digits[0], "") if fits else ""
    if code != "US":
        return ""
    head = digits.split("-")[0]
    if not head.isdecimal() or not 3 <= len(head) <= 5:
        return ""
    prefix = int(head.zfill(5)[:3])  # spreadsheets eat the leading zeros of New England
    return next((state for low, high, state in states.ZIPS if low <= prefix <= high), "")
