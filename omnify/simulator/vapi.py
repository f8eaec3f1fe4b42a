"""VAPI's REST API under /vapi: place a call, look at one, list them."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from omnify.lib.clock import now
from omnify.simulator import calls
from omnify.simulator.accounts import Account
from omnify.simulator.resources import Resource
from omnify.simulator.serving import serve
from omnify.simulator.world import World

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
}
# Query parameter -> (field of the call, whether the call's time may come before / equal / after the given one).
_TIMES = {
    f"{name}At{word}": (field, word)
    for name, field in (("created", "created"), ("updated", "updated"))
    for word in ("Gt", "Lt", "Ge", "Le")
}


def error(status: int, message: str) -> Response:
    return JSONResponse({"message": message, "error": _NAMES.get(status, "Error"), "statusCode": status}, status)


def refusal(status: int, code: str) -> Response:
    """VAPI refuses with a sentence; a scripted code is that sentence."""
    return error(status or 400, code or _NAMES.get(status, "Service Unavailable"))


def _account(world: World, request: Request) -> Account | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return world.accounts.get("vapi", key) if scheme.lower() == "bearer" else None


def problem(account: Account, body: dict[str, Any]) -> str:
    """Why VAPI would refuse this call, "" if it would not."""
    customer = body.get("customer")
    if body.get("customers"):
        return "customers: batch calls are not simulated; send one call per customer"
    if not isinstance(customer, dict) or not customer.get("number"):
        return "Need a `customer` with a `number` to place an outbound phone call"
    if not _E164.fullmatch(str(customer["number"])):
        return "customer.number must be a valid phone number in the E.164 format"
    if not body.get("assistantId") and not body.get("assistant"):
        return "Need either `assistantId`, `assistant`, `squadId`, or `squad`"
    known = account.get("phone_number_ids")
    if not body.get("phoneNumberId") or (known is not None and body["phoneNumberId"] not in known):
        return f"phoneNumberId {body.get('phoneNumberId')!r} does not exist"
    if len(str(body.get("name") or "")) > 40:
        return "name must be shorter than or equal to 40 characters"
    return ""


async def create(request: Request) -> Response:
    world: World = request.app.state.world
    try:
        body = json.loads(await request.body())
        number = str((body.get("customer") or {}).get("number", ""))
    except (ValueError, AttributeError):
        return error(400, "the body is not a JSON object")
    plan = world.faults.draw("vapi", "create", number)

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return error(401, "Invalid Key. Hot tip, you may be using the public key instead of the private one.")
        wrong = problem(account, body)
        if wrong:
            return error(400, wrong)
        answer = calls.shown(calls.accept(world, account, body, plan))  # as it is now: the phone rings a moment later
        await world.ledger.durable()
        return JSONResponse(answer, 201)

    return await serve(request, plan, act, refusal)


async def one(request: Request) -> Response:
    world: World = request.app.state.world
    plan = world.faults.draw("vapi", "get")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return error(401, "Invalid Key.")
        call = world.resources.get("vapi", request.path_params["id"])
        if call is None or call["account"] != account["api_key"]:
            return error(404, "Call does not exist")
        return JSONResponse(calls.shown(call))

    return await serve(request, plan, act, refusal)


async def delete(request: Request) -> Response:
    """Deletes a call: one that waits is never dialled, one that has ended keeps its place on the record."""
    world: World = request.app.state.world
    plan = world.faults.draw("vapi", "cancel")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return error(401, "Invalid Key.")
        call = world.resources.get("vapi", request.path_params["id"])
        if call is None or call["account"] != account["api_key"]:
            return error(404, "Call does not exist")
        if call["status"] in ("queued", "scheduled"):
            gone = {"ended_reason": "call-deleted", "ended_at": now().isoformat(), "turns": [], "transcript": ""}
            call = world.change("vapi", call["id"], status="ended", **gone)
            await world.ledger.durable()
            world.courier.start(calls.tell_of_end(world, call, plan))
        return JSONResponse(calls.shown(call))

    return await serve(request, plan, act, refusal)


def _matches(call: Resource, query: dict[str, str]) -> bool:
    body = call["request"]
    if query.get("id", call["id"]) != call["id"]:
        return False
    if any(query.get(name, body.get(name)) != body.get(name) for name in ("phoneNumberId", "assistantId")):
        return False
    for parameter, (field, word) in _TIMES.items():
        if parameter in query:
            mine = datetime.fromisoformat(call[field])
            given = datetime.fromisoformat(query[parameter].replace("Z", "+00:00"))
            if not {"Gt": mine > given, "Ge": mine >= given, "Lt": mine < given, "Le": mine <= given}[word]:
                return False
    return True


async def index(request: Request) -> Response:
    """Newest first, at most `limit` (100 unless told)."""
    world: World = request.app.state.world
    plan = world.faults.draw("vapi", "list")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return error(401, "Invalid Key.")
        query = dict(request.query_params)
        try:
            limit = min(int(float(query.get("limit", 100))), 1000)
            found = [
                calls.shown(call)
                for call in world.resources.newest_first("vapi")
                if call["account"] == account["api_key"]
                and now() - datetime.fromisoformat(call["created"])
                >= timedelta(seconds=max(call["lag_s"], plan.listing_lag_s))
                and _matches(call, query)
            ]
        except (ValueError, TypeError):  # TypeError: a time without a zone
            return error(400, "a filter is not a number or an ISO 8601 time with a zone")
        return JSONResponse(found[:limit])

    return await serve(request, plan, act, refusal)


routes = [
    Route("/vapi/call", create, methods=["POST"]),
    Route("/vapi/call", index, methods=["GET"]),
    Route("/vapi/call/{id}", one, methods=["GET"]),
    Route("/vapi/call/{id}", delete, methods=["DELETE"]),
]
