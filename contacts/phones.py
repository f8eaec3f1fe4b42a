"""Phone numbers as lists write them, turned into E.164, or a sentence why not. Pure."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult


class Phone(NamedTuple):
    """A number that could be dialled. `valid` is False where no numbering plan we know has given it out:
    plans change faster than software, so such a number is kept, and marked. `extension` is what followed ext."""

    e164: str
    valid: bool
    extension: str = ""


class NoPhone(NamedTuple):
    """Why there is no number in it, as a sentence for the person who owns the list."""

    reason: str


# 212-555-0100 in its usual dresses: nine of ten rows of an American list, read without the whole parser, to the same answer
# (tests/contacts/test_phones.py compares them). A plus belongs to a country code: +39 055 50100 is Italian.
_NANP = re.compile(r"(?:\+?1)?[ .\-]?\(?([2-9]\d\d)\)?[ .\-]?([2-9]\d\d)[ .\-]?(\d{4})", re.ASCII)
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_FLOAT = re.compile(r"(\d{7,15})\.0+")
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
# What stands between two numbers in one cell. A slash or dash inside one number has no blanks around it.
_SEVERAL = re.compile(r"\s*(?:[;|,\n]|\s/\s|\bor\b|\band\b)\s*")
_PREFIX = re.compile(r"^(?:whatsapp|tel|phone|mobile|cell|sms|m|t|p|c|h|w)\s*:\s*", re.IGNORECASE)
_NANP_REGIONS = frozenset({"US", "CA", "PR"})

# IS_POSSIBLE_LOCAL_ONLY and the refusals of libphonenumber, in words.
_WHY = {
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "The area code is missing.",
    ValidationResult.TOO_SHORT: "Too few digits for a phone number.",
    ValidationResult.TOO_LONG: "Too many digits for a phone number.",
    ValidationResult.INVALID_LENGTH: "No number of that country has this many digits.",
    ValidationResult.INVALID_COUNTRY_CODE: "It begins with a country code that does not exist.",
}
_PARSE_WHY = {
    NumberParseException.INVALID_COUNTRY_CODE: "It begins with a country code that does not exist.",
    NumberParseException.NOT_A_NUMBER: "This is not a phone number.",
    NumberParseException.TOO_SHORT_AFTER_IDD: "Too few digits after the international prefix.",
    NumberParseException.TOO_SHORT_NSN: "Too few digits for a phone number.",
    NumberParseException.TOO_LONG: "Too many digits for a phone number.",
}


def normalise(raw: str, region: str = "US") -> Phone | NoPhone:
    """`raw` as E.164. `region` (ISO 3166-1 alpha-2) is where a number without a country code is dialled from.

    Several numbers in one cell: the first counts. Source: ITU E.164, and libphonenumber's lengths and plans.
    """
    if region in _NANP_REGIONS:
        # A cell that fits as it stands would not be changed by tidying, unless it is a spreadsheet's 1212555.0000.
        match = _NANP.fullmatch(raw)
        if match is None or raw.endswith(".0000"):
            match = _NANP.fullmatch(_tidy(raw))
        if match is not None:
            area, exchange, line = match.groups()
            return Phone(f"+1{area}{exchange}{line}", _nanp_valid(area + exchange))
    return _carefully(raw, region)


def _carefully(raw: str, region: str) -> Phone | NoPhone:
    """The same with libphonenumber's parser, whatever the number looks like."""
    text = _tidy(raw)
    if not text:
        return NoPhone("There is no number.")
    if _SHORTENED.fullmatch(text):
        return NoPhone("A spreadsheet shortened it (like 2.13E+09) and its last digits are lost.")
    return _parsed(text, region)


def _tidy(raw: str) -> str:
    text = unicodedata.normalize("NFKC", raw).strip().strip("\"'=\u200e\u200f\u202a\u202c\u2060\ufeff ")
    text = _PREFIX.sub("", text)
    if match := _FLOAT.fullmatch(text):  # a spreadsheet's number: 2125550100.0
        return match.group(1)
    return text


def _parsed(text: str, region: str) -> Phone | NoPhone:
    if len(text) > 250:
        return NoPhone("This is not a phone number.")
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        first = _SEVERAL.split(text, maxsplit=1)[0]
        if first and first != text:
            return _parsed(first, region)
        return NoPhone(_PARSE_WHY.get(error.error_type, "This is not a phone number."))
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != ValidationResult.IS_POSSIBLE:
        first = _SEVERAL.split(text, maxsplit=1)[0]
        if first and first != text:
            return _parsed(first, region)
        return NoPhone(_WHY.get(possible, "This is not a phone number."))
    e164 = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    if not _E164.fullmatch(e164):
        return NoPhone("Too few digits for a phone number.")
    return Phone(e164, bool(phonenumbers.is_valid_number(number)), number.extension or "")


@lru_cache(maxsize=65_536)
def _nanp_valid(prefix: str) -> bool:
    """Whether the North American plan has this area code and exchange in use (its rules look at these six digits alone)."""
    return bool(phonenumbers.is_valid_number(phonenumbers.PhoneNumber(1, int(f"{prefix}2345"))))
