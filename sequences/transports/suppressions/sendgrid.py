"""SendGrid's lists: bounces and invalid addresses, spam reports, global unsubscribes. Opt-outs of ours go to the last one.

Source: docs.sendgrid.com, Suppressions. Blocks are not read: they are about one mail, keep nobody from getting the next, and
name neither. An address can be on several lists; the gravest is told.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sequences.transports import asking
from sequences.transports.base import Account, CannotSay, TooMany, Unreadable
from sequences.transports.sendgrid import address_of, ask, key_of
from sequences.transports.suppressions import COMPLAINED, GONE, OPTED_OUT, Entry, Lists
from sequences.webhooks.base import text_of

AT_ONCE, PAGE, MOST_PAGES = 50, 500, 200
# In the order of gravity: what stands later replaces what stood before.
LISTS_READ = {"bounces": GONE, "invalid_emails": GONE, "unsubscribes": OPTED_OUT, "spam_reports": COMPLAINED}


def listed(account: Account) -> list[Entry]:
    """The addresses on any of the lists."""
    found: dict[str, Entry] = {}
    for name, reason in LISTS_READ.items():
        for each in pages(account, name, {}):
            address = text_of(each.get("email"), 254).strip().lower()
            if address:
                found[address] = Entry(address, reason, name, created(each))
    return list(found.values())


def pages(account: Account, name: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every entry of one list, newest first. Raises Unreadable, or TooMany."""
    for page in range(MOST_PAGES):
        asked = {**query, "limit": str(PAGE), "offset": str(page * PAGE)}
        answer = ask(account, f"/v3/suppression/{name}", asked)
        if isinstance(answer, CannotSay):
            raise Unreadable(answer.text)
        entries = answer.get("list")
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise Unreadable("SendGrid's list is no list.")
        yield from entries
        if len(entries) < PAGE:
            return
    raise TooMany("SendGrid's list is too long to read at once.")


def created(entry: dict[str, Any]) -> datetime | None:
    seconds = entry.get("created")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 10**11:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def add(account: Account, addresses: Sequence[str]) -> int:
    """Puts these addresses on the list of global unsubscribes; returns how many it took."""
    if len(addresses) > AT_ONCE:
        raise ValueError(f"At most {AT_ONCE} addresses at once.")
    _change(account, "POST", "/v3/asm/suppressions/global", {"recipient_emails": list(addresses)})
    return len(addresses)


def take_off(account: Account, addresses: Sequence[str]) -> int:
    """Takes these addresses off every list, on the person's own word; returns how many."""
    if len(addresses) > AT_ONCE:
        raise ValueError(f"At most {AT_ONCE} addresses at once.")
    for address in addresses:
        _change(account, "DELETE", f"/v3/asm/suppressions/global/{quote(address, safe='')}", None)
    for name in ("spam_reports", "bounces", "invalid_emails"):
        _change(account, "DELETE", f"/v3/suppression/{name}", {"emails": list(addresses)})
    return len(addresses)


def _change(account: Account, method: str, path: str, body: dict[str, Any] | None) -> None:
    # 404: what was to be taken off is not there.
    fine = (200, 201, 204, 404) if method == "DELETE" else (200, 201, 204)
    url, headers = f"{address_of(account)}{path}", {"Authorization": f"Bearer {key_of(account)}"}
    asking.ask(
        url, headers, whose="SendGrid's lists", simulated=bool(account.base_url), method=method, body=body, fine=fine
    )


LISTS = Lists(listed=listed, add=add, take_off=take_off, at_once=AT_ONCE)
