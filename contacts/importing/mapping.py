"""Which column becomes which field: guessed from names and sample values, checked before use. Pure."""

import re
import unicodedata

from contacts.importing.fields import BY_KEY, CUSTOM, CUSTOM_NAME_LIMIT, FIELDS

Mapping = dict[int, str]  # column index -> a field's key, "custom:<name>", or "" for left out

_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,]+")
_PHONE = re.compile(r"\+?[\d ().\-/]{10,20}")
_SECOND = {"email": "alternative_email", "phone": "alternative_phone"}
# Words that say whose value it is, not what it is: "Customer E-mail", "Primary Phone".
_OWNERS = re.compile(r"^(?:contact|customer|client|lead|person|primary|main|user|your|subscriber|prospect) ")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PARTING = re.compile(r"[^\w]+|_+")
_BY_NAME = {name: field.key for field in FIELDS for name in field.names}


def fold(header: str) -> str:
    """A header as words: "FirstName", "first_name" and " First-Name* " are all "first name"."""
    text = _CAMEL.sub(" ", unicodedata.normalize("NFKC", header))
    return " ".join(_PARTING.sub(" ", text).split()).lower()


def guess(header: list[str], samples: list[list[str]]) -> Mapping:
    """The likeliest field of each column; "" where nothing fits. No field is given twice."""
    found: Mapping = {}
    for index, name in enumerate(header):
        folded = fold(name)
        target = _BY_NAME.get(folded) or _BY_NAME.get(_OWNERS.sub("", folded)) or ""
        found[index] = _free(target, found)
    for index in range(len(header)):
        if not found[index]:
            found[index] = _free(_by_values([row[index] for row in samples if index < len(row)]), found, second=False)
    return _names_apart(found)


def _free(target: str, taken: Mapping, *, second: bool = True) -> str:
    if target and target in taken.values():
        target = _SECOND.get(target, "") if second else ""
    return "" if target in taken.values() else target


def _by_values(values: list[str]) -> str:
    """email or phone, when every sample value looks like one."""
    filled = [value.strip() for value in values if value.strip()]
    if filled and all(_EMAIL.fullmatch(value) for value in filled):
        return "email"
    if filled and all(_PHONE.fullmatch(value) and sum(map(str.isdigit, value)) >= 10 for value in filled):
        return "phone"
    return ""


def _names_apart(found: Mapping) -> Mapping:
    """A column "Name" beside "First name" is the last name (French "nom", or a list that says "Name, Vorname")."""
    targets = set(found.values())
    if "full_name" in targets and "first_name" in targets:
        spare = "" if "last_name" in targets else "last_name"
        return {index: spare if target == "full_name" else target for index, target in found.items()}
    return found


def problems(mapping: Mapping, columns: int) -> list[str]:
    """What is wrong with a mapping, as sentences; [] when it can be used."""
    found = []
    used = [target for target in mapping.values() if target]
    for index, target in mapping.items():
        if not 0 <= index < columns:
            found.append(f"There is no column {index + 1}.")
        elif target and target not in BY_KEY and not custom_name(target):
            found.append(f"Column {index + 1}: give the new field a name of at most {CUSTOM_NAME_LIMIT} characters.")
    for target in sorted({target for target in used if used.count(target) > 1}):
        name = BY_KEY[target].label if target in BY_KEY else custom_name(target)
        found.append(f"Two columns are both “{name}”. Leave one of them out.")
    if "email" not in used and "phone" not in used:
        found.append("Nobody can be reached without an address: say which column is the email or the phone.")
    return found


def custom_name(target: str) -> str:
    """The name in "custom:<name>", as template variables spell it; "" when there is none."""
    if not target.startswith(CUSTOM):
        return ""
    name = " ".join(target.removeprefix(CUSTOM).replace("\x00", "").split())
    return name if 0 < len(name) <= CUSTOM_NAME_LIMIT else ""
