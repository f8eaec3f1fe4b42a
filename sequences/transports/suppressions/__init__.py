"""Providers' own lists of addresses they will not deliver to: read, added to, taken off. One file a provider that has one.

Twilio and VAPI have no list one can write, and mail servers none at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

from sequences.transports.base import Account

_MODULES = {
    "postmark": "sequences.transports.suppressions.postmark",
    "sendgrid": "sequences.transports.suppressions.sendgrid",
    "ses": "sequences.transports.suppressions.ses",
}
PROVIDERS = tuple(_MODULES)
# Why an address is on a list: its mailbox is gone, the person marked a mail as spam, or it was put there by them or by us.
GONE, COMPLAINED, OPTED_OUT = "gone", "complained", "opted_out"


@dataclass(frozen=True, slots=True)
class Entry:
    """One address on the list, in lower case. `origin`: who put it there, in the provider's words; `fixed`: it stays for good."""

    address: str
    reason: str
    origin: str
    since: datetime | None
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Lists:
    """One provider's list. All raise Unreadable where it does not answer, and Refused without credentials.

    add and take_off: so many of `at_once` addresses were put there, or taken off.
    """

    listed: Callable[[Account], list[Entry]]
    add: Callable[[Account, Sequence[str]], int]
    take_off: Callable[[Account, Sequence[str]], int]
    at_once: int


def lists_of(provider: str) -> Lists:
    """This provider's list, imported on first use. Raises KeyError for one without."""
    lists: Lists = import_module(_MODULES[provider]).LISTS
    return lists
