"""One raw row -> the values a contact gets, and what could not be taken. Pure: no database, no clock, no file."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime

from contacts import emails, phones
from contacts.addressing import country_code
from contacts.importing.fields import BY_KEY, CONSENT_FIELDS, label_of
from contacts.importing.mapping import Mapping, custom_name
from contacts.importing.words import is_no, is_nothing, moment, yes_or_no
from contacts.places import place_of
from contacts.spreadsheets import plain

QUOTE_LIMIT = 300  # characters of the words a suppression rests on
VALUE_LIMIT = 500  # characters of a value quoted in a problem
CUSTOM_LIMIT = 2000
TAG_LIMIT, TAGS_LIMIT = 60, 50
CHANNELS = ("sms", "email", "voice")


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
    tags: list[str] = field(default_factory=list)
    custom: dict[str, str] = field(default_factory=dict)
    agreed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    opted_out: list[str] = field(default_factory=list)
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
        self.header, self.region, self.stated = header, region, stated
        self.columns = len(header)
        self.index = {target: index for index, target in mapping.items() if target and target in BY_KEY}
        self.custom = [(index, name) for index, target in mapping.items() if (name := custom_name(target))]
        self.plain = [(key, self.index[key], limit) for key, limit in _TEXTS.items() if key in self.index]
        self.judged = [
            key
            for key in self.index
            if key.startswith(("consent_", "opt_out")) and key not in ("consent_at", "consent_source")
        ]
        self.month_first = region in {"US", "PH", "PW"}

    def clean(self, cells: list[str]) -> tuple[Person | None, list[Problem]]:
        """The person of a row, or None when a problem is fatal; and every problem, with its column and value."""
        problems: list[Problem] = []
        if len(cells) > self.columns and any(cell.strip() for cell in cells[self.columns :]):
            message = f"The row has {len(cells)} cells, but there are {self.columns} columns: its values may be in the wrong places."
            return None, [Problem("", cells[self.columns][:VALUE_LIMIT], message, fatal=True)]
        texts = self._texts(cells, problems)
        person = Person(texts)
        self._country(cells, person, problems)
        self._addresses(cells, person, problems)
        if not texts.get("email") and not texts.get("phone"):
            problems.append(Problem("", "", "There is no email and no phone that can be used."))
            return None, [replace(problem, fatal=True) for problem in problems]
        self._place(cells, person, problems)
        self._rest(cells, person, problems)
        if self.judged or self.stated:
            self._permission(cells, person, problems)
        return person, problems

    def _cell(self, cells: list[str], key: str) -> str:
        index = self.index.get(key)
        if index is None or index >= len(cells):
            return ""
        text = cells[index].strip()
        return "" if not text or is_nothing(text) else text

    def _problem(self, key: str, value: str, message: str) -> Problem:
        index = self.index.get(key)
        return Problem(label_of(key) if index is None else self.header[index], value[:VALUE_LIMIT], message)

    def _texts(self, cells: list[str], problems: list[Problem]) -> dict[str, str]:
        texts: dict[str, str] = {}
        for key, index, limit in self.plain:
            if index >= len(cells) or not (text := plain(" ".join(cells[index].split()))) or is_nothing(text):
                continue
            if len(text) > limit:
                problems.append(self._problem(key, text, f"Longer than {limit} characters: the rest is cut off."))
                text = text[:limit]
            texts[key] = text
        if full := " ".join(self._cell(cells, "full_name").split()):
            first, last = split_name(full)
            texts.setdefault("first_name", first[:100])
            texts.setdefault("last_name", last[:100])
        return texts

    def _addresses(self, cells: list[str], person: Person, problems: list[Problem]) -> None:
        for key in ("email", "alternative_email"):
            if raw := self._cell(cells, key):
                self._email(key, raw, person, problems)
        for key in ("phone", "alternative_phone"):
            if raw := self._cell(cells, key):
                self._phone(key, raw, person, problems)
        for key in ("email", "phone"):  # a list that fills only the second column
            if not person.texts.get(key) and (second := person.texts.pop(f"alternative_{key}", "")):
                person.texts[key] = second
            elif person.texts.get(f"alternative_{key}") == person.texts.get(key):
                person.texts.pop(f"alternative_{key}", None)

    def _email(self, key: str, raw: str, person: Person, problems: list[Problem]) -> None:
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

    def _country(self, cells: list[str], person: Person, problems: list[Problem]) -> None:
        if raw := self._cell(cells, "country"):
            if code := country_code(raw):
                person.texts["country"] = code
            else:
                problems.append(self._problem("country", raw, "This is no country we know by that name."))

    def _place(self, cells: list[str], person: Person, problems: list[Problem]) -> None:
        texts = person.texts
        stated = self._cell(cells, "timezone")
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

    def _rest(self, cells: list[str], person: Person, problems: list[Problem]) -> None:
        if raw := self._cell(cells, "lead_score"):
            try:
                score = round(float(raw.replace(",", ".")))
                if not 0 <= score <= 100:
                    raise ValueError
                person.lead_score = score
            except (ValueError, OverflowError):
                problems.append(self._problem("lead_score", raw, "A lead score is a number from 0 to 100."))
        if raw := self._cell(cells, "tags"):
            person.tags = tags_of(raw)
        for index, name in self.custom:
            if index < len(cells) and (value := plain(cells[index].strip())):
                if len(value) > CUSTOM_LIMIT:
                    message = f"Longer than {CUSTOM_LIMIT} characters: the rest is cut off."
                    problems.append(Problem(self.header[index], value[:VALUE_LIMIT], message))
                person.custom[name] = value[:CUSTOM_LIMIT]

    def _permission(self, cells: list[str], person: Person, problems: list[Problem]) -> None:
        said = {key: self._yes_or_no(cells, key, problems) for key in self.judged}
        for channel in CHANNELS:
            column = said.get(CONSENT_FIELDS[channel])
            out = said.get("opt_out") or said.get(f"opt_out_{channel}")
            if out:
                person.opted_out.append(channel)
            if out or column is False:
                person.refused.append(channel)
            elif (column or (column is None and channel in self.stated)) and self._address_for(person, channel):
                person.agreed.append(channel)
        if said.get("consent_email") is False and "email" not in person.opted_out:
            person.declined_email = self._clear_no(cells)
        if not person.agreed:
            return
        person.evidence = hashlib.sha256("\x1f".join(cells).encode("utf-8", "surrogatepass")).hexdigest()
        person.agreed_where = person.texts.pop("consent_source", "")
        if raw := self._cell(cells, "consent_at"):
            try:
                person.agreed_at = moment(raw, month_first=self.month_first)
            except ValueError:
                message = "This is no date we can read: the day of the import is noted instead."
                problems.append(self._problem("consent_at", raw, message))

    def _yes_or_no(self, cells: list[str], key: str, problems: list[Problem]) -> bool | None:
        raw = self._cell(cells, key)
        try:
            return yes_or_no(raw)
        except ValueError:
            # The careful reading of an unclear cell: no consent, and no opt-out to be lifted by nobody.
            side = "an opt-out" if key.startswith("opt_out") else "no consent"
            problems.append(self._problem(key, raw, f"This is neither yes nor no: it counts as {side}."))
            return key.startswith("opt_out")

    def _clear_no(self, cells: list[str]) -> str:
        """What a "no" in the e-mail consent column rests on; "" where the cell is only unclear, which forbids nothing."""
        raw = self._cell(cells, "consent_email")
        return f"{self.header[self.index['consent_email']]}: {raw}"[:QUOTE_LIMIT] if is_no(raw) else ""

    def _address_for(self, person: Person, channel: str) -> str:
        return person.texts.get("email" if channel == "email" else "phone", "")


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
