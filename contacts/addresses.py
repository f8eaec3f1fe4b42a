"""One spelling for each address, so that what a person forbade is found again however a list wrote their number. Pure."""

import re

import phonenumbers

from contacts.emails import NotAnEmail, ascii_domain

PHONE_CHANNELS = ("sms", "voice")
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
# A nought that may be a trunk prefix kept by mistake: +44 (0)20 … is +4420…, but +39 06… stays as it is.
_NOUGHT = re.compile(r"\+[2-9]\d{0,2}0")


def normalised(address: str, *, region: str = "US") -> str:
    """E.164 for a phone number, lower case with an ASCII domain for an e-mail address; an unreadable number comes back stripped
    of blanks, an unreadable domain as it is.

    `region` is where a number without a country code is dialled from (ISO 3166-1 alpha-2).
    """
    address = address.strip()
    if "@" in address:
        return _mailbox(address.lower())
    if _E164.fullmatch(address) and not _NOUGHT.match(address):
        return address
    try:
        number = phonenumbers.parse(address, region)
    except phonenumbers.NumberParseException:
        return "".join(address.split())
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def spellings(address: str, *, region: str = "US") -> list[str]:
    """The normalised address first, then the other ways in which lists commonly write the same phone number."""
    first = normalised(address, region=region)
    if "@" in first:
        return list(dict.fromkeys([first, address.strip().lower(), _in_letters(first)]))
    if not _E164.fullmatch(first):
        return [first]
    number = phonenumbers.parse(first, None)
    style = phonenumbers.PhoneNumberFormat
    formats = (style.INTERNATIONAL, style.NATIONAL, style.RFC3966)
    written = [str(phonenumbers.format_number(number, each)) for each in formats]
    national = str(phonenumbers.national_significant_number(number))
    ways = [first, *written, first[1:], national, re.sub(r"\D+", "-", written[1]).strip("-")]
    ways += [re.sub(r"\D+", ".", written[1]).strip("."), f"+{number.country_code} {written[1]}"]
    return list(dict.fromkeys([*ways, address.strip()]))


def _mailbox(address: str) -> str:
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{ascii_domain(domain)}"
    except NotAnEmail:
        return address


def _in_letters(address: str) -> str:
    """The same mailbox as people read its domain."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode().decode('idna')}" if "xn--" in domain else address
    except UnicodeError:
        return address


def channels_of(address: str) -> tuple[str, ...]:
    """The channels that reach an address: email for a mailbox, sms and voice for a number."""
    return ("email",) if "@" in address else PHONE_CHANNELS
