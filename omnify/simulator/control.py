"""The simulator's own JSON API: accounts, faults, people, the ledger, and how the callbacks went."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from omnify.simulator import incoming_calls, mail, sms
from omnify.simulator.ledger import READ, RECEIVED
from omnify.simulator.people import normal
from omnify.simulator.world import World

Handler = Callable[[Request], Awaitable[Response]]


def understood(handler: Handler) -> Handler:
    """Turn a request nobody can make sense of into a 400 that says why."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except (ValueError, TypeError, KeyError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)

    return answer


def _world(request: Request) -> World:
    world: World = request.app.state.world
    return world


async def _json(request: Request) -> Any:
    return json.loads(await request.body() or b"{}")


async def health(request: Request) -> Response:
    world = _world(request)
    return JSONResponse({"ok": True, "seq": world.ledger.last_seq, "pending": world.courier.pending})


async def put_accounts(request: Request) -> Response:
    world = _world(request)
    world.accounts.register(await _json(request))
    return await get_config(request)


async def put_shares(request: Request) -> Response:
    world = _world(request)
    world.people.set_shares({name: float(share) for name, share in (await _json(request)).items()})
    return await get_config(request)


async def get_config(request: Request) -> Response:
    """The accounts without their secrets, and how people were set up."""
    accounts = _world(request).accounts
    secret = {
        "auth_token", "api_key", "server_token", "server_secret", "hmac_secret", "tracking_url", "inbound_url",
        "events_url",
    }  # fmt: skip
    shown = {
        provider: [{k: v for k, v in account.items() if k not in secret} for account in accounts.all(provider)]
        for provider in accounts.accounts
    }
    return JSONResponse({"accounts": shown, "people": accounts.people, "shares": accounts.shares})


async def faults(request: Request) -> Response:
    """GET lists, POST adds (a list of rules, or one), DELETE forgets all."""
    book = _world(request).faults
    if request.method == "POST":
        given = await _json(request)
        book.add(given if isinstance(given, list) else [given])
    if request.method == "DELETE":
        book.clear()
    return JSONResponse({"faults": book.describe()})


async def ledger(request: Request) -> Response:
    """What people received; `record=inbound|accepted|status|all` shows the rest."""
    query = request.query_params
    record = query.get("record", RECEIVED)
    found = _world(request).ledger.find(
        after=int(query.get("after", 0)),
        record="" if record == "all" else record,
        to=normal(query.get("to", "")),
        kind=query.get("kind", ""),
        mark=query.get("mark", ""),
    )
    return JSONResponse({"records": found, "last_seq": _world(request).ledger.last_seq})


async def duplicates(request: Request) -> Response:
    groups = _world(request).ledger.duplicates(request.query_params.get("by", "mark"))
    return JSONResponse({"duplicates": groups, "count": sum(len(group) - 1 for group in groups)})


async def callbacks(request: Request) -> Response:
    """How the latest deliveries went, oldest first, and how much is still under way."""
    courier, query = _world(request).courier, request.query_params
    shown = [
        entry
        for entry in courier.log
        if all(str(entry.get(name, "")) == query[name] for name in ("provider", "event", "about") if name in query)
    ]
    return JSONResponse({"callbacks": shown, "pending": courier.pending})


async def people(request: Request) -> Response:
    return JSONResponse({"people": _world(request).people.all()})


async def person(request: Request) -> Response:
    """GET shows the thread; PUT sets temperament, name and whatever else should be remembered."""
    world, address = _world(request), normal(request.path_params["address"])
    if request.method == "PUT":
        world.people.set(address, dict(await _json(request)))
    return JSONResponse(world.people.thread(address))


async def seen(request: Request) -> Response:
    """Somebody has looked at this thread: nothing in it is unread any more."""
    world, address = _world(request), normal(request.path_params["address"])
    world.record({"record": READ, "address": address})
    return JSONResponse(world.people.thread(address))


async def reply(request: Request) -> Response:
    """A human at the Phone page answers as this person. The answer says how Omnify's webhook took it."""
    world, address, given = _world(request), normal(request.path_params["address"]), await _json(request)
    body = str(given.get("body") or "")
    if given.get("channel") == "sms":
        last = world.people.last_received(address, "sms")
        numbers = [n["number"] for account in world.accounts.all("twilio") for n in account.get("numbers", [])]
        ours = given.get("to") or (last["from"] if last else next(iter(numbers), ""))
        status = await sms.say(world, address, ours, body)
    elif given.get("channel") == "email":
        status = await mail.say(
            world, address, body, in_reply_to=str(given.get("in_reply_to") or ""), to=str(given.get("to") or "")
        )
    else:
        raise ValueError("channel is sms or email")
    await world.ledger.durable()
    return JSONResponse({"webhook_status": status})


async def call(request: Request) -> Response:
    """This person calls one of our numbers and says these lines. Answers when the call is over and told."""
    world, address, given = _world(request), normal(request.path_params["address"]), await _json(request)
    call_id = await incoming_calls.ring(world, address, str(given["to"]), [str(line) for line in given["lines"]])
    await world.ledger.durable()
    return JSONResponse({"call": call_id})


routes = [
    Route("/health", health, methods=["GET"]),
    Route("/config", get_config, methods=["GET"]),
    Route("/config/accounts", understood(put_accounts), methods=["PUT"]),
    Route("/config/shares", understood(put_shares), methods=["PUT"]),
    Route("/faults", understood(faults), methods=["GET", "POST", "DELETE"]),
    Route("/ledger", understood(ledger), methods=["GET"]),
    Route("/ledger/duplicates", duplicates, methods=["GET"]),
    Route("/callbacks", callbacks, methods=["GET"]),
    Route("/people", people, methods=["GET"]),
    Route("/people/{address}", understood(person), methods=["GET", "PUT"]),
    Route("/people/{address}/read", seen, methods=["POST"]),
    Route("/people/{address}/reply", understood(reply), methods=["POST"]),
    Route("/people/{address}/call", understood(call), methods=["POST"]),
]
