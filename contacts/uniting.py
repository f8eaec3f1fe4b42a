"""What two contacts amount to as one: which value stays, and what it replaces. Pure.

The kept contact's word counts; what it does not say, the other's does. Where a wrong guess would do harm, the stricter of both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contacts.addresses import normalised

# One value each: the kept contact's, else the other's.
PLAIN = (
    "first_name", "last_name", "title", "company_id", "owner_id", "timezone", "address_line", "city", "state", "postal_code",
    "country", "language", "source", "lead_score", "sentiment_trend", "conversation_summary",
)  # fmt: skip
PHONES, MAILBOXES = ("phone", "alternative_phone"), ("email", "alternative_email")
# What the later of two conversations said last.
LATEST = ("last_interaction_summary", "last_call_summary", "last_sms_reply")
MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class United:
    """`values`: the columns of the one contact. `replaced`: the other's values that found no place in it, by column or field."""

    values: dict[str, Any]
    replaced: dict[str, Any]


def unite(keep: Mapping[str, Any], gone: Mapping[str, Any]) -> United:
    """Both contacts' columns as one. Neither is changed."""
    values: dict[str, Any] = {name: keep[name] if _said(keep[name]) else gone[name] for name in PLAIN}
    replaced = {name: gone[name] for name in PLAIN if _said(gone[name]) and gone[name] != values[name]}
    for names, checked in ((PHONES, "phone_valid"), (MAILBOXES, "email_valid")):
        known = _addresses(keep, gone, names)
        values |= dict(zip(names, [*known, "", ""][:2], strict=True))
        if known[2:]:
            replaced[f"{names[0]}s"] = known[2:]
        values[checked] = _valid(values[names[0]], names[0], checked, keep, gone)
    same = bool(keep["phone"]) and normalised(keep["phone"]) == normalised(values["phone"])
    values["phone_type"] = (keep if same else gone)["phone_type"]
    # A message must be allowed in every zone and place of the list: more of them is stricter.
    values["zones"] = _together(keep["zones"], gone["zones"])
    values["places"] = _together(keep["places"] or (), gone["places"] or ()) or keep["places"]
    values["tags"] = _together(keep["tags"], gone["tags"])[:MOST_TAGS]
    values["custom_fields"] = gone["custom_fields"] | keep["custom_fields"]
    lost = {name: value for name, value in gone["custom_fields"].items() if values["custom_fields"][name] != value}
    if lost:
        replaced["custom_fields"] = lost
    return United(values | _conversation(keep, gone), replaced)


def _conversation(keep: Mapping[str, Any], gone: Mapping[str, Any]) -> dict[str, Any]:
    both = (keep, gone)
    latest = max(both, key=lambda one: max(_times(one["last_inbound_at"], one["last_outbound_at"]), default=0))
    other = gone if latest is keep else keep
    return {
        "interaction_count": keep["interaction_count"] + gone["interaction_count"],
        "inbound_count": keep["inbound_count"] + gone["inbound_count"],
        "first_contacted_at": min(
            (one["first_contacted_at"] for one in both if one["first_contacted_at"]), default=None
        ),
        "last_inbound_at": max((one["last_inbound_at"] for one in both if one["last_inbound_at"]), default=None),
        "last_outbound_at": max((one["last_outbound_at"] for one in both if one["last_outbound_at"]), default=None),
        "created_at": min(keep["created_at"], gone["created_at"]),
    } | {name: latest[name] or other[name] for name in LATEST}


def _times(*moments: Any) -> list[float]:
    return [moment.timestamp() for moment in moments if moment]


def _said(value: Any) -> bool:
    return value is not None and value != ""


def _addresses(keep: Mapping[str, Any], gone: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Every address once, the kept contact's first, however it is written."""
    names = list(names)
    found: dict[str, str] = {}
    for each in [one[name] for one in (keep, gone) for name in names]:
        if each:
            found.setdefault(normalised(each), each)
    return list(found.values())


def _valid(address: str, name: str, checked: str, keep: Mapping[str, Any], gone: Mapping[str, Any]) -> bool | None:
    """Whether the address takes anything: a "no" of either counts, for this very address."""
    known = [one[checked] for one in (keep, gone) if one[name] and normalised(one[name]) == normalised(address)]
    return False if False in known else next((each for each in known if each is not None), None)


def _together(first: Iterable[str], second: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))
