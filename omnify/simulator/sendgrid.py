"""SendGrid's HTTP API under /sendgrid: Mail Send, Email Activity, the lists of suppressed addresses, the event webhook's key.

Source: docs.sendgrid.com, API reference, version 3.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from omnify.lib.clock import now
from omnify.simulator import mail
from omnify.simulator.accounts import Account
from omnify.simulator.esp import LISTS
from omnify.simulator.faults import Plan
from omnify.simulator.people import normal
from omnify.simulator.resources import Resource
from omnify.simulator.serving import serve
from omnify.simulator.signing import sendgrid_public_key
from omnify.simulator.world import World

NAMES = ("bounces", "blocks", "spam_reports", "unsubscribes", "invalid_emails")
DROPPED = {
    "bounces": "Bounced Address",
    "spam_reports": "Spam Reporting Address",
    "unsubscribes": "Unsubscribed Address",
}
_MARK = re.compile(r"unique_args\['(\w+)'\]=\"([^\"]*)\"")
_FROM = re.compile(r'from_email="([^"]*)"')
_SPAN = re.compile(r'last_event_time BETWEEN TIMESTAMP "([^"]*)" AND TIMESTAMP "([^"]*)"')


def error(status: int, message: str, field: str | None = None) -> Response:
    return JSONResponse({"errors": [{"message": message, "field": field, "help": None}]}, status)


def refusal(status: int, code: str) -> Response:
    """`code`: a status, or a status and a field, "400:personalizations.0.to.0.email"."""
    given, _, about = code.partition(":")
    words = {401: "The provided authorization grant is invalid, expired, or revoked", 429: "too many requests"}
    if code:
        return error(int(given), words.get(int(given), "Refused."), about or None)
    if status >= 500:
        return Response("upstream connect error", status)
    return error(status, words.get(status, "Refused."))


def _account(world: World, request: Request) -> Account | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return world.accounts.get("sendgrid", key) if scheme == "Bearer" else None


def unauthorized() -> Response:
    return error(401, "The provided authorization grant is invalid, expired, or revoked")


async def send(request: Request) -> Response:
    world: World = request.app.state.world
    try:
        body = json.loads(await request.body())
        to = [str(each["email"]) for each in body["personalizations"][0]["to"]]
    except (ValueError, LookupError, TypeError):
        return error(400, "Bad Request")
    plan = world.faults.draw("sendgrid", "create", normal(to[0]) if to else "")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return unauthorized()
        for n, address in enumerate(to):
            if address.count("@") != 1 or "." not in address.rpartition("@")[2]:
                return error(400, "Does not contain a valid address.", f"personalizations.0.to.{n}.email")
        texts = {each["type"]: each["value"] for each in body.get("content", [])}
        if not texts or not body.get("subject"):
            return error(400, "The subject and content are required.", "subject")
        stored = _accepted(world, account, body, to, texts, plan)
        await world.ledger.durable()
        return Response(b"", 202, headers={"X-Message-Id": stored["id"]})

    return await serve(request, plan, act, refusal)


def _accepted(
    world: World, account: Account, body: dict[str, Any], to: list[str], texts: dict[str, str], plan: Plan
) -> Resource:
    first = body["personalizations"][0]
    args = {str(name): str(value) for name, value in (first.get("custom_args") or {}).items()}
    headers = {str(name): str(value) for name, value in (body.get("headers") or {}).items()}
    if body.get("reply_to"):
        headers["Reply-To"] = str(body["reply_to"]["email"])
    kept = next((value for name, value in headers.items() if name.lower() == "message-id"), "")
    dropped = {normal(each): name for name in DROPPED for each in _list(account, name)}
    return mail.accept(
        world,
        "sendgrid",
        {
            "account": account["api_key"], "from": str(body["from"]["email"]), "subject": body["subject"],
            "text": texts.get("text/plain", ""), "html": texts.get("text/html", ""), "message_id": kept,
            "mark": args.get("m", ""), "metadata": args, "tag": "", "stream": "", "headers": headers,
            "dropped": {normal(each): DROPPED[dropped[normal(each)]] for each in to if normal(each) in dropped},
        },
        to,
        plan,
    )  # fmt: skip


async def activity(request: Request) -> Response:
    """Email Activity: what was sent, newest first, without custom arguments."""
    world: World = request.app.state.world
    plan = world.faults.draw("sendgrid", "list")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return unauthorized()
        if not account.get("email_activity"):
            return error(403, "access forbidden")
        query, limit = request.query_params.get("query", ""), request.query_params.get("limit", "10")
        found = [_shown(each) for each in _asked(world, account, query, plan)]
        return JSONResponse({"messages": found[: min(int(limit), 1000) if limit.isdecimal() else 10]})

    return await serve(request, plan, act, refusal)


def _asked(world: World, account: Account, query: str, plan: Plan) -> list[Resource]:
    mark, sender, span = _MARK.search(query), _FROM.search(query), _SPAN.search(query)
    found = []
    for stored in world.resources.newest_first("sendgrid"):
        age = now() - datetime.fromisoformat(stored["created"])
        if stored["account"] != account["api_key"] or age < timedelta(seconds=max(stored["lag_s"], plan.listing_lag_s)):
            continue
        if mark and stored["metadata"].get(mark[1]) != mark[2]:
            continue
        if sender and stored["from"] != sender[1]:
            continue
        if span and not _moment(span[1]) <= datetime.fromisoformat(stored["updated"]) <= _moment(span[2]) + timedelta(
            seconds=1
        ):
            continue
        found.append(stored)
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _shown(stored: Resource) -> dict[str, Any]:
    arrived = any(each["kind"] == "Delivery" for each in stored.get("events", []))
    return {
        "from_email": stored["from"], "msg_id": f"{stored['id']}.recvd-7d9b-1-0", "subject": stored["subject"],
        "to_email": stored["to"][0], "status": "delivered" if arrived else "processed", "opens_count": 0,
        "clicks_count": 0, "last_event_time": stored["updated"].replace("+00:00", "Z"),
    }  # fmt: skip


async def one(request: Request) -> Response:
    world: World = request.app.state.world
    account = _account(world, request)
    if account is None:
        return unauthorized()
    stored = world.resources.get("sendgrid", request.path_params["id"].partition(".")[0])
    if stored is None or stored["account"] != account["api_key"] or not account.get("email_activity"):
        return error(404, "message not found")
    return JSONResponse({**_shown(stored), "unique_args": json.dumps(stored["metadata"]), "events": []})


def _list(account: Account, name: str) -> dict[str, Any]:
    lists = account.setdefault("lists", {})
    found: dict[str, Any] = lists.setdefault(name, {})
    return found


def put(world: World, account: Account, name: str, address: str) -> None:
    """Puts an address on one of the lists."""
    entry = {"email": address, "created": int(now().timestamp()), "reason": "", "status": ""}
    _list(account, name).setdefault(normal(address), entry)
    world.accounts.save()


def suppress(world: World, account: Account, event: str, address: str) -> None:
    """What an event (in Postmark's words) does to the lists."""
    if event in LISTS:
        put(world, account, LISTS[event], address)


async def listing(request: Request) -> Response:
    """GET one list, or DELETE addresses from it."""
    world: World = request.app.state.world
    name = request.path_params["name"]
    plan = world.faults.draw("sendgrid", "list")
    removed = json.loads(await request.body() or b"{}") if request.method == "DELETE" else {}

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return unauthorized()
        if name not in NAMES:
            return error(404, "not found")
        entries = _list(account, name)
        if request.method == "DELETE":
            for address in removed.get("emails", []):
                entries.pop(normal(str(address)), None)
            world.accounts.save()
            return Response(b"", 204)
        asked = {key: int(value) for key, value in request.query_params.items() if value.isdecimal()}
        found = sorted(entries.values(), key=lambda each: -each["created"])
        found = [
            each for each in found if asked.get("start_time", 0) <= each["created"] <= asked.get("end_time", 10**11)
        ]
        start = asked.get("offset", 0)
        return JSONResponse(found[start : start + asked.get("limit", 500)])

    return await serve(request, plan, act, refusal)


async def unsubscribe(request: Request) -> Response:
    """POST addresses to the global unsubscribes, or DELETE one."""
    world: World = request.app.state.world
    account = _account(world, request)
    if account is None:
        return unauthorized()
    if request.method == "DELETE":
        _list(account, "unsubscribes").pop(normal(request.path_params["email"]), None)
        world.accounts.save()
        return Response(b"", 204)
    given = json.loads(await request.body())["recipient_emails"]
    for address in given:
        put(world, account, "unsubscribes", str(address))
    return JSONResponse({"recipient_emails": given}, 201)


async def signing_key(request: Request) -> Response:
    """The key that this account's events are signed with, as SendGrid's settings show it."""
    account = _account(request.app.state.world, request)
    return unauthorized() if account is None else JSONResponse({"public_key": sendgrid_public_key(account["api_key"])})


routes = [
    Route("/sendgrid/v3/mail/send", send, methods=["POST"]),
    Route("/sendgrid/v3/messages", activity, methods=["GET"]),
    Route("/sendgrid/v3/messages/{id}", one, methods=["GET"]),
    Route("/sendgrid/v3/suppression/{name}", listing, methods=["GET", "DELETE"]),
    Route("/sendgrid/v3/asm/suppressions/global", unsubscribe, methods=["POST"]),
    Route("/sendgrid/v3/asm/suppressions/global/{email}", unsubscribe, methods=["DELETE"]),
    Route("/sendgrid/v3/user/webhooks/event/settings/signed", signing_key, methods=["GET"]),
]
