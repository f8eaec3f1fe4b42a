"""A person calls one of our numbers: the assistant picks up, they talk, and VAPI reports it to the number's own server."""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

from omnify.lib.clock import now
from omnify.simulator.calls import END_AFTER, report, status_update, talk, tell
from omnify.simulator.ledger import INBOUND
from omnify.simulator.temperaments import HUNG_UP
from omnify.simulator.world import World

GREETING = "Hello, this is an AI assistant. How can I help you?"


async def ring(world: World, person: str, ours: str, lines: Sequence[str]) -> str:
    """They call and say these lines, one a turn; returns the call's id. Raises ValueError when nobody has the number `ours`."""
    account = next((each for each in world.accounts.all("vapi") if ours in each.get("phone_number_ids", [])), None)
    if account is None:
        raise ValueError(f"no configured VAPI account has the number {ours}")
    call_id = str(uuid.uuid4())
    request: dict[str, Any] = {"phoneNumberId": ours, "customer": {"number": person}}
    resource = {
        "account": account["api_key"], "to": person, "from": ours, "status": "in-progress", "inbound": True,
        "request": request, "server": {"url": account.get("server_url", "")}, "first_message": GREETING, "mark": "",
        "lag_s": 0, "provider_call": "CA" + uuid.uuid4().hex, "started_at": now().isoformat(), "ended_at": "",
        "ended_reason": "", "turns": [],
    }  # fmt: skip
    said = " ".join(lines)
    world.record(
        {
            "record": INBOUND, "provider": "vapi", "provider_id": call_id, "kind": "call", "from": person, "to": ours,
            "body": said, "resource": resource,
        }
    )  # fmt: skip
    plan = world.faults.draw("vapi", "inbound", person)
    call = world.resources.get("vapi", call_id)
    assert call is not None
    await tell(world, call, status_update(call), plan)
    await asyncio.sleep(END_AFTER * world.pace)
    call = world.change("vapi", call_id, status="ended", ended_reason=HUNG_UP, **talk(call, tuple(lines)))
    for message in (status_update(call), report(call)):
        await tell(world, call, message, plan)
    return call_id
