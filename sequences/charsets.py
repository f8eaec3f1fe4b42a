"""Text out of what a stranger encoded: bytes in a charset they named, headers of mail. Pure."""

import codecs
from email.errors import HeaderParseError
from email.header import decode_header, make_header

# Python's codecs that are no charsets of mail: they refuse to replace what is broken, or take ages over a long text.
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})


def text_in(raw: bytes, charset: str, *, otherwise: str) -> str:
    """The text; what is broken in it is replaced. `otherwise`: the charset to read it in where nobody knows the one named."""
    try:
        known = codecs.lookup(charset).name
        if known not in _NO_CHARSETS:
            return raw.decode(known, "replace")
    except (LookupError, ValueError):  # (a name with a NUL, a codec that makes no text, one that replaces nothing)
        pass
    return raw.decode(otherwise, "replace")


def decoded(text: str) -> str:
    """A header's text without RFC 2047's encoding; one that is broken stays as it is."""
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError, HeaderParseError):
        return text
