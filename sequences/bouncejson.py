"""The notification of Amazon SES when it comes by mail: one JSON object at the head of the text.

Source: docs.aws.amazon.com/ses/latest/dg/notification-contents.html and event-publishing-retrieving-sns-contents.html.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

_LASTING: Final = ("General", "NoEmail", "", None)


@dataclass(frozen=True, slots=True)
class Told:
    """What it says of one recipient."""

    recipient: str
    status: str
    diagnostic: str
    kind: Literal["permanent", "transient", "complaint", "delivered"]


def amazon(text: str) -> list[Told]:
    """What the notification says of each recipient; nothing for any other text."""
    event = _object(text.lstrip()) if text.lstrip().startswith("{") else {}
    if isinstance(event.get("Message"), str) and event["Message"].lstrip().startswith("{"):
        event = _object(event["Message"])
    kind = event.get("notificationType") or event.get("eventType")
    if kind == "Delivery" and isinstance(event.get("delivery"), dict):
        said = _text(event["delivery"], "smtpResponse")
        return [Told(str(to), "", said, "delivered") for to in _listed(event["delivery"], "recipients")]
    if kind == "Complaint" and isinstance(event.get("complaint"), dict):
        about = _text(event["complaint"], "complaintFeedbackType") or "abuse"
        people = _people(event["complaint"], "complainedRecipients")
        return [Told(_text(to, "emailAddress"), "", about, "complaint") for to in people]
    bounce = event.get("bounce")
    if kind != "Bounce" or not isinstance(bounce, dict):
        return []
    lasting = bounce.get("bounceType") == "Permanent" and bounce.get("bounceSubType") in _LASTING
    return [
        Told(
            _text(to, "emailAddress"),
            _text(to, "status"),
            _text(to, "diagnosticCode"),
            "permanent" if lasting else "transient",
        )
        for to in _people(bounce, "bouncedRecipients")
    ]


def _object(text: str) -> dict[str, Any]:
    """The object, also where a mail server broke its long line in the middle with "!" and a space."""
    for each in (text, re.sub(r"!\r?\n ", "", text)):
        try:
            found, _ = json.JSONDecoder(strict=False).raw_decode(each)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else {}
    return {}


def _text(holder: dict[str, Any], key: str) -> str:
    return str(holder.get(key) or "")


def _listed(holder: dict[str, Any], key: str) -> list[Any]:
    found = holder.get(key)
    return found if isinstance(found, list) else []


def _people(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [person for person in _listed(holder, key) if isinstance(person, dict)]
