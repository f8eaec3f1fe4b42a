"""What Amazon SES keeps: its list of addresses that bounced or complained, and nothing of what it sent or received.

Source: the SESv2 reference, ListSuppressedDestinations (by the time of the last change).
"""

import json
from collections.abc import Iterator
from datetime import datetime

from sequences.transports.base import Account, Listed, Logged, Unreadable
from sequences.transports.listing import Reader
from sequences.transports.suppressions.ses import at_of, pages
from sequences.webhooks.base import text_of
from sequences.webhooks.ses import NO_MAIL


def events(account: Account, kind: str, since: datetime, until: datetime) -> Iterator[Listed]:
    """`status`: who came onto the account's list in this time, as the event that put them there."""
    for entry in pages(account, since, until):
        at, address = at_of(entry), text_of(entry.get("EmailAddress"), 254).lower()
        if at is None or not address:
            raise Unreadable("Amazon SES listed an address without a date.")
        if not since <= at <= until:
            continue
        # No mail of ours is named: the address itself and the moment make the event.
        name = f"list:{address}:{int(at.timestamp())}"
        event = {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": address}]}}
        if entry.get("Reason") == "BOUNCE":
            bounced = {"bounceType": "Permanent", "bounceSubType": "General"}
            event = {"eventType": "Bounce", "bounce": {**bounced, "bouncedRecipients": [{"emailAddress": address}]}}
        message = json.dumps({**event, "mail": {"messageId": NO_MAIL}})
        yield Listed("sns", json.dumps({"Type": "Notification", "MessageId": name, "Message": message}).encode(), at)


def sent(account: Account, since: datetime, until: datetime) -> Iterator[Logged]:
    raise Unreadable("Amazon SES keeps no log of what left.", final=True)


READER = Reader(kinds=("status",), events=events, sent=sent)
