"""A mail as a page of its own, for the preview's sandboxed frame: the text with its footer, as the wire sends it, and its holes marked."""

from typing import Final

from django.utils.html import escape, linebreaks, urlize

from omnify.tenants.models import Tenant
from sequences.footer import with_footer
from sequences.previewing import Preview

# A mail brings its own styles; the frame's policy allows them, and nothing else.
STYLE: Final = (
    "body{margin:0;padding:20px;font:15px/1.55 Arial,Helvetica,sans-serif;color:#1a1a1a;background:#fff}"
    "p{margin:0 0 1em;overflow-wrap:anywhere}mark{background:#ffe08a;border-bottom:2px solid #b45309}a{color:#1d4ed8}"
)
# Private-use characters stand for the marks until the text is escaped.
_OPEN, _CLOSE = "\ue000", "\ue001"


def mail_page(preview: Preview, tenant: Tenant) -> str:
    """The HTML of the page. A text that cannot be written yet says so."""
    if "body" in preview.problems:
        body = "<p><mark>This text cannot be written yet.</mark></p>"
    else:
        pieces = preview.parts.get("body", ())
        text = "".join(f"{_OPEN}[{each.text} is empty]{_CLOSE}" if each.hole else each.text for each in pieces)
        text = with_footer(
            text,
            business=tenant.name,
            address=tenant.postal_address,
            unsubscribe="a link for this person alone",
            preferences="another such link",
        )
        body = linebreaks(urlize(escape(text))).replace(_OPEN, "<mark>").replace(_CLOSE, "</mark>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mail</title>'
        f"<style>{STYLE}</style></head><body>{body}</body></html>"
    )
