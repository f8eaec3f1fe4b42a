"""The life of an AI phone call: it rings, someone picks up or not, they talk, and VAPI reports."""

import asyncio
import json
import re
import uuid
from datetime import datetime, timedelta
from typing import Any

from omnify.lib.clock import now
from omnify.simulator.accounts import Account
from omnify.simulator.callbacks import VAPI_RETRIES, Callback
from omnify.simulator.faults import Plan
from omnify.simulator.ledger import ACCEPTED, RECEIVED
from omnify.simulator.resources import Resource
from omnify.simulator.signing import vapi_signature
from omnify.simulator.temperaments import BUSY_LINE, MISDIALED, NO_ANSWER, VOICEMAIL
from omnify.simulator.world import World, mark_in

SECONDS_PER_TURN = 6.0
RING_AFTER, PICK_UP_AFTER, END_AFTER = 0.5, 1.5, 3.0  # seconds at pace 1
NOT_PICKED_UP = (NO_ANSWER, BUSY_LINE, MISDIALED)
BOT_LINES = (
    "Thanks for taking the call. May I tell you in one sentence what this is about?",
    "I understand. Let me note that down.",
    "Good question. I will have a colleague send you the details.",
    "That works. I have it in the calendar.",
    "Is there anything else you would like to know?",
    "Thank you for your time. Goodbye.",
)
_VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def first_message(body: dict[str, Any]) -> str:
    """What the assistant says first, with the call's variables filled in."""
    overrides = body.get("assistantOverrides") or {}
    text = overrides.get("firstMessage") or (body.get("assistant") or {}).get("firstMessage") or "Hello!"
    values = {**(overrides.get("variableValues") or {}), "customer.name": (body.get("customer") or {}).get("name", "")}
    return _VARIABLE.sub(lambda found: str(values.get(found[1], "")), str(text))


def server_of(body: dict[str, Any], account: Account) -> dict[str, Any]:
    """Where server messages go: the call's override, its assistant, the request, else the account."""
    overrides, assistant = body.get("assistantOverrides") or {}, body.get("assistant") or {}
    for server in (overrides.get("server"), assistant.get("server"), body.get("server")):
        if server and server.get("url"):
            return dict(server)
    return {"url": account.get("server_url", "")}


def mark_of(body: dict[str, Any], server_url: str) -> str:
    """Our id of the call: its name, else the first value of the metadata, else what the server URL carries."""
    metadata = (body.get("assistantOverrides") or {}).get("metadata") or {}
    return str(body.get("name") or next(iter(metadata.values()), "") or mark_in(server_url))


def accept(world: World, account: Account, body: dict[str, Any], plan: Plan) -> Resource:
    """Take a call: on the ledger at once, together with the ringing phone (a missed call is also a touch)."""
    call_id, number = str(uuid.uuid4()), body["customer"]["number"]
    server = server_of(body, account)
    mark, opening = mark_of(body, server["url"]), first_message(body)
    resource = {
        "account": account["api_key"], "to": number, "from": body.get("phoneNumberId", ""), "status": "queued",
        "request": body, "server": server, "first_message": opening, "mark": mark, "lag_s": plan.listing_lag_s,
        "provider_call": "CA" + uuid.uuid4().hex, "started_at": "", "ended_at": "", "ended_reason": "", "turns": [],
    }  # fmt: skip
    common = {"provider": "vapi", "provider_id": call_id, "kind": "call", "to": number, "from": resource["from"]}
    entries: list[dict[str, Any]] = [{"record": ACCEPTED, **common, "mark": mark, "resource": resource}]
    if plan.dwell_s == 0 and world.people.temperament(number).ended != MISDIALED:
        entries.append({"record": RECEIVED, **common, "first_message": opening, "mark": mark})
    world.record(*entries)
    world.courier.start(live(world, call_id, plan, rang=plan.dwell_s == 0))
    stored = world.resources.get("vapi", call_id)
    assert stored is not None
    return stored


def resume(world: World) -> None:
    """After a restart: every call that had not ended goes on."""
    rang = {r["provider_id"] for r in world.ledger.find(record=RECEIVED, kind="call")}
    for call in world.resources.newest_first("vapi"):
        if call["status"] != "ended" and not call.get("inbound"):
            world.courier.start(live(world, call["id"], Plan(), rang=call["id"] in rang))


async def live(world: World, call_id: str, plan: Plan, *, rang: bool) -> None:
    """Walk one call through its statuses; the report comes last, unless the plan shuffles them."""
    await asyncio.sleep(plan.dwell_s)
    call = world.resources.get("vapi", call_id)
    assert call is not None
    if call["status"] == "ended":  # deleted before it rang
        return
    person = world.people.temperament(call["to"])
    if not rang and person.ended != MISDIALED:
        common = {name: call[name] for name in ("to", "from", "first_message", "mark")}
        world.record({"record": RECEIVED, "provider": "vapi", "provider_id": call_id, "kind": "call", **common})
    picked_up = person.ended not in NOT_PICKED_UP
    messages: list[dict[str, Any]] = []
    await asyncio.sleep(RING_AFTER * world.pace)
    messages.append(status_update(world.change("vapi", call_id, status="ringing")))
    await _in_order(world, call, messages, plan)
    if picked_up:
        await asyncio.sleep(PICK_UP_AFTER * world.pace)
        call = world.change("vapi", call_id, status="in-progress", started_at=now().isoformat())
        messages.append(status_update(call))
        await _in_order(world, call, messages, plan)
        await asyncio.sleep(END_AFTER * world.pace)
    call = world.change("vapi", call_id, status="ended", ended_reason=person.ended, **talk(call, person.turns))
    messages += [status_update(call), report(call)]
    await _in_order(world, call, messages, plan)
    for message in reversed(messages) if plan.reorder_callbacks else ():
        await tell(world, call, message, plan)


async def _in_order(world: World, call: Resource, messages: list[dict[str, Any]], plan: Plan) -> None:
    """Send what has come up, unless the plan keeps everything back to send it in reverse."""
    while messages and not plan.reorder_callbacks:
        await tell(world, call, messages.pop(0), plan)


def talk(call: Resource, lines: tuple[str, ...]) -> dict[str, Any]:
    """The conversation and its end, as changes of the call. Times follow from the number of turns, not the pace."""
    if not call["started_at"]:
        return {"ended_at": now().isoformat(), "turns": [], "transcript": ""}
    started = datetime.fromisoformat(call["started_at"])
    spoken: list[tuple[str, str]] = [("bot", call["first_message"])]
    for n, line in enumerate(lines):
        if line:
            spoken.append(("user", line))
            if n < len(lines) - 1:
                spoken.append(("bot", BOT_LINES[min(n, len(BOT_LINES) - 1)]))
    turns = []
    for n, (role, text) in enumerate(spoken):
        offset = n * SECONDS_PER_TURN
        time = (started + timedelta(seconds=offset)).timestamp() * 1000
        end = time + (SECONDS_PER_TURN - 1) * 1000
        turns.append({"role": role, "message": text, "time": time, "endTime": end, "secondsFromStart": offset})
    names = {"bot": "AI", "user": "User"}
    return {
        "ended_at": (started + timedelta(seconds=len(turns) * SECONDS_PER_TURN)).isoformat(),
        "turns": turns,
        "transcript": "\n".join(f"{names[role]}: {text}" for role, text in spoken),
    }


def shown(call: Resource) -> dict[str, Any]:
    """A call as the API and the server messages show it."""
    body = call["request"]
    view = {
        "id": call["id"], "orgId": str(uuid.uuid5(uuid.NAMESPACE_URL, call["account"])),
        "type": "inboundPhoneCall" if call.get("inbound") else "outboundPhoneCall",
        "createdAt": call["created"], "updatedAt": call["updated"], "status": call["status"], "cost": 0,
        "phoneCallProvider": "twilio", "phoneCallTransport": "pstn", "phoneCallProviderId": call["provider_call"],
    }  # fmt: skip
    for name in ("assistantId", "assistant", "assistantOverrides", "phoneNumberId", "customer", "name"):
        if body.get(name) is not None:
            view[name] = body[name]
    if call["started_at"]:
        view["startedAt"] = call["started_at"]
    if call["status"] == "ended":
        view |= {"endedAt": call["ended_at"], "endedReason": call["ended_reason"]}
        view |= {"messages": call["turns"], "artifact": _artifact(call), "analysis": _analysis(call)}
    return view


def _artifact(call: Resource) -> dict[str, Any]:
    roles = {"bot": "assistant", "user": "user"}
    plain = [{"role": roles[turn["role"]], "content": turn["message"]} for turn in call["turns"]]
    return {"messages": call["turns"], "messagesOpenAIFormatted": plain, "transcript": call["transcript"]}


def _analysis(call: Resource) -> dict[str, Any]:
    said = [turn["message"] for turn in call["turns"] if turn["role"] == "user"]
    if call["ended_reason"] == VOICEMAIL:
        return {"summary": "The call went to voicemail.", "successEvaluation": "false"}
    if not said:
        return {"summary": "Nobody spoke with the assistant.", "successEvaluation": "false"}
    return {"summary": f"The customer said: {' '.join(said)}", "successEvaluation": "true"}


def _message(call: Resource, kind: str) -> dict[str, Any]:
    body = shown(call)
    message = {"type": kind, "timestamp": round(now().timestamp() * 1000), "call": body, "customer": body["customer"]}
    if call["from"]:
        message["phoneNumber"] = {"id": call["from"], "provider": "vapi"}
    return message


def status_update(call: Resource) -> dict[str, Any]:
    end = {"endedReason": call["ended_reason"]} if call["status"] == "ended" else {}
    return {**_message(call, "status-update"), "status": call["status"], **end}


def report(call: Resource) -> dict[str, Any]:
    ended = datetime.fromisoformat(call["ended_at"])
    started = datetime.fromisoformat(call["started_at"]) if call["started_at"] else ended
    seconds = (ended - started).total_seconds()
    times = {"startedAt": call["started_at"]} if call["started_at"] else {}
    return {
        **_message(call, "end-of-call-report"), **times, "endedAt": call["ended_at"], "cost": 0,
        "endedReason": call["ended_reason"], "artifact": _artifact(call), "analysis": _analysis(call),
        "summary": _analysis(call)["summary"], "transcript": call["transcript"], "messages": call["turns"],
        "durationSeconds": seconds, "durationMs": round(seconds * 1000), "durationMinutes": round(seconds / 60, 4),
    }  # fmt: skip


async def tell_of_end(world: World, call: Resource, plan: Plan) -> None:
    """The two messages about a call's end, for one that ended without being walked to it."""
    for message in (status_update(call), report(call)):
        await tell(world, call, message, plan)


async def tell(world: World, call: Resource, message: dict[str, Any], plan: Plan) -> None:
    """POST one server message with the account's secret, and signed if it has an HMAC secret."""
    wanted = (call["request"].get("assistantOverrides") or {}).get("serverMessages")
    account = world.accounts.get("vapi", call["account"])
    if not call["server"]["url"] or account is None or plan.drop_callbacks:
        return
    if wanted is not None and message["type"] not in wanted:
        return
    if plan.forged_callback:
        lie = {**message, "type": "status-update", "status": "ended", "endedReason": "pipeline-error-forged"}
        stranger = {"server_secret": "not-the-secret", "hmac_secret": "not-the-secret"}
        await world.courier.deliver(_callback(world, call, lie, stranger, forged=True))
    await world.courier.deliver(_callback(world, call, message, account), copies=1 + plan.duplicate_callbacks)


def _callback(
    world: World, call: Resource, message: dict[str, Any], account: Account, *, forged: bool = False
) -> Callback:
    body = json.dumps({"message": message}).encode()
    headers = {"content-type": "application/json"}
    headers |= {name.lower(): str(value) for name, value in (call["server"].get("headers") or {}).items() if not forged}
    secret = account.get("server_secret") if forged else call["server"].get("secret") or account.get("server_secret")
    if secret:
        headers["x-vapi-secret"] = secret
    if account.get("hmac_secret"):
        timestamp = str(round(now().timestamp()))
        headers |= {"x-timestamp": timestamp, "x-signature": vapi_signature(timestamp, body, account["hmac_secret"])}
    event = message["type"] + (f" {message['status']}" if "status" in message else "")
    url = world.courier.absolute(call["server"]["url"])
    return Callback("vapi", event, url, body, headers, retries=VAPI_RETRIES, forged=forged, about=call["id"])
