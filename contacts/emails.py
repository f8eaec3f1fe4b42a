"""E-mail addresses as lists write them: one clean lower-case address, or a sentence why not. Pure."""

import re
from functools import lru_cache

import idna

LIMIT = 254  # RFC 5321 §4.5.3.1.3, less the brackets

# RFC 5321 without quoted local parts and address literals: those are typing errors in a list of people.
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_PLAIN = re.compile(r"[a-z0-9_+%'-]+(?:\.[a-z0-9_+%'-]+)*@[a-z0-9]+(?:[.-][a-z0-9]+)*\.[a-z]{2,24}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ANGLE = re.compile(r"<([^<>]*)>")


class NotAnEmail(ValueError):
    """The message is a sentence for the person who owns the list."""


def normalise(raw: str) -> str:
    """The address in lower case, an international domain in its ASCII form. Takes "Ann <ann@x.example>" and "mailto:". Raises NotAnEmail."""
    if len(raw) <= 64 and _PLAIN.fullmatch(raw) and raw[0] != "'":
        return raw  # as it stands: nothing below would change it
    text = raw.strip().strip("\"'\u200b\ufeff;,").lower().removeprefix("mailto:")
    if len(text) <= 64 and _PLAIN.fullmatch(text):
        return text
    if match := _ANGLE.search(text):
        text = match.group(1).strip()
    if any(letter.isspace() for letter in text):
        raise NotAnEmail("There is a blank inside the address.")
    local, at, domain = text.rpartition("@")
    if not at or not local:
        raise NotAnEmail("There is no @ in it." if "@" not in text else "There is nothing before the @.")
    if "@" in local:
        raise NotAnEmail("There is more than one @ in it.")
    if len(local) > 64 or not _LOCAL.fullmatch(local):
        raise NotAnEmail("The part before the @ cannot be right.")
    address = f"{local}@{_checked(ascii_domain(domain))}"
    if len(address) > LIMIT:
        raise NotAnEmail(f"It is longer than {LIMIT} characters.")
    return address


@lru_cache(maxsize=16_384)
def ascii_domain(domain: str) -> str:
    """A domain in its ASCII form, in lower case. Raises NotAnEmail where it has none.

    By IDNA 2008 (RFC 5891, UTS 46): straße.example is not strasse.example, which is somebody else's. What that standard leaves
    out (symbols) is spelt by the older one.
    """
    if domain.isascii():
        return domain.lower()
    try:
        if len(domain) > LIMIT:
            raise UnicodeError
        try:
            return idna.encode(domain, uts46=True).decode("ascii").lower()
        except idna.IDNAError:
            return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise NotAnEmail("The part after the @ cannot be right.") from None


def _checked(domain: str) -> str:
    labels = domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        raise NotAnEmail("The part after the @ cannot be right.")
    return domain
