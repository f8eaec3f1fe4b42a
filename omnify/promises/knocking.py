"""Requests at the webhook door, as providers make them and sign them, and a way to hand thousands of them to it."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from omnify.simulator.signing import sendgrid_signature, twilio_signature, vapi_signature
from omnify.simulator.sns import Topics
from sequences.models import Sender
from sequences.webhooks.ingest import Ingest

FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclass(frozen=True)
class Knock:
    """One POST. `path` with its query, as it comes in; `headers` as (name in lower case, value)."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"

    def header(self, name: str) -> str:
        return dict(self.headers).get(name, "")

    def having(self, **values: str | None) -> "Knock":
        """The same with these headers (underscores for hyphens); None takes one away."""
        named = {name.replace("_", "-"): value for name, value in values.items()}
        kept = [pair for pair in self.headers if pair[0] not in named]
        return self.like(headers=(*kept, *((name, value) for name, value in named.items() if value is not None)))

    def like(self, **changes: Any) -> "Knock":
        return Knock(**{"path": self.path, "headers": self.headers, "body": self.body, "method": self.method} | changes)


def twilio(sender: Sender, way: str, fields: dict[str, str], *, encode: Callable[[Any], str] = urlencode) -> Knock:
    """A form that Twilio signed for {PUBLIC_URL}/hooks/twilio/<key>/<way>."""
    given = {"AccountSid": str(sender.config["account_sid"]), **fields}
    path = f"/hooks/twilio/{sender.webhook_key}/{way}"
    signature = twilio_signature(settings.PUBLIC_URL + path, given, str(sender.credentials["auth_token"]))
    return Knock(path, (("content-type", FORM), ("x-twilio-signature", signature)), encode(given).encode())


def vapi(sender: Sender, message: dict[str, Any], seconds: float, *, spaces: bool = False) -> Knock:
    """A server message that VAPI signed with the sender's hmac_secret at this moment (seconds since 1970)."""
    body = json.dumps({"message": message}, separators=None if spaces else (",", ":")).encode()
    stamp = str(round(seconds))
    signature = vapi_signature(stamp, body, str(sender.credentials["hmac_secret"]))
    headers = (("content-type", "application/json"), ("x-timestamp", stamp), ("x-signature", signature))
    return Knock(f"/hooks/vapi/{sender.webhook_key}", headers, body)


def vapi_by_secret(sender: Sender, message: dict[str, Any]) -> Knock:
    headers = (("content-type", "application/json"), ("x-vapi-secret", str(sender.credentials["webhook_secret"])))
    return Knock(f"/hooks/vapi/{sender.webhook_key}", headers, json.dumps({"message": message}).encode())


def postmark(sender: Sender, event: dict[str, Any]) -> Knock:
    """An event behind the sender's user and password, which are all that Postmark has."""
    token = base64.b64encode(str(sender.credentials["webhook_secret"]).encode()).decode()
    headers = (("content-type", "application/json"), ("authorization", f"Basic {token}"))
    return Knock(f"/hooks/postmark/{sender.webhook_key}", headers, json.dumps(event).encode())


def at_the_door(knocks: Sequence[Knock], *, together: int = 100) -> list[int]:
    """The statuses of these requests, so many at once, through a door of our own."""

    async def all_of_them() -> list[int]:
        door, statuses = Ingest(), []
        try:
            for start in range(0, len(knocks), together):
                statuses += await asyncio.gather(*(_answer(door, each) for each in knocks[start : start + together]))
        finally:
            await door.close()
        return statuses

    return asyncio.run(all_of_them())


async def _answer(door: Callable[[Any, Any, Any], Awaitable[None]], knock: Knock) -> int:
    parts = urlsplit(knock.path)
    scope = {
        "type": "http",
        "method": knock.method,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in knock.headers],
    }
    told: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": knock.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    await door(scope, receive, send)
    return told[0]


GRID_SIGNATURE, GRID_STAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
# The one SNS of a proof: every tenant's topics are signed by the same certificate, as Amazon's are.
SNS = Topics("http://sns.proof.invalid")


def sendgrid(sender: Sender, event: dict[str, Any], seconds: float) -> Knock:
    """A batch of one event, signed with the sender's key at this moment."""
    body, stamp = json.dumps([event]).encode(), str(round(seconds))
    signature = sendgrid_signature(str(sender.credentials["api_key"]), stamp, body)
    headers = (("content-type", "application/json"), (GRID_STAMP, stamp), (GRID_SIGNATURE, signature))
    return Knock(f"/hooks/sendgrid/{sender.webhook_key}/events", headers, body)


def sns(sender: Sender, event: dict[str, Any], message_id: str, *, at: str = "") -> Knock:
    """An event of SES's through the sender's topic; `at`: of another time than now."""
    told = {"Type": "Notification", "MessageId": message_id, "TopicArn": str(sender.config["topic_arn"])}
    body = SNS.signed({**told, "Message": json.dumps(event), **({"Timestamp": at} if at else {})})
    return Knock(f"/hooks/ses/{sender.webhook_key}", (("content-type", "text/plain; charset=UTF-8"),), body)


@contextmanager
def certified() -> Iterator[None]:
    """The door knows SNS's certificate already, so that nothing is fetched while thousands knock."""
    from cryptography.x509 import load_pem_x509_certificate

    from sequences.webhooks import certificates

    before, settings.SIMULATOR_URL = settings.SIMULATOR_URL, SNS.base
    certificates.remember(SNS.certificate_url, load_pem_x509_certificate(SNS.pem))
    try:
        yield
    finally:
        settings.SIMULATOR_URL = before


def secret_of(knock: Knock, names: Sequence[str]) -> tuple[str, str]:
    """(where it is, the secret or signature) of a request: a header of these names, or SNS's field."""
    if "/hooks/ses/" in knock.path:
        return "Signature", str(json.loads(knock.body)["Signature"])
    name = next(each for each in names if knock.header(each))
    return name, knock.header(name)


def with_secret(knock: Knock, name: str, value: str | None) -> Knock:
    """The request with another secret in that place, or with none."""
    if "/hooks/ses/" not in knock.path:
        return knock.having(**{name.replace("-", "_"): value})
    told = {key: each for key, each in json.loads(knock.body).items() if key != name}
    return knock.like(body=json.dumps(told if value is None else {**told, name: value}).encode())
