"""Texts through Twilio. Its messages have no idempotency key and no field of ours: our mark is in the StatusCallback URL.

Source: Twilio's OpenAPI of 2010-04-01 Messages (2026-04-14). The SDK retries nothing; its default timeout is none at all.
"""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from contacts.addresses import normalised
from sequences.codes.twilio import verdict
from sequences.transports.base import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    Absent,
    Account,
    Busy,
    CannotSay,
    Found,
    Outbound,
    Receipt,
    Refused,
    Taken,
    Transport,
    Uncertain,
)
from sequences.transports.connecting import never_connected
from sequences.transports.likeness import Candidate, choice

# Twilio takes 1 to 36,000 s and would otherwise hold a text back for ten hours, into somebody's night.
LONGEST_VALIDITY = 36_000
PAGE, MOST_PAGES = 200, 10
LEAST_CODE = 10_000
# Twilio's clock is not ours. Within the first what it has may be ours; within the second nothing proves that it is not.
SKEW, CLOCKS_APART = timedelta(seconds=5), timedelta(minutes=15)

_local = threading.local()


def send(outbound: Outbound) -> Receipt:
    """One POST. See base for what may be raised."""
    import requests
    from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

    messaging_service = outbound.config.get("messaging_service_sid")
    leaves_from: dict[str, Any] = (
        {"messaging_service_sid": messaging_service} if messaging_service else {"from_": outbound.sender}
    )
    try:
        message = client_of(outbound).messages.create(
            to=outbound.to,
            body=outbound.text,
            status_callback=f"{outbound.callback_base}/status/{outbound.mark}",
            validity_period=max(1, min(outbound.valid_for, LONGEST_VALIDITY)),
            **leaves_from,
        )
    except (TwilioRestException, TwilioServiceException) as error:
        raise _meaning(error) from error
    except requests.ConnectionError as error:
        if never_connected(error):
            raise Busy("Twilio could not be reached.", retry_after=30) from error
        raise Uncertain(f"The connection to Twilio broke ({type(error).__name__}).") from error
    except requests.Timeout as error:
        raise Uncertain("Twilio did not answer in time.") from error
    except (requests.RequestException, TwilioException, ValueError) as error:
        raise Uncertain(f"Twilio's answer could not be read ({type(error).__name__}).") from error
    if not message.sid:
        raise Uncertain("Twilio's answer names no message.")
    return Receipt(
        provider_id=message.sid,
        status=message.status or "queued",
        cost=abs(Decimal(message.price)) if message.price else None,
        segments=int(message.num_segments) if message.num_segments else None,
    )


def find(outbound: Outbound, since: datetime, until: datetime, taken: Taken) -> Found | Absent | CannotSay:
    """Reads the messages to this person, newest first, until before `since`.

    The listing shows no StatusCallback, so a message is ours if number, sender and words are equal, it was made in the
    interval, and no other row of ours has its id. One with other words proves nothing: Twilio may have replaced characters. Nor do
    equal words from another number, which may have been the sender's, or of another time, for our clock may be wrong. Not
    filtered by DateSent, which queued messages do not have.
    """
    import requests
    from twilio.base.exceptions import TwilioException

    earliest, latest, first = since - SKEW, until + SKEW, since - CLOCKS_APART
    listed: dict[str, Candidate] = {}
    elsewhere: set[str] = set()
    complete = False
    number = "" if outbound.config.get("messaging_service_sid") else normalised(outbound.sender)
    try:
        page = client_of(outbound).messages.page(to=outbound.to, page_size=PAGE)
        for _ in range(MOST_PAGES):
            for message in page:
                made = message.date_created
                if made is None:
                    return CannotSay("Twilio listed a message without a date.")
                made = made if made.tzinfo else made.replace(tzinfo=UTC)
                if made < first:
                    complete = True
                    break
                if message.direction == "inbound":
                    continue
                if earliest <= made <= latest and (not number or normalised(message.from_ or "") == number):
                    listed[message.sid] = Candidate(message.sid, message.status or "queued", message.body or "")
                elif message.body == outbound.text:
                    elsewhere.add(message.sid)
            page = None if complete else page.next_page()
            if page is None:
                complete = True
                break
    except (requests.RequestException, TwilioException, ValueError) as error:
        return CannotSay(f"Twilio's list could not be read ({type(error).__name__}).")
    others = taken([*listed, *elsewhere])
    answer = choice(outbound.text, [each for sid, each in listed.items() if sid not in others], complete=complete)
    if isinstance(answer, Absent) and elsewhere - others:
        return CannotSay("Twilio has the same words to this person from another number or time.")
    return answer


def cancel(account: Account, provider_id: str) -> bool:
    """Withdraws a text that is still queued or scheduled: POST Messages/{sid} with Status=canceled. Later Twilio says no."""
    import requests
    from twilio.base.exceptions import TwilioException

    try:
        message = client_of(account).messages(provider_id).update(status="canceled")
    except (requests.RequestException, TwilioException, ValueError):
        return False
    return bool(message.status == "canceled")


def _meaning(error: Any) -> Exception:
    """A 4xx with Twilio's own code is an answer; anything else proves nothing. Where an answer has no code, as a proxy's page, the
    SDK puts the HTTP status in its place; Twilio's own have five digits. Its newer errors (RFC 9457) have a title for a message."""
    code = error.code
    text = str(getattr(error, "msg", "") or getattr(error, "detail", "") or getattr(error, "title", ""))
    parsed = isinstance(code, int) and code >= LEAST_CODE and 400 <= error.status < 500
    if error.status == 429 and parsed:
        return Busy("Twilio asked us to slow down.")
    if not parsed:
        return Uncertain(f"Twilio answered {error.status}.")
    known = verdict(code)
    if known.failure_type == "capacity" and not known.permanent:
        return Busy(f"Twilio has no room now ({code}).", retry_after=3600 if known.sender_fault else 120)
    return Refused(
        str(code), text, failure_type=known.failure_type, permanent=known.permanent, pause_sender=known.pause_sender
    )


def client_of(holder: Account | Outbound) -> Any:
    from twilio.rest import Client

    config, secrets = holder.config, holder.credentials
    account = config.get("account_sid") or secrets.get("account_sid")
    user, password = secrets.get("api_key_sid") or account, secrets.get("api_key_secret") or secrets.get("auth_token")
    if not account or not user or not password:
        raise Refused(
            "no_credentials",
            "This sender has no Twilio account_sid and auth_token. Enter them in its settings.",
            failure_type="sms_failed",
            pause_sender=True,
        )
    return Client(user, password, account, http_client=_http(holder.base_url))


def _http(base_url: str) -> Any:
    """One HTTP client a thread and address, so that connections are reused; requests' sessions are not for many threads."""
    from twilio.http.http_client import TwilioHttpClient

    clients: dict[str, Any] = _local.__dict__.setdefault("clients", {})
    if base_url in clients:
        return clients[base_url]

    class OneAttempt(TwilioHttpClient):
        """Sends each request once, with both timeouts; with a base URL, to the simulator under Twilio's host as first folder."""

        def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
            if base_url:
                parts = urlsplit(url)
                url = f"{base_url}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")
            return super().request(method, url, *args, **options)

    client = OneAttempt(timeout=READ_TIMEOUT, max_retries=0)
    client.timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)  # requests takes a pair, Twilio's constructor only a number
    client.session.trust_env = not base_url  # no proxy between us and the simulator
    clients[base_url] = client
    return client


def warm() -> None:
    """Loads the SDK."""
    from twilio.rest.api.v2010.account import message  # noqa: F401


def hang_up() -> None:
    """Closes this thread's connections."""
    for client in _local.__dict__.pop("clients", {}).values():
        client.session.close()


TRANSPORT = Transport(send=send, find=find, may_resend=True, warm=warm, hang_up=hang_up, cancel=cancel)
