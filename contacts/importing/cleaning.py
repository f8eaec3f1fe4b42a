"""One raw row -> the values a contact gets, and what could not be taken. Pure: no database, no clock, no file."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from contacts import emails, phones
from contacts.addressing import country_code
from contacts.importing.answers import Answers, Said
from contacts.importing.fields import BY_KEY, label_of
from contacts.importing.mapping import Mapping, custom_name
from contacts.importing.words import is_nothing, moment
from contacts.places import place_of
from contacts.spreadsheets import plain

VALUE_LIMIT = 500  # characters of a value quoted in a problem
CUSTOM_LIMIT = 2000
TAG_LIMIT, TAGS_LIMIT = 60, 50
# Cells cleaned once and remembered, of a list: its cities, companies and sources come again and again, its names do not.
REMEMBERED = 20_000
LONGEST_REMEMBERED = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that was not taken, or taken changed. Fatal: nothing of its row can be taken."""

    column: str
    value: str
    message: str
    fatal: bool = False


@dataclass(slots=True)
class Person:
    """What one row says about a person, in the columns' own forms. Empty strings: the row does not say."""

    texts: dict[str, str]
    zones: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    zone_strength: int = 0
    phone_valid: bool | None = None
    lead_score: int | None = None
    tags: Sequence[str] = ()
    custom: dict[str, str] | None = None
    agreed: Sequence[str] = ()
    refused: Sequence[str] = ()
    opted_out: Sequence[str] = ()
    declined_email: str = ""  # the column and the words of a clear "no" to email
    agreed_at: datetime | None = None
    agreed_where: str = ""
    evidence: str = ""


# Plain text columns, with the characters they hold.
_TEXTS = {
    key: BY_KEY[key].limit
    for key in (
        "first_name",
        "last_name",
        "title",
        "company",
        "address_line",
        "city",
        "state",
        "postal_code",
        "language",
        "source",
    )
} | {"consent_source": 120}


class Cleaner:
    """Cleans rows under one mapping. `region` reads phones without a country code; `header` names columns in problems;
    `stated` are the channels everybody in the file agreed to, as the importer states it."""

    def __init__(
        self, mapping: Mapping, header: list[str], *, region: str = "US", stated: tuple[str, ...] = ()
    ) -> None:
        self.header, self.region = header, region
        self.columns = len(header)
        self.index = {target: index for index, target in mapping.items() if target and target in BY_KEY}
        self.custom = [(index, name) for index, target in mapping.items() if (name := custom_name(target))]
        self.plain = [(key, self.index[key], limit) for key, limit in _TEXTS.items() if key in self.index]
        self.mailboxes: list[str] = [key for key in ("email", "alternative_email") if key in self.index]
        self.phones: list[str] = [key for key in ("phone", "alternative_phone") if key in self.index]
        self.answers = Answers(self.index, stated)
        self.month_first = region in {"US", "PH", "PW"}
        self.known: dict[str, str] = {}

    def clean(self, cells: list[str]) -> tuple[Person | None, list[Problem]]:
        """The person of a row, or None when a problem is fatal; and every problem, with its column and value."""
        problems: list[Problem] = []
        row = cells
        if len(cells) > self.columns and any(cell.strip() for cell in cells[self.columns :]):
            message = f"The row has {len(cells)} cells, but there are {self.columns} columns: its values may be in the wrong places."
            return None, [Problem("", cells[self.columns][:VALUE_LIMIT], message, fatal=True)]
        if len(cells) < self.columns:
            row = cells + [""] * (self.columns - len(cells))
        texts = self._texts(row, problems)
        person = Person(texts)
        self._country(row, person, problems)
        self._addresses(row, person, problems)
        if "email" not in texts and "phone" not in texts:
            problems.append(Problem("", "", "There is no email and no phone that can be used."))
            return None, [Problem(each.column, each.value, each.message, fatal=True) for each in problems]
        self._place(row, person, problems)
        self._rest(row, person, problems)
        if self.answers.asked:
            self._permission(cells, row, person, problems)
        return person, problems

    def _cell(self, row: list[str], key: str) -> str:
        index = self.index.get(key)
        if index is None:
            return ""
        text = row[index].strip()
        return "" if not text or is_nothing(text) else text

    def _problem(self, key: str, value: str, message: str) -> Problem:
        index = self.index.get(key)
        return Problem(label_of(key) if index is None else self.header[index], value[:VALUE_LIMIT], message)

    def _texts(self, row: list[str], problems: list[Problem]) -> dict[str, str]:
        texts: dict[str, str] = {}
        known = self.known
        for key, index, limit in self.plain:
            text = known.get(cell := row[index])
            if text is None:
                text = self._tidy(cell)
            if text:
                if len(text) > limit:
                    problems.append(self._problem(key, text, f"Longer than {limit} characters: the rest is cut off."))
                    text = text[:limit]
                texts[key] = text
        if "full_name" in self.index and (full := " ".join(self._cell(row, "full_name").split())):
            first, last = split_name(full)
            texts.setdefault("first_name", first[:100])
            texts.setdefault("last_name", last[:100])
        return texts

    def _tidy(self, cell: str) -> str:
        """The text of a cell, "" where it says nothing."""
        text = plain(" ".join(cell.split()))
        if is_nothing(text):
            text = ""
        if len(self.known) < REMEMBERED and len(cell) <= LONGEST_REMEMBERED:
            self.known[cell] = text
        return text

    def _addresses(self, row: list[str], person: Person, problems: list[Problem]) -> None:
        for key in self.mailboxes:
            if raw := self._cell(row, key):
                self._email(key, raw, person, problems)
        for key in self.phones:
            if raw := self._cell(row, key):
                self._phone(key, raw, person, problems)
        if "alternative_email" not in person.texts and "alternative_phone" not in person.texts:
            return
        for key in ("email", "phone"):  # a list that fills only the second column
            if not person.texts.get(key) and (second := person.texts.pop(f"alternative_{key}", "")):
                person.texts[key] = second
            elif person.texts.get(f"alternative_{key}") == person.texts.get(key):
                person.texts.pop(f"alternative_{key}", None)

    def _email(self, key: str, raw: str, person: Person, problems: list[Problem]) -> None:
        first, others = raw, []
        if "," in raw or ";" in raw:
            first, *others = [part for part in raw.replace(";", ",").split(",") if part.strip()] or [raw]
        try:
            person.texts[key] = emails.normalise(first)
            if others and key == "email" and "alternative_email" not in self.index:
                person.texts["alternative_email"] = emails.normalise(others[0])
        except emails.NotAnEmail as error:
            problems.append(self._problem(key, raw, str(error)))

    def _phone(self, key: str, raw: str, person: Person, problems: list[Problem]) -> None:
        found = phones.normalise(raw, person.texts.get("country") or self.region)
        if isinstance(found, phones.NoPhone):
            problems.append(self._problem(key, raw, found.reason))
            return
        person.texts[key] = found.e164
        if key == "phone" and not found.valid:
            person.phone_valid = False
            message = "No numbering plan we know has this number: it is kept, and marked as doubtful."
            problems.append(self._problem(key, raw, message))

    def _country(self, row: list[str], person: Person, problems: list[Problem]) -> None:
        if "country" in self.index and (raw := self._cell(row, "country")):
            if code := _country_code(raw):
                person.texts["country"] = code
            else:
                problems.append(self._problem("country", raw, "This is no country we know by that name."))

    def _place(self, row: list[str], person: Person, problems: list[Problem]) -> None:
        texts = person.texts
        stated = self._cell(row, "timezone") if "timezone" in self.index else ""
        place = place_of(
            stated,
            texts.get("country", ""),
            texts.get("state", ""),
            texts.get("city", ""),
            texts.get("postal_code", ""),
            texts.get("phone", ""),
        )
        person.zones, person.places, person.zone_strength = place.zones, place.places, place.strength
        if stated and place.strength == 3:
            texts["timezone"] = place.zones[0]
        elif stated:
            problems.append(self._problem("timezone", stated, "This is no time zone we know by that name."))

    def _rest(self, row: list[str], person: Person, problems: list[Problem]) -> None:
        if "lead_score" in self.index and (raw := self._cell(row, "lead_score")):
            try:
                score = round(float(raw.replace(",", ".")))
                if not 0 <= score <= 100:
                    raise ValueError
                person.lead_score = score
            except (ValueError, OverflowError):
                problems.append(self._problem("lead_score", raw, "A lead score is a number from 0 to 100."))
        if "tags" in self.index and (raw := self._cell(row, "tags")):
            person.tags = tags_of(raw)
        if self.custom:
            person.custom = self._fields(row, problems)

    def _fields(self, row: list[str], problems: list[Problem]) -> dict[str, str]:
        found = {}
        for index, name in self.custom:
            if value := plain(row[index].strip()):
                if len(value) > CUSTOM_LIMIT:
                    message = f"Longer than {CUSTOM_LIMIT} characters: the rest is cut off."
                    problems.append(Problem(self.header[index], value[:VALUE_LIMIT], message))
                found[name] = value[:CUSTOM_LIMIT]
        return found

    def _permission(self, cells: list[str], row: list[str], person: Person, problems: list[Problem]) -> None:
        said: Said = self.answers.of(row, "email" in person.texts, "phone" in person.texts)
        for key, value, message in said.unclear:
            problems.append(self._problem(key, value, message))
        person.agreed, person.refused, person.opted_out = said.agreed, said.refused, said.opted_out
        if said.declined_email:
            person.declined_email = self.answers.quote(self.header, said.declined_email)
        if not said.agreed:
            return
        person.evidence = hashlib.sha256("\x1f".join(cells).encode("utf-8", "surrogatepass")).hexdigest()
        person.agreed_where = person.texts.pop("consent_source", "")
        if raw := self._cell(row, "consent_at"):
            try:
                person.agreed_at = moment(raw, month_first=self.month_first)
            except ValueError:
                message = "This is no date we can read: the day of the import is noted instead."
                problems.append(self._problem("consent_at", raw, message))


_country_code = lru_cache(maxsize=4_096)(country_code)


def split_name(full: str) -> tuple[str, str]:
    """First and last name: "Lee, Ann" and "Ann Lee" alike. One word alone is a first name."""
    if "," in full:
        last, _, first = (part.strip() for part in full.partition(","))
        return first, last
    first, _, last = full.partition(" ")
    return first, last


def tags_of(cell: str) -> list[str]:
    """The tags in a cell, parted by comma, semicolon or bar; each once, at most 50."""
    parts = (" ".join(part.split())[:TAG_LIMIT] for part in cell.replace(";", ",").replace("|", ",").split(","))
    return list(dict.fromkeys(part for part in parts if part))[:TAGS_LIMIT]
