"""Reading again what a provider holds: its events in the form their webhooks have, and the log of what left through it.

One file a provider. SMTP has none: a mail server keeps nothing that could be read. Everything here comes from the provider's
authenticated API and is believed exactly as much as a verified webhook.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

from sequences.transports.base import Account, Listed, Logged

_MODULES = {
    "twilio": "sequences.transports.listing.twilio",
    "vapi": "sequences.transports.listing.vapi",
    "postmark": "sequences.transports.listing.postmark",
    "sendgrid": "sequences.transports.listing.sendgrid",
    "ses": "sequences.transports.listing.ses",
}
Events = Callable[[Account, str, datetime, datetime], Iterator[Listed]]
Sent = Callable[[Account, datetime, datetime], Iterator[Logged]]


@dataclass(frozen=True, slots=True)
class Reader:
    """One provider's lists. Both functions raise Unreadable unless they came to the end of what was asked for.

    events(account, kind, since, until): what webhooks of this kind would have told. sent(account, since, until): what left.
    `complete` fetches the rest of an event whose list shows only its head; None where there is nothing behind it (yet).
    `sent` of a provider that keeps no log raises Unreadable, which says so.
    """

    kinds: tuple[str, ...]
    events: Events
    sent: Sent
    complete: Callable[[Account, Listed], Listed | None] = lambda account, listed: listed


def reader_for(provider: str) -> Reader | None:
    """The reader of this provider's lists, imported on first use; None where there is nothing to read (SMTP)."""
    if provider not in _MODULES:
        return None
    reader: Reader = import_module(_MODULES[provider]).READER
    return reader
