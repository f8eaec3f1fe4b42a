"""Amazon SES under /ses, as boto3's "sesv2" speaks to it: SendEmail with a raw mail, and the account's suppression list.

Keys are looked up, requests' signatures are not checked. Source: the SESv2 API reference.
"""

import base64
import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from omnify.lib.clock import now
from omnify.simulator import mail, smtp, sns
from omnify.simulator.accounts import Account
from omnify.simulator.people import normal
from omnify.simulator.serving import serve
from omnify.simulator.world import World

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")
# Why SES puts somebody on the list, by Postmark's words for what happened.
REASONS = {"Bounce:HardBounce": "BOUNCE", "SpamComplaint": "COMPLAINT"}
STATUSES = {
    "MessageRejected": 400, "BadRequestException": 400, "AccountSuspendedException": 400, "LimitExceededException": 400,
    "MailFromDomainNotVerifiedException": 400, "TooManyRequestsException": 429, "UnrecognizedClientException": 403,
    "AccessDeniedException": 403, "NotFoundException": 404,
}  # fmt: skip


def error(code: str, message: str = "", status: int = 0) -> Response:
    return JSONResponse(
        {"message": message or code}, status or STATUSES.get(code, 400), headers={"x-amzn-ErrorType": code}
    )


def refusal(status: int, code: str) -> Response:
    if code:
        return error(code)
    if status == 429:
        return error("TooManyRequestsException", "Maximum sending rate exceeded.")
    return error("InternalFailure", "Internal failure.", status)


def _account(world: World, request: Request) -> Account | None:
    found = _CREDENTIAL.search(request.headers.get("authorization", ""))
    return world.accounts.get("ses", found[1]) if found else None


def unknown() -> Response:
    return error("UnrecognizedClientException", "The security token included in the request is invalid.")


async def send(request: Request) -> Response:
    world: World = request.app.state.world
    try:
        body = json.loads(await request.body())
        to = [str(each) for each in body["Destination"]["ToAddresses"]]
        raw = base64.b64decode(body["Content"]["Raw"]["Data"])
    except (ValueError, LookupError, TypeError):
        return error("BadRequestException", "The request is not understood.")
    plan = world.faults.draw("ses", "create", normal(to[0]) if to else "")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return unknown()
        if any(each.count("@") != 1 or "." not in each.rpartition("@")[2] for each in to):
            return error("BadRequestException", "Illegal address")
        tags = {str(each["Name"]): str(each["Value"]) for each in body.get("EmailTags", [])}
        parts = smtp.read(raw)
        listed = [each for each in to if normal(each) in suppressed(account)]
        stored = mail.accept(
            world,
            "ses",
            {
                **parts, "account": account["access_key_id"], "from": body["FromEmailAddress"], "message_id": "",
                "mark": tags.get("m", ""), "metadata": tags,
                "configuration_set": body.get("ConfigurationSetName", ""),
                "dropped": {normal(each): "OnAccountSuppressionList" for each in listed},
            },
            to,
            plan,
        )  # fmt: skip
        await world.ledger.durable()
        return JSONResponse({"MessageId": stored["id"]})

    return await serve(request, plan, act, refusal)


def suppressed(account: Account) -> dict[str, Any]:
    """The account's list, by address."""
    found: dict[str, Any] = account.setdefault("suppressed", {})
    return found


def put(world: World, account: Account, address: str, reason: str) -> None:
    suppressed(account)[normal(address)] = {
        "EmailAddress": address, "Reason": reason, "LastUpdateTime": now().timestamp(),
    }  # fmt: skip
    world.accounts.save()


def suppress(world: World, account: Account, event: str, address: str) -> None:
    """What an event (in Postmark's words) does to the list."""
    if event in REASONS:
        put(world, account, address, REASONS[event])


async def addresses(request: Request) -> Response:
    """GET the list, PUT an address on it."""
    world: World = request.app.state.world
    plan = world.faults.draw("ses", "list")
    given = json.loads(await request.body() or b"{}")

    async def act() -> Response:
        account = _account(world, request)
        if account is None:
            return unknown()
        if request.method == "PUT":
            put(world, account, given["EmailAddress"], given["Reason"])
            return JSONResponse({})
        query = request.query_params
        size, start = int(query.get("PageSize", 1000)), int(query.get("NextToken", 0))
        found = sorted(suppressed(account).values(), key=lambda each: str(each["EmailAddress"]))
        page = {"SuppressedDestinationSummaries": found[start : start + size]}
        return JSONResponse(page | ({"NextToken": str(start + size)} if len(found) > start + size else {}))

    return await serve(request, plan, act, refusal)


async def address(request: Request) -> Response:
    """DELETE one address from the list."""
    world: World = request.app.state.world
    account = _account(world, request)
    if account is None:
        return unknown()
    if suppressed(account).pop(normal(request.path_params["email"]), None) is None:
        return error("NotFoundException", "Email address is not on the suppression list.")
    world.accounts.save()
    return JSONResponse({})


routes = [
    Route("/ses/v2/email/outbound-emails", send, methods=["POST"]),
    Route("/ses/v2/email/suppression/addresses", addresses, methods=["GET", "PUT"]),
    Route("/ses/v2/email/suppression/addresses/{email}", address, methods=["DELETE"]),
    *sns.routes,
]
