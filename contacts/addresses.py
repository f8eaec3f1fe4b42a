"""One spelling for each address, so that what a person forbade is found again however a list wrote their number. Pure."""

import re

import phonenumbers

PHONE_CHANNELS = ("sms", "voice")
_E164 = re.compile(r"\+[1-9]\d{6,14}")


def normalised(address: str, *, region: str = "US") -> str:
    """E.164 for a phone number, lower case for an e-mail address; an unreadable number comes back stripped of blanks.

    `region` is where a number without a country code is dialled from (ISO 3166-1 alpha-2).
    """
    address = address.strip()
    if "@" in address:
        return address.lower()
    if _E164.fullmatch(address):
        return address
    try:
        number = phonenumbers.parse(address, region)
    except phonenumbers.NumberParseException:
        return "".join(address.split())
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def spellings(address: str, *, region: str = "US") -> list[str]:
    """The normalised address first, then the other ways in which lists commonly write the same phone number."""
    first = normalised(address, region=region)
    if "@" in first or not _E164.fullmatch(first):
        return [first]
    number = phonenumbers.parse(first, None)
    style = phonenumbers.PhoneNumberFormat
    formats = (style.INTERNATIONAL, style.NATIONAL, style.RFC3966)
    written = [str(phonenumbers.format_number(number, each)) for each in formats]
    national = str(phonenumbers.national_significant_number(number))
    ways = [first, *written, first[1:], national, re.sub(r"\D+", "-", written[1]).strip("-")]
    ways += [re.sub(r"\D+", ".", written[1]).strip("."), f"+{number.country_code} {written[1]}"]
    return list(dict.fromkeys([*ways, address.strip()]))


def channels_of(address: str) -> tuple[str, ...]:
    """The channels that reach an address: email for a mailbox, sms and voice for a number."""
    return ("email",) if "@" in address else PHONE_CHANNELS
