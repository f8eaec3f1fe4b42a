"""Postmark's suppressions of a message stream, added and taken off. What is on the list is refused (ErrorCode 406).

postmarkapp.com/developer/api/suppressions-api. Kept with the account; bounces and complaints come from the mails themselves.
"""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from omnify.lib.clock import now
from omnify.simulator.accounts import Account
from omnify.simulator.people import normal
from omnify.simulator.world import World

MOST = 50
NO_ACCOUNT = {"ErrorCode": 10, "Message": "No Account or Server API tokens were supplied, or they are not valid."}
TOO_MANY = {"ErrorCode": 300, "Message": f"At most {MOST} suppressions in one request."}

Entry = dict[str, Any]


def kept(account: Account) -> dict[str, Entry]:
    """The account's own list, by address: what was added by hand or over the API, or by the person's unsubscribing."""
    entries: dict[str, Entry] = account.setdefault("suppressions", {})
    return entries


def put(
    world: World, account: Account, email: str, *, reason: str = "ManualSuppression", origin: str = "Customer"
) -> None:
    """Puts an address on the list, as the API does (origin Customer) or as a person who unsubscribes does (Recipient)."""
    entry = {
        "EmailAddress": email,
        "SuppressionReason": reason,
        "Origin": origin,
        "CreatedAt": now().isoformat().replace("+00:00", "Z"),
    }
    kept(account).setdefault(normal(email), entry)
    world.accounts.save()


def suppressed(world: World, account: Account, stream: str = "") -> dict[str, Entry]:
    """Everything this account's mail (of this stream) will not be delivered to, by address."""
    found: dict[str, Entry] = {}
    for mail in reversed(world.resources.newest_first("postmark")):
        if mail["account"] == account["server_token"] and stream in ("", mail["stream"]):
            found |= {normal(entry["EmailAddress"]): entry for entry in mail.get("suppressions", [])}
    return found | kept(account)


def _account(request: Request) -> Account | None:
    world: World = request.app.state.world
    return world.accounts.get("postmark", request.headers.get("x-postmark-server-token", ""))


async def change(request: Request) -> Response:
    """POST …/suppressions adds, POST …/suppressions/delete takes off: at most 50 at once, each answered for itself."""
    account, world = _account(request), request.app.state.world
    if account is None:
        return JSONResponse(NO_ACCOUNT, 401)
    try:
        wanted = [str(each["EmailAddress"]) for each in json.loads(await request.body())["Suppressions"]]
    except (ValueError, KeyError, TypeError):
        return JSONResponse({"ErrorCode": 402, "Message": "Invalid JSON."}, 422)
    if len(wanted) > MOST:
        return JSONResponse(TOO_MANY, 422)
    take_off = request.url.path.endswith("/delete")
    return JSONResponse({"Suppressions": [_changed(world, account, email, take_off) for email in wanted]})


def _changed(world: World, account: Account, email: str, take_off: bool) -> Entry:
    if email.count("@") != 1:
        return {"EmailAddress": email, "Status": "Failed", "Message": "An invalid email address was provided."}
    if not take_off:
        put(world, account, email)
        return {"EmailAddress": email, "Status": "Suppressed", "Message": None}
    entry = suppressed(world, account).get(normal(email))
    if entry is not None and entry["SuppressionReason"] == "SpamComplaint":
        text = "You do not have the required authority to change this suppression."
        return {"EmailAddress": email, "Status": "Failed", "Message": text}
    kept(account).pop(normal(email), None)
    world.accounts.save()
    return {"EmailAddress": email, "Status": "Deleted", "Message": None}


routes = [
    Route("/postmark/message-streams/{stream}/suppressions", change, methods=["POST"]),
    Route("/postmark/message-streams/{stream}/suppressions/delete", change, methods=["POST"]),
]
