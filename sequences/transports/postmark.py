"""Mail through Postmark's HTTP API, by django-anymail. Our mark is in the mail's metadata, which searches and webhooks know.

Source: postmarkapp.com/developer/api (email, messages), anymail 15.2. Anymail does not retry.
"""

from datetime import datetime
from typing import Any

from sequences.codes.mail import postmark as verdict
from sequences.transports.asking import ask
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
    Unreadable,
    required,
)
from sequences.transports.connecting import never_connected
from sequences.transports.mail import compose

API = "https://api.postmarkapp.com"
STREAM = "outbound"


def send(outbound: Outbound) -> Receipt:
    """One POST. See base for what may be raised."""
    import requests
    from anymail.exceptions import (
        AnymailError,
        AnymailInvalidAddress,
        AnymailRecipientsRefused,
        AnymailRequestsAPIError,
        AnymailSerializationError,
        AnymailUnsupportedFeature,
    )

    connection = _connection(outbound)
    connection.open()
    connection.session.trust_env = not outbound.base_url
    mail = compose(outbound, connection)
    # Postmark gives mails its own Message-ID unless told to keep ours.
    mail.extra_headers["X-PM-KeepID"] = "true"
    try:
        connection.send_messages([mail])
    except AnymailRecipientsRefused as error:
        raise _meaning(mail.anymail_status.esp_response) from error
    except AnymailRequestsAPIError as error:
        if isinstance(error, requests.ConnectionError):
            if never_connected(error.__cause__ or error):
                raise Busy("Postmark could not be reached.", retry_after=60) from error
            raise Uncertain(f"The connection to Postmark broke ({type(error.__cause__).__name__}).") from error
        if error.response is None:
            raise Uncertain(f"Postmark did not answer in time ({type(error.__cause__).__name__}).") from error
        raise _meaning(error.response) from error
    except (AnymailInvalidAddress, AnymailSerializationError, AnymailUnsupportedFeature) as error:
        raise Refused("unsendable", str(error)[:200], failure_type="email_failed") from error
    except (AnymailError, requests.RequestException) as error:
        raise Uncertain(f"Postmark's answer could not be read ({type(error).__name__}).") from error
    finally:
        connection.close()
    message_id = mail.anymail_status.message_id
    if not isinstance(message_id, str) or not message_id:
        raise _meaning(
            mail.anymail_status.esp_response
        )  # a refusal whose words anymail could not match to the recipient
    return Receipt(provider_id=message_id, status="queued")


def find(outbound: Outbound, since: datetime, until: datetime, taken: Taken) -> Found | Absent | CannotSay:
    """Searches the stream's sent mail by recipient and our mark."""
    query = {"recipient": outbound.to, "metadata_m": outbound.mark, "count": "10", "offset": "0"}
    query["messagestream"] = stream_of(outbound)
    url, headers = f"{outbound.base_url or API}/messages/outbound", {"X-Postmark-Server-Token": token_of(outbound)}
    try:
        answer = ask(url, headers, whose="Postmark's search", simulated=bool(outbound.base_url), query=query)
        found = answer["Messages"]
    except Unreadable as problem:
        return CannotSay(problem.text)
    except (KeyError, TypeError) as error:
        return CannotSay(f"Postmark's search could not be read ({type(error).__name__}).")
    # The search is trusted with narrowing down, never with the match itself.
    ours = [each for each in found if (each.get("Metadata") or {}).get("m") == outbound.mark]
    return Found(str(ours[0]["MessageID"]), "queued") if ours else Absent()


def _meaning(response: Any) -> Exception:
    """A 4xx with Postmark's own ErrorCode is an answer; anything else proves nothing."""
    status = response.status_code
    try:
        body = response.json()
        code, text = int(body["ErrorCode"]), str(body["Message"])
    except (ValueError, KeyError, TypeError):
        return Uncertain(f"Postmark answered {status}.")
    if status == 429:
        return Busy("Postmark asked us to slow down.")
    if not 400 <= status < 500:
        return Uncertain(f"Postmark answered {status}.")
    known = verdict(code, text)
    return Refused(
        str(code), text, failure_type=known.failure_type, permanent=known.permanent, pause_sender=known.pause_sender
    )


def token_of(holder: Account | Outbound) -> str:
    return required(holder, "server_token", provider="Postmark", failure_type="email_failed")


def stream_of(holder: Account | Outbound) -> str:
    """The stream that mails leave in. Postmark's lists show only the one that is asked for, and STREAM where none is."""
    return str(holder.config.get("message_stream") or STREAM)


def _connection(outbound: Outbound) -> Any:
    from django.core.mail import get_connection

    return get_connection(
        "anymail.backends.postmark.EmailBackend",
        server_token=token_of(outbound),
        api_url=outbound.base_url or API,
        message_stream=outbound.config.get("message_stream"),
        timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
    )


TRANSPORT = Transport(send=send, find=find, may_resend=True)
