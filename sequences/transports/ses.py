"""Mail through Amazon SES, version 2 of its API, by boto3. Our mark is a tag of the mail, which every event brings back.

Source: the SESv2 reference (SendEmail) and botocore's Config. SES lists nothing of what it took, so only an event can tell
what became of a send that nobody answered: the sender's configuration set must publish to its SNS topic. SES gives mails its
own Message-ID; the raw message carries all our other headers.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from sequences.codes.mail import ses as verdict
from sequences.transports.base import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    Account,
    Busy,
    CannotSay,
    Outbound,
    Receipt,
    Refused,
    Taken,
    Transport,
    Uncertain,
    required,
)
from sequences.transports.mail import compose, sendable

PATIENCE = timedelta(hours=24)
TAG = "m"
# A region becomes part of a host name, so nothing but a region may stand there.
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d{1,2}")
# Codes that botocore makes up where the answer had none.
_NO_CODE = re.compile(r"|\d{3}|Unknown")
KEPT_CLIENTS = 64
_clients: dict[tuple[str, ...], Any] = {}


def send(outbound: Outbound) -> Receipt:
    """One POST. See base for what may be raised."""
    from botocore import exceptions as wrong

    sendable(outbound)
    request: dict[str, Any] = {
        "FromEmailAddress": outbound.sender,
        "Destination": {"ToAddresses": [outbound.to]},
        "Content": {"Raw": {"Data": raw(outbound)}},
        "EmailTags": [{"Name": TAG, "Value": outbound.mark}],
    }
    if group := outbound.config.get("configuration_set"):
        request["ConfigurationSetName"] = str(group)
    client = client_of(outbound)
    try:
        answer = client.send_email(**request)
    except wrong.ClientError as error:
        raise _meaning(error) from error
    except (wrong.EndpointConnectionError, wrong.ConnectTimeoutError) as error:
        raise Busy("Amazon SES could not be reached.", retry_after=60) from error
    except (wrong.ParamValidationError, UnicodeError) as error:
        raise Refused("unsendable", str(error)[:200], failure_type="email_failed") from error
    except (wrong.BotoCoreError, wrong.HTTPClientError, OSError) as error:
        raise Uncertain(f"Amazon SES's answer could not be read ({type(error).__name__}).") from error
    message_id = answer.get("MessageId")
    if not isinstance(message_id, str) or not message_id:
        raise Uncertain("Amazon SES answered without an id.")
    return Receipt(provider_id=message_id[:120], status="queued")


def find(outbound: Outbound, since: datetime, until: datetime, taken: Taken) -> CannotSay:
    """SES keeps no list that could be asked: its events carry our mark, or nothing does."""
    return CannotSay("Amazon SES lists nothing; only its own events can tell.")


def raw(outbound: Outbound) -> bytes:
    """The whole mail in seven bits: SES re-encodes anything else, and breaks it where it rewrites links."""
    from email import encoders

    message = compose(outbound, None).message()
    for part in message.walk():
        if part["Content-Transfer-Encoding"] == "8bit":
            del part["Content-Transfer-Encoding"]
            encoders.encode_quopri(part)
    return bytes(message.as_bytes(linesep="\r\n"))


def region_of(holder: Account | Outbound) -> str:
    """The account's region. Raises Refused, which pauses the sender, for none or a text that is none."""
    region = str(holder.config.get("region") or "")
    if not _REGION.fullmatch(region):
        raise Refused(
            "no_region",
            'This sender names no region of Amazon SES. Enter one in its config, e.g. {"region": "eu-central-1"}.',
            failure_type="email_failed",
            pause_sender=True,
        )
    return region


def client_of(holder: Account | Outbound) -> Any:
    """An SESv2 client of this account. Raises Refused where a secret was never entered."""
    secret = {"provider": "Amazon SES", "failure_type": "email_failed"}
    key, secret_key = required(holder, "access_key_id", **secret), required(holder, "secret_access_key", **secret)
    token = str(holder.credentials.get("session_token") or "")
    return _client(key, secret_key, token, region_of(holder), holder.base_url)


def _client(*account: str) -> Any:
    """Made once a process: a client takes a tenth of a second, keeps its connections, and may be used by any thread."""
    client = _clients.get(account)
    if client is None:
        while len(_clients) >= KEPT_CLIENTS:
            _clients.popitem()[1].close()
        client = _clients[account] = _made(*account)
    return client


def _made(key: str, secret: str, token: str, region: str, base_url: str) -> Any:
    from boto3.session import Session
    from botocore.config import Config

    settings: dict[str, Any] = {
        # An SDK's own retry is a second mail.
        "retries": {"total_max_attempts": 1, "mode": "standard"},
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
        "ignore_configured_endpoint_urls": True,
    }
    if base_url:
        settings["proxies"] = {}
    session = Session(
        aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token or None, region_name=region
    )
    return session.client("sesv2", endpoint_url=base_url or None, config=Config(**settings))


def _meaning(error: Any) -> Exception:
    """A 4xx with SES's own code is an answer; anything else proves nothing."""
    told, status = error.response.get("Error", {}), error.response["ResponseMetadata"]["HTTPStatusCode"]
    code, text = str(told.get("Code", "")), str(told.get("Message", ""))
    if not 400 <= status < 500 or _NO_CODE.fullmatch(code):
        return Uncertain(f"Amazon SES answered {status}.")
    if status == 429 or code in ("Throttling", "ThrottlingException", "TooManyRequestsException"):
        return Busy("Amazon SES asked us to slow down.")
    if code == "LimitExceededException":
        return Busy("Amazon SES's quota of the day is used up.", retry_after=3600)
    known = verdict(code, text)
    return Refused(
        code[:60],
        text[:300],
        failure_type=known.failure_type,
        permanent=known.permanent,
        pause_sender=known.pause_sender,
    )


def hang_up() -> None:
    """Closes the connections that are not in use; a client in use by another thread makes itself a new one."""
    while _clients:
        _clients.popitem()[1].close()


def warm() -> None:
    """Loads the SDK."""
    import boto3  # noqa: F401


TRANSPORT = Transport(send=send, find=find, may_resend=False, warm=warm, hang_up=hang_up, patience=PATIENCE)
