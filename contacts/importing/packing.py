"""Cleaned people as the bytes that COPY reads, made a column at a time. Pure but for the random part of the public ids.

Python's share of an import is mostly here and in cleaning, so a column that says nothing in a whole chunk is left out (the
staging table's defaults say the same), and a column is looked through for signs that COPY reads otherwise as one text.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from contacts.importing.cleaning import Person
from omnify.lib.ids import public_ids

TEXTS = (
    "email", "phone", "first_name", "last_name", "title", "company", "alternative_email", "alternative_phone", "timezone",
    "address_line", "city", "state", "postal_code", "country", "language", "source",
)  # fmt: skip
NULL = "\\N"
# What COPY's text format does not take as it stands.
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class Packed:
    """`columns` of the staging table and the lines of COPY's text format that fill them; `emails` and `phones` as text[]
    literals: the addresses to look for among those who are known."""

    columns: tuple[str, ...]
    lines: bytes
    emails: str
    phones: str


def packed(people: Sequence[tuple[int, Person]]) -> Packed:
    """These (row number, person), ready to be staged."""
    if not people:
        return Packed(("row",), b"", "{}", "{}")
    columns = {
        "row": [str(row) for row, _ in people],
        "public_id": [each.hex() for each in public_ids(len(people))],
        **_texts([person.texts for _, person in people]),
        **_facts([person for _, person in people]),
    }
    lines = "\n".join(map("\t".join, zip(*columns.values(), strict=True))) + "\n"
    addresses = [array(list(filter(None, columns.get(name, ())))) for name in ("email", "phone")]
    return Packed(tuple(columns), lines.encode(), *addresses)


def _texts(people: list[dict[str, str]]) -> dict[str, list[str]]:
    used = set().union(*people)
    return {name: _escaped([texts.get(name, "") for texts in people]) for name in TEXTS if name in used}


def _facts(people: list[Person]) -> dict[str, list[str]]:
    """The columns that are no plain texts, without those that say nothing here."""
    found = {
        "phone_valid": [NULL if person.phone_valid is None else "ft"[person.phone_valid] for person in people],
        "zones": [_literal(person.zones) for person in people],
        "places": [_literal(person.places) for person in people],
        "zone_strength": [str(person.zone_strength) for person in people],
    }
    if any(person.lead_score is not None for person in people):
        found["lead_score"] = [NULL if person.lead_score is None else str(person.lead_score) for person in people]
    if any(person.tags for person in people):
        found["tags"] = _escaped([array(person.tags) for person in people])
    if any(person.custom for person in people):
        found["custom"] = _escaped([json.dumps(person.custom) if person.custom else "{}" for person in people])
    for name in ("agreed", "refused", "opted_out"):
        if any(getattr(person, name) for person in people):
            found[name] = [_literal(tuple(getattr(person, name))) for person in people]
    for name in ("declined_email", "agreed_where", "evidence"):
        if any(getattr(person, name) for person in people):
            found[name] = _escaped([getattr(person, name) for person in people])
    if any(person.agreed_at for person in people):
        found["agreed_at"] = [person.agreed_at.isoformat() if person.agreed_at else NULL for person in people]
    return found


def _escaped(cells: list[str]) -> list[str]:
    """As COPY's text format wants them."""
    whole = "".join(cells)
    if "\\" in whole or "\t" in whole or "\n" in whole or "\r" in whole:
        return [cell.translate(ESCAPES) for cell in cells]
    return cells


def array(items: Iterable[str]) -> str:
    """A text[] literal: quoting it here costs a tenth of handing psycopg a list."""
    return (
        "{" + ",".join('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items) + "}"
        if items
        else "{}"
    )


@lru_cache(maxsize=16_384)
def _literal(items: tuple[str, ...]) -> str:
    """The same for names of ours, which need no escapes and come again and again."""
    return array(items)
