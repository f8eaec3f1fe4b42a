"""Postmark's HTTP API under /postmark, as django-anymail calls it, and the message searches a reconciler needs."""

import json
from datetime import datetime, timedelta
from email.utils import getaddresses
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from omnify.lib.clock import now
from omnify.simulator import mail, postmark_suppressions
from omnify.simulator.accounts import Account
from omnify.simulator.faults import Plan
from omnify.simulator.people import normal
from omnify.simulator.resources import Resource
from omnify.simulator.serving import serve
from omnify.simulator.world import World

EASTERN = ZoneInfo("America/New_York")
# What the search of inbound mail shows of each; texts and headers are in the details.
SHOWN_INBOUND = (
    "From", "FromName", "FromFull", "To", "ToFull", "Cc", "CcFull", "ReplyTo", "OriginalRecipient", "Subject", "Date",
    "MailboxHash", "Tag", "Attachments", "MessageID", "MessageStream",
)  # fmt: skip
NOT_IN_BOUNCES = ("Metadata", "Content")
# ErrorCode: message. postmarkapp.com/developer/api/overview#error-codes
ERRORS = {
    10: "No Account or Server API tokens were supplied, or they are not valid.",
    300: "Invalid email request.",
    400: "The 'From' address you supplied is not a Sender Signature on your account.",
    403: "Incompatible JSON.",
    406: "You tried to send to a recipient that has been marked as inactive.",
    410: "Too many batch messages.",
    701: "This message does not exist.",
}


def error(code: int, message: str = "", status: int = 422) -> Response:
    return JSONResponse({"ErrorCode": code, "Message": message or ERRORS.get(code, "Refused.")}, status)


def refusal(status: int, code: str) -> Response:
    return (
        error(int(code)) if code else error(status, {429: "Rate limit exceeded."}.get(status, "Server error."), status)
    )


def _account(world: World, request: Request) -> Account | None:
    return world.accounts.get("postmark", request.headers.get("x-postmark-server-token", ""))


def _recipients(message: dict[str, Any]) -> list[str]:
    fields = [str(message.get(name) or "") for name in ("To", "Cc", "Bcc")]
    return [email for _, email in getaddresses([field for field in fields if field])]


def _inactive(world: World, account: Account, recipients: list[str]) -> list[str]:
    """Recipients on the account's list of suppressions: Postmark refuses them."""
    return sorted({normal(r) for r in recipients} & postmark_suppressions.suppressed(world, account).keys())


def send(world: World, account: Account, message: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """One message of an API call: accepted on the ledger, or refused. Returns Postmark's answer for it."""
    recipients = _recipients(message)
    sender = next((email for _, email in getaddresses([str(message.get("From") or "")])), "")
    bad = [r for r in recipients if r.count("@") != 1 or "." not in r.rpartition("@")[2]]
    if not recipients or bad:
        return {"ErrorCode": 300, "Message": f"Invalid 'To' address: '{bad[0] if bad else ''}'."}
    senders = {s.lower() for s in account.get("senders", [])}
    if senders and not senders & {sender.lower(), "@" + sender.lower().rpartition("@")[2]}:
        return {"ErrorCode": 400, "Message": ERRORS[400]}
    if not (message.get("TextBody") or message.get("HtmlBody")):
        return {"ErrorCode": 300, "Message": "Provide either email TextBody or HtmlBody or both."}
    inactive = _inactive(world, account, recipients)
    live = [r for r in recipients if normal(r) not in inactive]
    note = f"Found inactive addresses: {', '.join(inactive)}. "
    if not live:
        why = "Inactive recipients are ones that have generated a hard bounce or a spam complaint."
        return {"ErrorCode": 406, "Message": f"{ERRORS[406]}\n {note}{why}"}
    headers = {str(h["Name"]): str(h["Value"]) for h in message.get("Headers") or []}
    lower = {name.lower(): value for name, value in headers.items()}
    metadata = message.get("Metadata") or {}
    # Postmark replaces the Message-ID unless X-PM-KeepID says to keep ours.
    kept = lower.get("message-id", "") if lower.get("x-pm-keepid", "").lower() == "true" else ""
    if message.get("ReplyTo"):
        headers["Reply-To"] = str(message["ReplyTo"])
    stored = mail.accept(
        world,
        "postmark",
        {
            "account": account["server_token"], "from": sender, "subject": message.get("Subject") or "",
            "text": message.get("TextBody") or "", "html": message.get("HtmlBody") or "", "message_id": kept,
            "mark": str(metadata.get("m") or next(iter(metadata.values()), "") or kept), "metadata": metadata,
            "tag": message.get("Tag") or "", "stream": message.get("MessageStream") or "outbound", "headers": headers,
        },
        live,
        plan,
    )  # fmt: skip
    text = f"Message OK, but will not deliver to these inactive addresses: {', '.join(inactive)}." if inactive else "OK"
    return {
        "To": message.get("To"), "SubmittedAt": stored["created"], "MessageID": stored["id"], "ErrorCode": 0,
        "Message": text,
    }  # fmt: skip


async def email(request: Request) -> Response:
    """POST /email (one message) and POST /email/batch (a list; each answered for itself)."""
    world: World = request.app.state.world
    try:
        body = json.loads(await request.body())
        messages = body if isinstance(body, list) else [body]
        first = next(iter(_recipients(messages[0])), "") if messages else ""
    except (ValueError, AttributeError, KeyError):
        return error(403)
    plan = world.faults.draw("postmark", "create", normal(first))

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return error(10, status=401)
        if len(messages) > 500:
            return error(410)
        answers = [send(world, account, message, plan) for message in messages]
        await world.ledger.durable()
        if isinstance(body, list):
            return JSONResponse(answers)
        return JSONResponse(answers[0], 422 if answers[0]["ErrorCode"] else 200)

    return await serve(request, plan, act, refusal)


def shown(stored: Resource) -> dict[str, Any]:
    """A sent message as the search shows it."""
    return {
        "Tag": stored["tag"], "MessageID": stored["id"], "MessageStream": stored["stream"], "From": stored["from"],
        "To": [{"Email": r, "Name": ""} for r in stored["to"]], "Cc": [], "Bcc": [], "Recipients": stored["to"],
        "ReceivedAt": stored["created"], "Subject": stored["subject"], "Attachments": [], "Status": stored["status"],
        "TrackOpens": False, "TrackLinks": "None", "Metadata": stored["metadata"],
    }  # fmt: skip


async def outbound(request: Request) -> Response:
    """Search sent mail by recipient and metadata_<name>, newest first."""
    world: World = request.app.state.world
    query = dict(request.query_params)
    plan = world.faults.draw("postmark", "list", normal(query.get("recipient", "")))

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return error(10, status=401)
        asked = {name.removeprefix("metadata_"): v for name, v in query.items() if name.startswith("metadata_")}
        recipient = normal(query.get("recipient", ""))
        found = [
            stored
            for stored in world.resources.newest_first("postmark")
            if stored["account"] == account["server_token"]
            and (not recipient or recipient in [normal(r) for r in stored["to"]])
            and all(str(stored["metadata"].get(name)) == value for name, value in asked.items())
            and _in_stream(stored, query)
            and _on_these_days(stored["created"], query)
            and _listed(stored, plan)
        ]
        return JSONResponse({"TotalCount": len(found), "Messages": [shown(s) for s in _window(found, query)]})

    return await serve(request, plan, act, refusal)


async def inbound(request: Request) -> Response:
    """Search what people wrote to us, newest first, without the texts: where a poller finds replies a webhook lost."""
    world: World = request.app.state.world
    query = dict(request.query_params)
    plan = world.faults.draw("postmark", "list")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return error(10, status=401)
        found = [
            {**{name: s["payload"][name] for name in SHOWN_INBOUND}, "Status": "Processed"}
            for s in world.resources.newest_first("postmark-inbound")
            if s["account"] == account["server_token"] and _on_these_days(s["created"], query) and _listed(s, plan)
        ]
        return JSONResponse({"TotalCount": len(found), "InboundMessages": _window(found, query)})

    return await serve(request, plan, act, refusal)


async def bounces(request: Request) -> Response:
    """What came back and who complained, newest first."""
    world: World = request.app.state.world
    query = dict(request.query_params)
    plan = world.faults.draw("postmark", "list")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return error(10, status=401)
        found = [
            {**{name: value for name, value in each.items() if name not in NOT_IN_BOUNCES}, "RecordType": "Bounce"}
            for stored in world.resources.newest_first("postmark")
            if stored["account"] == account["server_token"] and _in_stream(stored, query) and _listed(stored, plan)
            for each in stored.get("bounces", [])
            if _on_these_days(each["BouncedAt"], query)
        ]
        found.sort(key=lambda each: str(each["BouncedAt"]), reverse=True)
        return JSONResponse({"TotalCount": len(found), "Bounces": _window(found, query)})

    return await serve(request, plan, act, refusal)


async def suppressions(request: Request) -> Response:
    """Whom Postmark refuses in this stream, and why."""
    world: World = request.app.state.world
    query = dict(request.query_params)
    plan = world.faults.draw("postmark", "list")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return error(10, status=401)
        stream = request.path_params["stream"]
        found = [
            each
            for each in postmark_suppressions.suppressed(world, account, stream).values()
            if _on_these_days(each["CreatedAt"], query)
        ]
        return JSONResponse({"Suppressions": found})

    return await serve(request, plan, act, refusal)


async def details(request: Request) -> Response:
    """One message in full, sent or received."""
    world: World = request.app.state.world
    account = _account(world, request)
    if account is None:
        return error(10, status=401)
    direction = request.path_params["direction"]
    provider = "postmark" if direction == "outbound" else "postmark-inbound"
    stored = world.resources.get(provider, request.path_params["id"])
    if stored is None or stored["account"] != account["server_token"]:
        return error(701)
    if direction == "inbound":
        return JSONResponse({**stored["payload"], "Status": "Processed"})
    events = [
        {
            "Recipient": each["recipient"],
            "Type": "Delivered",
            "ReceivedAt": each["at"],
            "Details": {"DeliveryMessage": "250 OK"},
        }
        for each in stored.get("events", [])
    ]
    return JSONResponse(
        {**shown(stored), "TextBody": stored["text"], "HtmlBody": stored["html"], "MessageEvents": events}
    )


def _on_these_days(moment: str, query: dict[str, str]) -> bool:
    """Postmark's fromdate and todate: whole days in Eastern time, both included."""
    day = datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone(EASTERN).date().isoformat()
    return query.get("fromdate", day)[:10] <= day <= query.get("todate", day)[:10]


def _in_stream(stored: Resource, query: dict[str, str]) -> bool:
    """Postmark shows one stream at a time: "outbound", unless another is asked for."""
    return bool((stored["stream"] or "outbound") == query.get("messagestream", "outbound"))


def _listed(stored: Resource, plan: Plan) -> bool:
    age = now() - datetime.fromisoformat(stored["created"])
    return age >= timedelta(seconds=max(stored["lag_s"], plan.listing_lag_s))


def _window(found: list[Any], query: dict[str, str]) -> list[Any]:
    """The page `offset` and `count` ask for; nonsense in them means the first 100."""
    asked = {name: int(value) for name, value in query.items() if value.isdecimal()}
    offset, count = asked.get("offset", 0), min(asked.get("count", 100), 500)
    return found[offset : offset + count]


routes = [
    Route("/postmark/email", email, methods=["POST"]),
    Route("/postmark/email/batch", email, methods=["POST"]),
    Route("/postmark/messages/outbound", outbound, methods=["GET"]),
    Route("/postmark/messages/inbound", inbound, methods=["GET"]),
    Route("/postmark/bounces", bounces, methods=["GET"]),
    Route("/postmark/message-streams/{stream}/suppressions/dump", suppressions, methods=["GET"]),
    Route("/postmark/messages/{direction}/{id}/details", details, methods=["GET"]),
    *postmark_suppressions.routes,
]
