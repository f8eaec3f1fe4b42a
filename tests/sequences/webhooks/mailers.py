"""What SendGrid and Amazon SNS post, signed as they sign it, and certificates that need no network."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.x509 import load_pem_x509_certificate

from omnify.lib.clock import now
from omnify.simulator.signing import sendgrid_signature
from omnify.simulator.sns import Topics
from sequences.models import Sender
from sequences.webhooks import certificates
from tests.sequences.webhooks.requests import MARK

SIGNATURE, STAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
DELIVERED = {
    "event": "delivered",
    "email": "pat@people.example",
    "timestamp": 1_790_000_000,
    "sg_event_id": "ev-1",
    "sg_message_id": "msg-1.recvd-7d9b-1-0",
    "m": MARK,
}
TOPICS = Topics("http://simulator.test")


def sendgrid(sender: Sender, *events: dict[str, Any], key: str = "", at: float | None = None) -> dict[str, Any]:
    """A batch of events, signed with the sender's key."""
    body = json.dumps(list(events)).encode()
    stamp = str(int(at if at is not None else now().timestamp()))
    return {
        "method": "POST",
        "url": f"/hooks/sendgrid/{sender.webhook_key}/events",
        "content": body,
        "headers": {
            "content-type": "application/json",
            STAMP: stamp,
            SIGNATURE: sendgrid_signature(key or sender.credentials["api_key"], stamp, body),
        },
    }


def parsed_mail(sender: Sender, *, secret: str = "", **fields: Any) -> dict[str, Any]:
    """A mail to us as Inbound Parse posts it. Values may be bytes."""
    given = {
        "from": "Pat Doe <pat@people.example>",
        "to": "hello@acme.example",
        "subject": "Re: hello",
        "text": "Yes please",
        "headers": "From: Pat Doe <pat@people.example>\nMessage-ID: <m1@people.example>\n",
        "envelope": json.dumps({"to": ["hello@acme.example"], "from": "pat@people.example"}),
        "charsets": json.dumps({"text": "utf-8", "subject": "UTF-8"}),
    } | fields
    parts = b"".join(
        f'--xYz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + (value if isinstance(value, bytes) else str(value).encode())
        + b"\r\n"
        for name, value in given.items()
    )
    token = base64.b64encode((secret or sender.credentials["webhook_secret"]).encode()).decode()
    return {
        "method": "POST",
        "url": f"/hooks/sendgrid/{sender.webhook_key}/inbound",
        "content": parts + b"--xYz--\r\n",
        "headers": {"content-type": "multipart/form-data; boundary=xYz", "authorization": f"Basic {token}"},
    }


def ses_event(name: str, mark: str = MARK, **details: Any) -> dict[str, Any]:
    """An event of a configuration set."""
    mail = {"messageId": "ses-1", "destination": ["pat@people.example"], "tags": {"m": [mark]} if mark else {}}
    return {"eventType": name, "mail": mail, name[0].lower() + name[1:]: details}


def sns(
    sender: Sender, event: dict[str, Any] | str, *, topic: str = "", version: str = "2", **more: Any
) -> dict[str, Any]:
    """A signed message of the sender's topic."""
    message = event if isinstance(event, str) else json.dumps(event)
    told = {"Type": "Notification", "MessageId": more.pop("message_id", "sns-1"), "Message": message, **more}
    body = TOPICS.signed({**told, "TopicArn": topic or sender.config["topic_arn"]}, version=version)
    return posted(sender, body)


def posted(sender: Sender, body: bytes) -> dict[str, Any]:
    headers = {"content-type": "text/plain; charset=UTF-8"}
    return {"method": "POST", "url": f"/hooks/ses/{sender.webhook_key}", "content": body, "headers": headers}


@contextmanager
def certified(settings: Any) -> Iterator[None]:
    """The simulator's certificate is known; nothing is fetched."""
    settings.SIMULATOR_URL = TOPICS.base
    certificates._known.clear()
    certificates.remember(TOPICS.certificate_url, load_pem_x509_certificate(TOPICS.pem))
    yield
    certificates._known.clear()
