"""What the people of a list agreed to, as the importer must say before anything is imported. Pure.

{"basis": "column" | "stated" | "none", "channels": {channel: kind}, "source": where they agreed, "text": the words they saw}
"""

from typing import Any

from contacts.importing.fields import CONSENT_FIELDS
from contacts.importing.mapping import Mapping

BASES = {
    "column": "The list says it for each person",
    "stated": "Everybody in it agreed",
    "none": "I do not know: note no consent",
}
# What may be claimed for a channel, the strongest first: the first is what a "yes" in a consent column means.
KINDS = {
    "sms": ("pewc_text", "prior_express", "inquiry"),
    "email": ("email_optin", "prior_express", "inquiry"),
    "voice": ("pewc_artificial_voice", "prior_express", "inquiry"),
}


def problems(consent: dict[str, Any], mapping: Mapping) -> list[str]:
    """What is missing in the statement, as sentences; [] when it can be used."""
    basis, channels = consent.get("basis"), consent.get("channels") or {}
    if basis not in BASES:
        return ["Say what these people agreed to: it decides who may be written to."]
    if basis == "none":
        return []
    found = []
    if basis == "column" and not _columns(mapping):
        found.append("No column is mapped to a consent: map one, or choose another answer.")
    if basis == "stated" and not channels:
        found.append("Say which channels everybody agreed to.")
    if any(kind not in KINDS.get(channel, ()) for channel, kind in channels.items()):
        found.append("That kind of consent does not exist for that channel.")
    if "consent_source" not in mapping.values() and not str(consent.get("source", "")).strip():
        found.append("Say where they agreed (a form, a contract, a call): it is kept as the evidence.")
    return found


def settled(consent: dict[str, Any], mapping: Mapping) -> dict[str, Any]:
    """The statement as a job keeps it: only the channels it is about, each with its kind."""
    basis = consent["basis"]
    channels = dict(consent.get("channels") or {}) if basis != "none" else {}
    if basis == "column":
        channels = {channel: channels.get(channel, KINDS[channel][0]) for channel in _columns(mapping)}
    source, text = (str(consent.get(name, "")).strip() for name in ("source", "text"))
    return {"basis": basis, "channels": channels, "source": source[:120], "text": text[:5000]}


def _columns(mapping: Mapping) -> list[str]:
    return [channel for channel, field in CONSENT_FIELDS.items() if field in mapping.values()]
