"""The suppression list of an Amazon SES account. It knows two reasons only, so an opt-out of ours is put there as a complaint.

Source: the SESv2 reference (ListSuppressedDestinations, PutSuppressedDestination, DeleteSuppressedDestination). One address a
request; the list must be switched on for the account, and applies to all of its senders in that region.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sequences.transports.base import Account, TooMany, Unreadable
from sequences.transports.ses import client_of
from sequences.transports.suppressions import COMPLAINED, GONE, Entry, Lists
from sequences.webhooks.base import text_of

AT_ONCE, PAGE, MOST_PAGES = 50, 1000, 200
OUR_REASON = "COMPLAINT"
REASONS = {"BOUNCE": GONE, "COMPLAINT": COMPLAINED}


def listed(account: Account) -> list[Entry]:
    """The whole list."""
    return [
        Entry(
            text_of(each.get("EmailAddress"), 254).strip().lower(), REASONS.get(reason, COMPLAINED), reason, at_of(each)
        )
        for each in pages(account)
        if (reason := text_of(each.get("Reason"), 40)) and each.get("EmailAddress")
    ]


def pages(account: Account, since: datetime | None = None, until: datetime | None = None) -> Iterator[dict[str, Any]]:
    """Every entry, or those of a stretch of time. Raises Unreadable, or TooMany."""
    from botocore import exceptions as wrong

    query: dict[str, Any] = {"PageSize": PAGE}
    query |= {name: at for name, at in (("StartDate", since), ("EndDate", until)) if at is not None}
    client = client_of(account)
    for _ in range(MOST_PAGES):
        try:
            answer = client.list_suppressed_destinations(**query)
        except (wrong.ClientError, wrong.BotoCoreError, wrong.HTTPClientError) as error:
            raise Unreadable(f"Amazon SES's list could not be read ({_name(error)}).") from error
        yield from answer.get("SuppressedDestinationSummaries", [])
        if not answer.get("NextToken"):
            return
        query["NextToken"] = answer["NextToken"]
    raise TooMany("Amazon SES's list is too long to read at once.")


def at_of(entry: dict[str, Any]) -> datetime | None:
    at = entry.get("LastUpdateTime")
    return at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else None


def add(account: Account, addresses: Sequence[str]) -> int:
    """Puts these addresses on the list; returns how many it took."""
    return sum(_change(account, "put_suppressed_destination", each, Reason=OUR_REASON) for each in addresses)


def take_off(account: Account, addresses: Sequence[str]) -> int:
    """Takes these addresses off the list, on the person's own word; returns how many were on it."""
    return sum(_change(account, "delete_suppressed_destination", each) for each in addresses)


def _change(account: Account, verb: str, address: str, **more: str) -> bool:
    from botocore import exceptions as wrong

    try:
        getattr(client_of(account), verb)(EmailAddress=address, **more)
    except wrong.ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NotFoundException", "BadRequestException"):
            return False  # not there, or no address that SES can keep: the next one all the same
        raise Unreadable(f"Amazon SES's list could not be changed ({_name(error)}).") from error
    except (wrong.BotoCoreError, wrong.HTTPClientError) as error:
        raise Unreadable(f"Amazon SES's list could not be changed ({_name(error)}).") from error
    return True


def _name(error: Any) -> str:
    answer = getattr(error, "response", None) or {}  # a connection that was closed has none
    code = answer.get("Error", {}).get("Code", "")
    return f"{type(error).__name__} {code}".strip()


LISTS = Lists(listed=listed, add=add, take_off=take_off, at_once=AT_ONCE)
