"""Jurisdictions, rules and objections in people's words. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from contacts.addressing import names_of_countries
from contacts.states import AUSTRALIA_NAMES, CANADA_NAMES, US_NAMES
from sequences.law.book import BY_ID, NO_RULE
from sequences.law.rows import CapRow, ClosedRow, ConsentRow, HolidayRow, HoursRow, Row, Span

NEEDED: Final = {
    "pewc_text": "written consent to marketing texts",
    "pewc_artificial_voice": "written consent to calls by an artificial voice",
    "email_optin": "an email opt-in",
    "prior_express": "prior express consent",
}
_SMALL = {"of", "and"}
_SPECIAL = {
    "unknown": "A place nobody knows",
    "US-unknown": "United States, state unknown",
    "US-DC": "District of Columbia",
    "US-VI": "U.S. Virgin Islands",
}


@lru_cache(maxsize=512)
def jurisdiction_name(code: str) -> str:
    """Pennsylvania for US-PA, Ontario for CA-ON, Germany for DE; the code itself where nobody named it."""
    if code in _SPECIAL:
        return _SPECIAL[code]
    country, _, part = code.partition("-")
    if not part:
        return names_of_countries().get(country, code)
    table = {"US": US_NAMES, "CA": CANADA_NAMES, "AU": AUSTRALIA_NAMES}.get(country, {})
    name = next((name for name, short in table.items() if short == part), "")
    words = name.replace("_", " ").split()
    return " ".join(word if word in _SMALL else word.capitalize() for word in words) or code


def rule_in_words(rule: str) -> str:
    """ "Pennsylvania (US-PA-hours: 73 Pa. Stat. § 2241 …)"; for a country without rows, that there is none."""
    if rule.startswith(NO_RULE):
        return f"{jurisdiction_name(rule.removeprefix(NO_RULE))} has no rules in the book yet ({rule})"
    row = BY_ID.get(rule)
    return rule if row is None else f"{jurisdiction_name(row.jurisdiction)} ({row.id}: {row.citation})"


def objection_in_words(why: Mapping[str, Any]) -> str:
    """A receipt's objection {"rule", "zone", "local", "hours"}: "it was Sun 10:00 in New York, and Texas (…) allows 12:00–21:00"."""
    rule, spell = str(why.get("rule") or ""), str(why.get("hours") or "")
    who = "the sequence" if rule == "window" else rule_in_words(rule)
    city = str(why.get("zone") or "").rsplit("/", 1)[-1].replace("_", " ")
    return f"it was {why.get('local')} in {city}, and {who} allows {spell or 'nothing that day'}"


def closed_in_words(rule: str, what: str) -> str:
    """Why a channel is shut at any hour; `what` is texts, email or calls."""
    row = BY_ID.get(rule)
    return f"no {what} of this kind in {rule_in_words(rule)}" if row else rule_in_words(rule)


def row_in_words(row: Row) -> list[tuple[str, str]]:
    """What a row says, as (name, value) pairs: ("Mon–Fri", "08:00–21:00")."""
    if isinstance(row, HoursRow):
        days = [("Mon–Fri", row.weekday), ("Saturday", row.saturday), ("Sunday", row.sunday)]
        holiday = _hours_in_words(row.holiday) if row.holidays else "as on other days"
        clock = [("Clock", row.zone)] if row.zone else []
        return [(name, _hours_in_words(span)) for name, span in days] + [("Holidays", holiday), *clock]
    if isinstance(row, CapRow):
        return [("At most", f"{row.count} in {row.per.total_seconds() / 3600:g} hours, texts and calls together")]
    if isinstance(row, ConsentRow):
        needed = " or ".join(NEEDED.get(kind, kind) for kind in sorted(row.needed)) or "nobody who opted out"
        return [("Needs", needed + (", and a postal address" if row.postal_address else ""))]
    if isinstance(row, HolidayRow):
        return [("Holidays", ", ".join(name for name, _ in row.days))]
    return [("Closed", "not allowed at any hour")] if isinstance(row, ClosedRow) else []


def _hours_in_words(span: Span | None) -> str:
    return f"{span[0]:%H:%M}–{span[1]:%H:%M}" if span else "none"
