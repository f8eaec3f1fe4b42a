"""Postmark's own list of addresses it will not deliver to: read, added to, taken off.

Source: postmarkapp.com/developer/api/suppressions-api. At most 50 addresses in one request; a complaint cannot be taken off.
"""

from collections.abc import Sequence
from typing import Any

from sequences.transports.asking import ask
from sequences.transports.base import Account, Unreadable
from sequences.transports.postmark import API, stream_of, token_of
from sequences.transports.suppressions import COMPLAINED, GONE, OPTED_OUT, Entry, Lists
from sequences.webhooks.base import table, text_of
from sequences.webhooks.vapi import moment

AT_ONCE = 50


REASONS = {"HardBounce": GONE, "SpamComplaint": COMPLAINED}


def listed(account: Account) -> list[Entry]:
    """The whole list of the sender's stream. Raises Unreadable, or Refused without credentials."""
    answer = _ask(account, "GET", "/dump")
    entries = answer.get("Suppressions")
    if not isinstance(entries, list):
        raise Unreadable("Postmark's list of suppressions is no list.")
    return [
        Entry(
            text_of(each.get("EmailAddress"), 254).strip().lower(),
            REASONS.get(text_of(each.get("SuppressionReason"), 40), OPTED_OUT),
            text_of(each.get("Origin"), 40),
            moment(each.get("CreatedAt")),
            fixed=each.get("SuppressionReason") == "SpamComplaint",
        )
        for each in map(table, entries)
        if each.get("EmailAddress")
    ]


def add(account: Account, addresses: Sequence[str]) -> int:
    """Puts up to 50 addresses on the list; returns how many it took."""
    return _change(account, "", addresses, "Suppressed")


def take_off(account: Account, addresses: Sequence[str]) -> int:
    """Takes up to 50 addresses off the list; returns how many it let go."""
    return _change(account, "/delete", addresses, "Deleted")


def _change(account: Account, path: str, addresses: Sequence[str], done: str) -> int:
    if len(addresses) > AT_ONCE:
        raise ValueError(f"At most {AT_ONCE} addresses at once.")
    body = {"Suppressions": [{"EmailAddress": address} for address in addresses]}
    answers = _ask(account, "POST", path, body).get("Suppressions")
    return sum(table(each).get("Status") == done for each in answers) if isinstance(answers, list) else 0


def _ask(account: Account, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    url = f"{account.base_url or API}/message-streams/{stream_of(account)}/suppressions{path}"
    headers, simulated = {"X-Postmark-Server-Token": token_of(account)}, bool(account.base_url)
    return table(
        ask(url, headers, whose="Postmark's list of suppressions", simulated=simulated, method=method, body=body)
    )


LISTS = Lists(listed=listed, add=add, take_off=take_off, at_once=AT_ONCE)
