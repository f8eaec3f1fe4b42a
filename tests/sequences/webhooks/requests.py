"""Signed requests as providers make them, and a way to hand them to the webhook door."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from django.conf import settings

from omnify.simulator.signing import twilio_signature, vapi_signature
from sequences.models import ProviderEvent, Sender
from sequences.webhooks.ingest import Ingest

SID = "SM" + "0123456789abcdef" * 2
CALL = "0f9c2f3a-1111-4222-8333-444455556666"
MARK = "0199c0de-0000-7000-8000-00000000000a"
PERSON = "+12125550100"
REPORT = {"type": "end-of-call-report", "call": {"id": CALL, "name": MARK}, "endedReason": "customer-ended-call"}
BOUNCE = {"RecordType": "Bounce", "MessageID": "m-1", "ID": 7, "Type": "HardBounce", "Metadata": {"m": MARK}}


def twilio(sender: Sender, path: str, *, token: str = "", account: str = "", **fields: str) -> dict[str, Any]:
    """A Twilio form post to /hooks/twilio/<key>/<path>, signed."""
    params = {"AccountSid": account or sender.config["account_sid"], "MessageSid": SID} | fields
    target = f"/hooks/twilio/{sender.webhook_key}/{path}"
    signature = twilio_signature(settings.PUBLIC_URL + target, params, token or sender.credentials["auth_token"])
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-twilio-signature": signature,
    }
    return {"method": "POST", "url": target, "content": urlencode(params).encode(), "headers": headers}


def inbound(sender: Sender, person: str, body: str, sid: str = SID, **fields: str) -> dict[str, Any]:
    return twilio(sender, "inbound", MessageSid=sid, From=person, To=sender.address, Body=body, **fields)


def status(sender: Sender, mark: object, word: str, sid: str = SID, **fields: str) -> dict[str, Any]:
    return twilio(sender, f"status/{mark}", MessageSid=sid, MessageStatus=word, **fields)


def vapi(sender: Sender, message: dict[str, Any], *, secret: str = "", now: datetime | None = None) -> dict[str, Any]:
    """A VAPI server message with the sender's secret, or, with `now`, signed by its hmac_secret at that time."""
    body = json.dumps({"message": message}).encode()
    headers = {"content-type": "application/json"}
    if now is None:
        headers["x-vapi-secret"] = secret or sender.credentials["webhook_secret"]
    else:
        timestamp = str(round(now.timestamp()))
        key = secret or sender.credentials["hmac_secret"]
        headers |= {"x-timestamp": timestamp, "x-signature": vapi_signature(timestamp, body, key)}
    return {"method": "POST", "url": f"/hooks/vapi/{sender.webhook_key}", "content": body, "headers": headers}


def postmark(sender: Sender, event: dict[str, Any], *, secret: str = "") -> dict[str, Any]:
    token = base64.b64encode((secret or sender.credentials["webhook_secret"]).encode()).decode()
    return {
        "method": "POST",
        "url": f"/hooks/postmark/{sender.webhook_key}",
        "content": json.dumps(event).encode(),
        "headers": {"content-type": "application/json", "authorization": f"Basic {token}"},
    }


Ask = Callable[[dict[str, Any]], Awaitable[httpx.Response]]


def through_the_door(act: Callable[[Ask], Awaitable[Any]]) -> Any:
    """Runs `act(ask)` with a door of its own; `ask(request)` is one request through it."""

    async def run() -> Any:
        door = Ingest()
        transport = httpx.ASGITransport(app=door)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=settings.PUBLIC_URL) as client:
            try:
                return await act(lambda request: client.request(**request))
            finally:
                await door.close()

    return asyncio.run(run())


def knock(*requests: dict[str, Any]) -> list[int]:
    """The statuses of these requests, made one after the other."""

    async def act(ask: Ask) -> list[int]:
        return [(await ask(request)).status_code for request in requests]

    return through_the_door(act)


@contextmanager
def as_web_role() -> Iterator[None]:
    """The door's own connections log in as the role of the web processes."""
    from django.db import connection

    before = connection.settings_dict["OPTIONS"].get("options", "")
    connection.settings_dict["OPTIONS"]["options"] = "-c role=omnify_web"
    try:
        yield
    finally:
        connection.settings_dict["OPTIONS"]["options"] = before


def events() -> list[ProviderEvent]:
    return list(ProviderEvent.objects.all_tenants().order_by("id"))
