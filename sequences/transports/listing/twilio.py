"""Twilio's Messages list: texts that people sent us, and how far our own have come.

Source: Twilio's OpenAPI of 2010-04-01, GET Messages.json. Only To, From and DateSent can be filtered by; a text that is still
queued has no DateSent, so what left is read by the date of creation, newest first, until before `since`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sequences.transports.base import Account, Listed, Logged, TooMany, Unreadable
from sequences.transports.listing import Reader
from sequences.transports.twilio import client_of
from sequences.webhooks.twilio import FORM

PAGE, MOST_PAGES = 1000, 50
# Twilio's times have whole seconds, and its clock is not ours.
SKEW = timedelta(seconds=5)


def events(account: Account, kind: str, since: datetime, until: datetime) -> Iterator[Listed]:
    """`inbound`: texts to our number. `status`: where our own texts stand."""
    if kind == "inbound":
        return _inbound(account, since, until)
    return _statuses(account, since, until)


def sent(account: Account, since: datetime, until: datetime) -> Iterator[Logged]:
    """What left through this number, newest first. The log does not show our callback's address, and so not our mark."""
    for message in _outbound(account, since, until):
        yield Logged(message.sid, message.status or "queued", message.to or "", _made(message), message.body or "")


def _inbound(account: Account, since: datetime, until: datetime) -> Iterator[Listed]:
    service = account.config.get("messaging_service_sid")
    asked: dict[str, Any] = {"date_sent_after": since - SKEW, "date_sent_before": until + SKEW}
    if not service:
        asked["to"] = account.sender
    for message in _pages(account, asked):
        if message.direction != "inbound":
            continue
        if service and message.messaging_service_sid != service and message.to != account.sender:
            continue
        at = _aware(message.date_sent or message.date_created)
        if since - SKEW <= at <= until + SKEW:
            yield Listed("inbound", urlencode(_as_inbound(message)).encode(), at, FORM)


def _as_inbound(message: Any) -> dict[str, str]:
    """The webhook's parameters. What Twilio did about a keyword (OptOutType) is not in the list; our own reading decides."""
    return {
        "AccountSid": message.account_sid or "",
        "ApiVersion": message.api_version or "",
        "Body": message.body or "",
        "From": message.from_ or "",
        "To": message.to or "",
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsMessageSid": message.sid,
        "SmsStatus": "received",
        "NumMedia": message.num_media or "0",
        "NumSegments": message.num_segments or "1",
    }


def _statuses(account: Account, since: datetime, until: datetime) -> Iterator[Listed]:
    for message in _outbound(account, since, until):
        status = message.status or ""
        form = {
            "AccountSid": message.account_sid or "",
            "ApiVersion": message.api_version or "",
            "From": message.from_ or "",
            "To": message.to or "",
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "MessageStatus": status,
            "SmsStatus": status,
        }
        if message.error_code:
            form |= {"ErrorCode": str(message.error_code), "ErrorMessage": message.error_message or ""}
        yield Listed("status", urlencode(form).encode(), _aware(message.date_updated or message.date_created), FORM)


def _outbound(account: Account, since: datetime, until: datetime) -> Iterator[Any]:
    service = account.config.get("messaging_service_sid")
    for message in _pages(account, {} if service else {"from_": account.sender}):
        at = _made(message)
        if at < since - SKEW:
            return  # newest first: everything that follows is older
        if message.direction == "inbound" or at > until + SKEW:
            continue
        if service and message.messaging_service_sid != service and message.from_ != account.sender:
            continue
        yield message


def _pages(account: Account, asked: dict[str, Any]) -> Iterator[Any]:
    """Every message of a query. Ends only at the list's own end."""
    import requests
    from twilio.base.exceptions import TwilioException

    try:
        page = client_of(account).messages.page(page_size=PAGE, **asked)
        for _ in range(MOST_PAGES):
            yield from page
            page = page.next_page()
            if page is None:
                return
    except (requests.RequestException, TwilioException, ValueError) as error:
        raise Unreadable(f"Twilio's list could not be read ({_name(error)}).") from error
    raise TooMany("Twilio's list is too long to read at once.")


def _name(error: Exception) -> str:
    status = getattr(error, "status", None) or getattr(error.args[-1] if error.args else None, "status_code", None)
    return f"{type(error).__name__} {status}" if status else type(error).__name__


def _made(message: Any) -> datetime:
    if message.date_created is None:
        raise Unreadable("Twilio listed a message without a date.")
    return _aware(message.date_created)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


READER = Reader(kinds=("inbound", "status"), events=events, sent=sent)
