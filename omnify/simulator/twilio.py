"""Twilio's REST API under /twilio/<host>/…: Messages of 2010-04-01 and Lookup v2, with its own words for errors."""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from omnify.lib.clock import now
from omnify.simulator import sms
from omnify.simulator.accounts import Account
from omnify.simulator.resources import Resource
from omnify.simulator.serving import serve
from omnify.simulator.world import World

# code: (HTTP status, message). twilio.com/docs/api/errors
ERRORS: dict[int, tuple[int, str]] = {
    20001: (400, "Invalid parameter"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service unavailable"),
    21211: (400, "The 'To' number is not a valid phone number"),
    21266: (400, "'To' and 'From' number cannot be the same"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (
        400,
        "The 'From' phone number provided is not a valid message-capable Twilio phone number for this account",
    ),
    21609: (400, "The 'StatusCallback' URL is not a valid URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    30409: (409, "Message cannot be canceled: it is no longer queued"),
}
_E164 = re.compile(r"\+(?:1[2-9]\d{2}[2-9]\d{6}|(?!1)[2-9]\d{6,14})")


def refusal(status: int, code: str) -> Response:
    """Twilio's error body; the code decides the status where we know it (unknown codes are 400)."""
    number = int(code) if code else {429: 20429, 500: 20500, 503: 20503}[status]
    status, message = ERRORS.get(number, (400, "Request refused"))
    more = f"https://www.twilio.com/docs/errors/{number}"
    return JSONResponse({"code": number, "message": message, "more_info": more, "status": status}, status)


class Refused(Exception):
    """Carries Twilio's error code out of the checks."""


def _credentials(request: Request) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, password) if scheme.lower() == "basic" else ("", "")


def _authenticated(world: World, request: Request) -> Account:
    user, password = _credentials(request)
    account = world.accounts.get("twilio", user)
    if account is None or account["auth_token"] != password or request.path_params.get("account", user) != user:
        raise Refused("20003")
    return account


def _sender(world: World, account: Account, form: dict[str, str]) -> str:
    numbers = [owned["number"] for owned in account.get("numbers", [])]
    service = form.get("MessagingServiceSid")
    if service and not form.get("From"):
        pool = account.get("messaging_services", {}).get(service, numbers)
        return str(pool[world.people.dice(form["To"], service, len(pool))]) if pool else ""
    return form.get("From", "") if not form.get("From") or form["From"] in numbers else ""


def check(world: World, account: Account, form: dict[str, str]) -> str:
    """The number a valid request will be sent from. Raises `Refused` with the code Twilio would give."""
    to, body, callback = form.get("To", ""), form.get("Body", ""), form.get("StatusCallback", "")
    if not to:
        raise Refused("21604")
    if not _E164.fullmatch(to):
        raise Refused("21211")
    if not body.strip():
        raise Refused("21602")
    if len(body) > 1600:
        raise Refused("21617")
    if not form.get("From") and not form.get("MessagingServiceSid"):
        raise Refused("21603")
    sender = _sender(world, account, form)
    if not sender:
        raise Refused("21606")
    if sender == to:
        raise Refused("21266")
    host = urlsplit(callback).hostname or ""
    if callback and (not callback.startswith(("http://", "https://")) or not host or "_" in host):
        raise Refused("21609")
    validity = form.get("ValidityPeriod", "36000")
    if not validity.isdecimal() or not 1 <= int(validity) <= 36000:
        raise Refused("20001")
    if account.get("handles_opt_out", True) and world.people.is_stopped(to, sender):
        raise Refused("21610")
    if world.people.temperament(to).sms_refusal:
        raise Refused(world.people.temperament(to).sms_refusal)
    return sender


def _date(moment: str) -> str | None:
    return format_datetime(datetime.fromisoformat(moment)) if moment else None


def shown(message: Resource) -> dict[str, Any]:
    """A message as the API shows it."""
    path = f"/2010-04-01/Accounts/{message['account']}/Messages/{message['id']}"
    return {
        "sid": message["id"], "account_sid": message["account"], "api_version": "2010-04-01", "body": message["body"],
        "date_created": _date(message["created"]), "date_updated": _date(message["updated"]),
        "date_sent": _date(message["sent_at"]), "direction": message["direction"],
        "error_code": int(message["error_code"]) if message["error_code"] else None, "error_message": None,
        "from": message["from"], "messaging_service_sid": message["service"] or None, "num_media": "0",
        "num_segments": "1", "price": None, "price_unit": "USD", "status": message["status"], "to": message["to"],
        "subresource_uris": {"media": f"{path}/Media.json"}, "uri": f"{path}.json",
    }  # fmt: skip


def _sent_matches(message: Resource, query: dict[str, str]) -> bool:
    """DateSent filters look at the *sent* date: a message that has none matches no such filter."""
    asked = {key: query[key] for key in ("DateSent", "DateSent<", "DateSent>") if query.get(key)}
    if not asked:
        return True
    if not message["sent_at"]:
        return False
    sent = datetime.fromisoformat(message["sent_at"])
    for key, value in asked.items():
        limit = datetime.fromisoformat(value.replace("Z", "+00:00"))
        limit = limit if limit.tzinfo else limit.replace(tzinfo=UTC)
        if key == "DateSent" and sent.date() != limit.date():
            return False
        if (key == "DateSent<" and sent > limit) or (key == "DateSent>" and sent < limit):
            return False
    return True


def listing(world: World, account: Account, query: dict[str, str], path: str, lag_s: float) -> dict[str, Any]:
    """One page of messages, newest first. What is younger than the listing lag is not there yet."""
    size, page = min(int(query.get("PageSize", 50)), 1000), int(query.get("Page", 0))
    found = [
        message
        for message in world.resources.newest_first("twilio")
        if message["account"] == account["account_sid"]
        and message["to"] == query.get("To", message["to"])
        and message["from"] == query.get("From", message["from"])
        and _sent_matches(message, query)
        and now() - datetime.fromisoformat(message["created"]) >= timedelta(seconds=max(lag_s, message["lag_s"]))
    ]
    window = found[page * size : (page + 1) * size]

    def uri(number: int) -> str:
        return f"{path}?{urlencode({**query, 'PageSize': size, 'Page': number})}"

    return {
        "messages": [shown(message) for message in window], "page": page, "page_size": size, "start": page * size,
        "end": page * size + max(len(window) - 1, 0), "uri": uri(page), "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1) if len(found) > (page + 1) * size else None,
        "previous_page_uri": uri(page - 1) if page else None,
    }  # fmt: skip


async def create(request: Request) -> Response:
    world: World = request.app.state.world
    form = {name: str(value) for name, value in (await request.form()).items()}
    plan = world.faults.draw("twilio", "create", form.get("To", ""))

    async def act() -> Response:
        try:
            account = _authenticated(world, request)
            sender = check(world, account, form)
        except Refused as refused:
            return refusal(0, str(refused))
        answer = shown(sms.accept(world, account, form, sender, plan))  # as it is now: it is sent a moment later
        await world.ledger.durable()
        return JSONResponse({**answer, "status": "accepted" if answer["messaging_service_sid"] else "queued"}, 201)

    return await serve(request, plan, act, refusal)


async def index(request: Request) -> Response:
    world: World = request.app.state.world
    query = dict(request.query_params)
    plan = world.faults.draw("twilio", "list", query.get("To", ""))

    async def act() -> Response:
        try:
            account = _authenticated(world, request)
        except Refused as refused:
            return refusal(0, str(refused))
        path = request.url.path.partition("/api.twilio.com")[2]
        try:
            return JSONResponse(listing(world, account, query, path, plan.listing_lag_s))
        except ValueError:  # an unreadable date or page number
            return refusal(0, "20001")

    return await serve(request, plan, act, refusal)


async def one(request: Request) -> Response:
    """GET shows a message; POST Status=canceled withdraws it while it is still queued."""
    world: World = request.app.state.world
    form = dict(await request.form()) if request.method == "POST" else {}
    plan = world.faults.draw("twilio", "cancel" if request.method == "POST" else "get")

    async def act() -> Response:
        try:
            account = _authenticated(world, request)
            message = world.resources.get("twilio", request.path_params["sid"])
            if message is None or message["account"] != account["account_sid"]:
                raise Refused("20404")
            if form.get("Status") == "canceled":
                if message["status"] != "queued" or world.ledger.find(record="received", provider_id=message["id"]):
                    raise Refused("30409")
                message = world.change("twilio", message["id"], status="canceled")
                await world.ledger.durable()
        except Refused as refused:
            return refusal(0, str(refused))
        return JSONResponse(shown(message))

    return await serve(request, plan, act, refusal)


async def lookup(request: Request) -> Response:
    """Lookup v2. The carrier data are invented; the line type is the person's."""
    world: World = request.app.state.world
    number = request.path_params["number"]
    plan = world.faults.draw("twilio", "lookup", number)

    async def act() -> Response:
        try:
            _authenticated(world, request)
        except Refused as refused:
            return refusal(0, str(refused))
        valid = bool(_E164.fullmatch(number))
        fields = request.query_params.get("Fields", "")
        line = {
            "carrier_name": "Simulated Wireless", "error_code": None, "mobile_country_code": "310",
            "mobile_network_code": "000", "type": world.people.temperament(number).line_type,
        }  # fmt: skip
        return JSONResponse(
            {
                "calling_country_code": "1" if number.startswith("+1") else None,
                "country_code": "US" if number.startswith("+1") and valid else None,
                "phone_number": number,
                "national_format": f"({number[2:5]}) {number[5:8]}-{number[8:]}" if number.startswith("+1") else number,
                "valid": valid,
                "validation_errors": []
                if valid
                else ["NOT_A_NUMBER" if not number[1:].isdecimal() else "INVALID_LENGTH"],
                "caller_name": None,
                "line_type_intelligence": line if valid and "line_type_intelligence" in fields else None,
                "url": f"https://lookups.twilio.com/v2/PhoneNumbers/{number}",
            }
        )

    return await serve(request, plan, act, refusal)


_ACCOUNT = "/twilio/api.twilio.com/2010-04-01/Accounts/{account}"
routes = [
    Route(f"{_ACCOUNT}/Messages.json", create, methods=["POST"]),
    Route(f"{_ACCOUNT}/Messages.json", index, methods=["GET"]),
    Route(f"{_ACCOUNT}/Messages/{{sid}}.json", one, methods=["GET", "POST"]),
    Route("/twilio/lookups.twilio.com/v2/PhoneNumbers/{number}", lookup, methods=["GET"]),
]
