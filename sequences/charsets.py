"""Text out of bytes in a charset that a stranger named. Pure."""

import codecs

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
