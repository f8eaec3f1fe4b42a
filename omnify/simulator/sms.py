"""The life of a text: accepted, perhaps held back, received by a handset, told to us; and the texts people send."""

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from omnify.lib.clock import now
from omnify.simulator.accounts import Account
from omnify.simulator.callbacks import TWILIO_RETRIES, Callback
from omnify.simulator.faults import Plan
from omnify.simulator.ledger import ACCEPTED, INBOUND, RECEIVED
from omnify.simulator.resources import Resource
from omnify.simulator.signing import twilio_signature
from omnify.simulator.world import World, mark_in

# Twilio's default keywords for long codes (help.twilio.com, "Twilio support for opt-out keywords"): whole message only.
STOP_WORDS = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"}
START_WORDS = {"start", "yes", "unstop"}
HELP_WORDS = {"help", "info"}
STOPPED_TEXT = "You have been unsubscribed and will get no more messages from this number. Reply START to resubscribe."
SENT_AFTER, DELIVERED_AFTER, ANSWER_AFTER = 0.3, 0.7, 3.0  # seconds at pace 1
VALIDITY_EXPIRED = "30036"


def opt_out_type(body: str) -> str:
    """STOP, START, HELP or "" as Twilio names it in OptOutType: the keyword must be the whole text."""
    word = body.strip().lower()
    return "STOP" if word in STOP_WORDS else "START" if word in START_WORDS else "HELP" if word in HELP_WORDS else ""


def receipt(resource: Resource, provider_id: str) -> dict[str, Any]:
    """The ledger's line for a text arriving on a handset."""
    return {
        "record": RECEIVED, "provider": "twilio", "provider_id": provider_id, "kind": "sms", "to": resource["to"],
        "from": resource["from"], "body": resource["body"], "mark": resource["mark"],
    }  # fmt: skip


def accept(world: World, account: Account, request: dict[str, str], sender: str, plan: Plan) -> Resource:
    """Take a text: on the ledger at once, together with the person's receipt unless something holds or stops it."""
    sid = "SM" + uuid.uuid4().hex
    callback = request.get("StatusCallback", "")
    resource = {
        "account": account["account_sid"], "to": request["To"], "from": sender, "body": request["Body"],
        "direction": "outbound-api", "status": "queued", "sent_at": "", "error_code": "", "callback": callback,
        "service": request.get("MessagingServiceSid", ""), "validity_s": int(request.get("ValidityPeriod", 36000)),
        "lag_s": plan.listing_lag_s, "mark": mark_in(callback),
    }  # fmt: skip
    entries = [
        {
            "record": ACCEPTED,
            "provider": "twilio",
            "provider_id": sid,
            "kind": "sms",
            "to": resource["to"],
            "from": sender,
            "mark": resource["mark"],
            "resource": resource,
        }
    ]
    held = plan.dwell_s > 0
    if not held and not world.people.temperament(request["To"]).sms_error:
        entries.append(receipt(resource, sid))
    world.record(*entries)
    world.courier.start(live(world, sid, plan, received=not held))
    stored = world.resources.get("twilio", sid)
    assert stored is not None
    return stored


def resume(world: World) -> None:
    """After a restart: every text that had not come to an end goes on living."""
    arrived = {r["provider_id"] for r in world.ledger.find(record=RECEIVED, kind="sms")}
    for message in world.resources.newest_first("twilio"):
        if message["direction"] != "inbound" and message["status"] in ("queued", "sent"):
            world.courier.start(live(world, message["id"], Plan(), received=message["id"] in arrived))


async def live(world: World, sid: str, plan: Plan, *, received: bool) -> None:
    """Walk one accepted text to its end, telling the status callback about each step."""
    await asyncio.sleep(plan.dwell_s)
    message = world.resources.get("twilio", sid)
    assert message is not None
    if message["status"] == "canceled":
        return
    error = world.people.temperament(message["to"]).sms_error
    waited = now() - datetime.fromisoformat(message["created"])
    if not received and waited > timedelta(seconds=message["validity_s"]):
        steps = [("failed", VALIDITY_EXPIRED)]
    else:
        if not received and not error:
            world.record(receipt(message, sid))
        steps = [("sent", ""), ("undelivered", error) if error else ("delivered", "")]
    steps = [step for step in steps if step[0] != message["status"]]
    for status, code in reversed(steps) if plan.reorder_callbacks else steps:
        await asyncio.sleep((SENT_AFTER if status == "sent" else DELIVERED_AFTER) * world.pace)
        message = world.resources.get("twilio", sid)
        assert message is not None
        if message["status"] not in ("delivered", "undelivered", "failed"):  # reordered: the end came first
            sent_at = message["sent_at"] or (now().isoformat() if status != "failed" else "")
            message = world.change("twilio", sid, status=status, error_code=code, sent_at=sent_at)
        await tell(world, message, status, code, plan)
    if steps and steps[-1][0] == "delivered":
        await answer(world, message["to"], message["from"])


async def tell(world: World, message: Resource, status: str, code: str, plan: Plan) -> None:
    """POST one status to the message's StatusCallback, signed; under the plan also twice, never, or forged."""
    account = world.accounts.get("twilio", message["account"])
    if not message["callback"] or account is None or plan.drop_callbacks:
        return
    params = {
        "AccountSid": message["account"], "ApiVersion": "2010-04-01", "From": message["from"], "To": message["to"],
        "MessageSid": message["id"], "SmsSid": message["id"], "MessageStatus": status, "SmsStatus": status,
    }  # fmt: skip
    if message["service"]:
        params["MessagingServiceSid"] = message["service"]
    if code:
        params["ErrorCode"] = code
    if plan.forged_callback:
        lie = {**params, "MessageStatus": "failed", "SmsStatus": "failed", "ErrorCode": "30005"}
        await world.courier.deliver(signed(world, lie, message["callback"], "not-the-token", forged=True))
    callback = signed(world, params, message["callback"], account["auth_token"])
    await world.courier.deliver(callback, copies=1 + plan.duplicate_callbacks)


def signed(world: World, params: dict[str, str], url: str, auth_token: str, *, forged: bool = False) -> Callback:
    """A form POST as Twilio makes it, signed for the URL as it was configured."""
    url = world.courier.absolute(url)
    return Callback(
        provider="twilio",
        event=params.get("MessageStatus", "inbound"),
        url=url,
        body=urlencode(params).encode(),
        headers={
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "x-twilio-signature": twilio_signature(url, params, auth_token),
            "i-twilio-idempotency-token": str(uuid.uuid4()),
            "user-agent": "TwilioProxy/1.1",
        },
        retries=TWILIO_RETRIES,
        forged=forged,
        about=params["MessageSid"],
    )


async def answer(world: World, person: str, ours: str) -> None:
    """The person reads it and, if it is in their nature, texts back."""
    words = world.people.next_answer(person, "sms")
    if words and world.accounts.twilio_number(ours):
        await asyncio.sleep(ANSWER_AFTER * world.pace)
        await say(world, person, ours, words)


async def say(world: World, person: str, ours: str, body: str) -> int:
    """A person texts one of our numbers. Returns the webhook's HTTP status, 0 if nobody listened.

    Raises ValueError when no configured account owns the number.
    """
    seen = world.people.last_received(person, "sms")
    last = world.resources.get("twilio", seen["provider_id"]) if seen and seen["from"] == ours else None
    owned = world.accounts.twilio_number(ours, last["account"] if last else "")
    if owned is None:
        raise ValueError(f"no configured Twilio account owns {ours}")
    account, number = owned
    sid, keyword = "SM" + uuid.uuid4().hex, opt_out_type(body)
    resource = {
        "account": account["account_sid"], "to": ours, "from": person, "body": body, "direction": "inbound",
        "status": "received", "sent_at": now().isoformat(), "error_code": "", "service": "", "lag_s": 0, "mark": "",
    }  # fmt: skip
    world.record(
        {
            "record": INBOUND,
            "provider": "twilio",
            "provider_id": sid,
            "kind": "sms",
            "from": person,
            "to": ours,
            "body": body,
            "opt_out": keyword,
            "resource": resource,
        }
    )
    if keyword == "STOP" and account.get("handles_opt_out", True):
        world.record(
            {**receipt({**resource, "to": person, "from": ours, "body": STOPPED_TEXT}, sid), "automatic": True}
        )
    params = {
        "AccountSid": account["account_sid"], "ApiVersion": "2010-04-01", "Body": body, "From": person, "To": ours,
        "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "SmsStatus": "received", "NumMedia": "0",
        "NumSegments": "1", "FromCountry": "US", "ToCountry": "US",
    }  # fmt: skip
    if keyword:
        params["OptOutType"] = keyword
    plan = world.faults.draw("twilio", "inbound", person)
    await asyncio.sleep(plan.latency_ms / 1000)
    if plan.drop_callbacks or not number.get("sms_url"):
        return 0
    if plan.forged_callback:
        await world.courier.deliver(signed(world, params, number["sms_url"], "not-the-token", forged=True))
    callback = signed(world, params, number["sms_url"], account["auth_token"])
    if plan.duplicate_callbacks:
        return await world.courier.deliver(callback, copies=1 + plan.duplicate_callbacks)
    status, text = await world.courier.deliver_now(callback)
    if not 200 <= status < 300 and number.get("sms_fallback_url"):
        fallback = signed(world, params, number["sms_fallback_url"], account["auth_token"])
        status, text = await world.courier.deliver_now(fallback)
    else:
        await world.courier.retry_later(callback, status)
    for words in spoken(text) if 200 <= status < 300 else ():
        accept(world, account, {"To": person, "Body": words}, ours, Plan())
    return status


def spoken(twiml: str) -> list[str]:
    """The texts a TwiML answer asks Twilio to send back; none when it is empty or not TwiML."""
    if "<!" in twiml:
        return []
    try:
        root = ElementTree.fromstring(twiml)  # noqa: S314 (from our own webhook, and no entities: see above)
    except ElementTree.ParseError:
        return []
    return [("".join(message.itertext())).strip() for message in root.iter("Message")] if root.tag == "Response" else []
