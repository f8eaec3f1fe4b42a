"""What every page says while nothing leaves for reasons above a tenant: a switch for everybody, a frozen database."""

from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from omnify.operations.findings import NOUNS

# Two tiny tables; asked only by pages that have a frame.
STOPPED = """
SELECT coalesce((SELECT max(epoch) FROM sequences_sendepoch), 1),
       ARRAY(SELECT key || chr(31) || reason FROM sequences_switch WHERE off ORDER BY key)
"""


def sending(request: HttpRequest) -> dict[str, Any]:
    """`stopped`: why nothing leaves, as a sentence, "" while it may. Read when a template asks for it."""
    return {"stopped": SimpleLazyObject(stopped)}


def stopped() -> str:
    with connection.cursor() as cursor:
        cursor.execute(STOPPED)
        epoch, off = cursor.fetchone()
    return sentence(epoch, settings.SEND_EPOCH, settings.SENDING, dict(each.split("\x1f", 1) for each in off))


def sentence(epoch: int, expected: int, sending: bool, off: dict[str, str]) -> str:
    """`off`: switch -> reason. Pure."""
    if not sending:
        return "This installation was started with sending off: nothing leaves."
    if epoch != expected:
        return "Sending is frozen: the database was restored and is looked through first. Nothing is lost."
    if "all" in off:
        return f"Sending is switched off for everybody{_because(off['all'])}."
    if off:
        return " ".join(
            f"{NOUNS.get(key, key).capitalize()} are off for everybody{_because(why)}." for key, why in off.items()
        )
    return ""


def _because(reason: str) -> str:
    return f": {reason.rstrip('.')}" if reason else ""
