"""The fields of a multipart form, from a body that is already in memory. Pure. Source: RFC 7578, RFC 2046 §5.1.

Of files only that they were there: what somebody attached to a mail is not kept.
"""

from email.message import Message
from email.parser import BytesHeaderParser

MOST_PARTS = 500


def fields_of(content_type: str, body: bytes) -> dict[str, bytes]:
    """name -> value of every field; the last of a name counts. Raises ValueError for what is no multipart form."""
    head = Message()
    head["content-type"] = content_type
    boundary = head.get_boundary()
    if head.get_content_type() != "multipart/form-data" or not boundary or len(boundary) > 200:
        raise ValueError("This is no multipart form.")
    border = b"--" + boundary.encode("utf-8", "replace")
    parts = (b"\r\n" + body).split(b"\r\n" + border, MOST_PARTS)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise ValueError("The form does not end, or has too many parts.")
    found: dict[str, bytes] = {}
    for part in parts[1:-1]:
        raw, blank, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesHeaderParser().parsebytes(raw + b"\r\n\r\n")
        name = headers.get_param("name", header="content-disposition")
        if not blank or not isinstance(name, str):
            raise ValueError("A part of the form has no name.")
        if headers.get_filename() is None:
            found[name] = value
    return found
