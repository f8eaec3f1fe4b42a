"""The life of a mail, however it came in (an API or SMTP): received, perhaps opened, bounced or answered."""

import asyncio
import json
import uuid
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from omnify.lib.clock import now
from omnify.simulator import esp, mail_events
from omnify.simulator.accounts import Account
from omnify.simulator.callbacks import POSTMARK_INBOUND_RETRIES, POSTMARK_TRACKING_RETRIES, Callback
from omnify.simulator.faults import Plan
from omnify.simulator.ledger import ACCEPTED, INBOUND, RECEIVED
from omnify.simulator.people import normal
from omnify.simulator.resources import Resource
from omnify.simulator.world import World

# What providers that give mails a Message-ID of their own name in it.
OWN_DOMAINS = {"ses": "email.amazonses.com", "sendgrid": "geopod-ismtpd-1"}
DELIVERED_AFTER, EVENT_AFTER, ANSWER_AFTER = 0.5, 2.0, 4.0  # seconds at pace 1


def accept(world: World, provider: str, mail: dict[str, Any], recipients: list[str], plan: Plan) -> Resource:
    """Take one mail for one or more recipients: on the ledger at once with everyone's receipt.

    `mail` has account, from, subject, text, html, message_id, mark, metadata, tag, stream, headers (name -> value); and
    `dropped`, who will not get it because they are on a list of the provider's, with its reason.
    """
    mail_id = str(uuid.uuid4())
    mail = {**mail, "message_id": mail["message_id"] or f"<{mail_id}@{OWN_DOMAINS.get(provider, 'mtasv.net')}>"}
    resource = {**mail, "to": recipients, "status": "Sent", "told": [], "lag_s": plan.listing_lag_s}
    common = {"provider": provider, "provider_id": mail_id, "kind": "email", "from": mail["from"], "mark": mail["mark"]}
    entries: list[dict[str, Any]] = [{"record": ACCEPTED, **common, "to": ", ".join(recipients), "resource": resource}]
    for recipient in recipients:
        if not bounces(world, recipient) and normal(recipient) not in mail.get("dropped", {}):
            entries.append({"record": RECEIVED, **common, "to": normal(recipient), **_visible(mail)})
    world.record(*entries)
    for recipient in recipients:
        world.courier.start(live(world, provider, mail_id, recipient, plan))
    stored = world.resources.get(provider, mail_id)
    assert stored is not None
    return stored


def _visible(mail: dict[str, Any]) -> dict[str, Any]:
    names = {name.lower(): value for name, value in mail["headers"].items()}
    return {
        "subject": mail["subject"], "body": mail["text"], "html": mail["html"], "message_id": mail["message_id"],
        "list_unsubscribe": names.get("list-unsubscribe", ""), "reply_to": names.get("reply-to", ""),
    }  # fmt: skip


def bounces(world: World, recipient: str) -> str:
    """The Postmark bounce type this person's mailbox answers with, "" for none."""
    for event in world.people.temperament(recipient).mail_events:
        if event.startswith("Bounce:"):
            return event.partition(":")[2]
    return ""


def resume(world: World) -> None:
    """After a restart: what the webhooks had not been told yet is told now."""
    for provider in ("postmark", "smtp", *esp.PROVIDERS):
        for mail in world.resources.newest_first(provider):
            for recipient in mail.get("to", []) if "told" in mail else []:
                if recipient not in mail["told"]:
                    world.courier.start(live(world, provider, mail["id"], recipient, Plan()))


async def live(world: World, provider: str, mail_id: str, recipient: str, plan: Plan) -> None:
    """Tell the tracking webhook what became of the mail at one recipient, then let the person answer."""
    mail = world.resources.get(provider, mail_id)
    assert mail is not None
    if provider in esp.PROVIDERS:
        return await _told(world, provider, mail, recipient, plan)
    bounce = bounces(world, recipient)
    events = [f"Bounce:{bounce}"] if bounce else ["Delivery", *world.people.temperament(recipient).mail_events]
    await asyncio.sleep(DELIVERED_AFTER * world.pace)
    for n, event in enumerate(reversed(events) if plan.reorder_callbacks else events):
        await asyncio.sleep(EVENT_AFTER * world.pace if n else 0)
        if event == "SpamComplaint" or bounce == "HardBounce":
            world.change(provider, mail_id, suppressed=normal(recipient))
        payload = mail_events.tracking(event, mail, recipient, now())
        if event == "Delivery" and provider == "postmark":
            _happened(world, provider, mail_id, event, recipient, payload["DeliveredAt"])
        if payload["RecordType"] in ("Bounce", "SpamComplaint"):
            so_far = world.resources.get(provider, mail_id) or mail
            world.change(provider, mail_id, bounces=[*so_far.get("bounces", []), payload])
        if reason := mail_events.suppresses(payload):
            so_far = world.resources.get(provider, mail_id) or mail
            entry = mail_events.suppression(recipient, reason, now())
            world.change(provider, mail_id, suppressions=[*so_far.get("suppressions", []), entry])
        await tell(world, provider, mail, recipient, payload, plan)
    current = world.resources.get(provider, mail_id)
    assert current is not None
    world.change(provider, mail_id, told=[*current["told"], recipient])
    if bounce and provider == "smtp":
        await _notice(world, mail, recipient)
    elif not bounce:
        await answer(world, mail, recipient)


def _happened(world: World, provider: str, mail_id: str, kind: str, recipient: str, at: str) -> None:
    """Onto the mail's own record, which its provider shows to whoever asks."""
    so_far = (world.resources.get(provider, mail_id) or {}).get("events", [])
    world.change(provider, mail_id, events=[*so_far, {"kind": kind, "recipient": recipient, "at": at}])


async def _told(world: World, provider: str, mail: Resource, recipient: str, plan: Plan) -> None:
    """The same life at SendGrid or Amazon SES: taken, then delivered or not, then what the person does with it."""
    account = world.accounts.get(provider, mail["account"])
    if account is None:
        return
    reason, bounce = mail.get("dropped", {}).get(normal(recipient), ""), bounces(world, recipient)
    events = [esp.taken(provider), f"Bounce:{bounce}" if bounce else "Delivery"]
    events = [*events, *([] if bounce else world.people.temperament(recipient).mail_events)]
    if reason:
        events = [f"dropped:{reason}"] if provider == "sendgrid" else [events[0], f"dropped:{reason}"]
    for n, event in enumerate(reversed(events) if plan.reorder_callbacks else events):
        await asyncio.sleep((EVENT_AFTER if n else DELIVERED_AFTER) * world.pace)
        _happened(world, provider, mail["id"], event, recipient, now().isoformat())
        (sendgrid_lists if provider == "sendgrid" else ses_lists)(world, account, event, recipient)
        payload = esp.event_of(provider, event, mail, recipient, now())
        if plan.drop_callbacks:
            continue
        if plan.forged_callback:
            lie = esp.event_of(provider, "Bounce:HardBounce", mail, recipient, now())
            await _deliver(world, esp.callback(world, provider, account, lie, mail["id"], forged=True))
        told = esp.callback(world, provider, account, payload, mail["id"])
        await _deliver(world, told, copies=1 + plan.duplicate_callbacks)
    current = world.resources.get(provider, mail["id"])
    assert current is not None
    world.change(provider, mail["id"], told=[*current["told"], recipient])
    if not bounce and not reason:
        await answer(world, mail, recipient)


def sendgrid_lists(world: World, account: Account, event: str, recipient: str) -> None:
    from omnify.simulator.sendgrid import suppress

    suppress(world, account, event, recipient)


def ses_lists(world: World, account: Account, event: str, recipient: str) -> None:
    from omnify.simulator.ses import suppress

    suppress(world, account, event, recipient)


async def _deliver(world: World, callback: Callback | None, copies: int = 1) -> int:
    return await world.courier.deliver(callback, copies=copies) if callback is not None else 0


async def tell(
    world: World, provider: str, mail: Resource, recipient: str, payload: dict[str, Any], plan: Plan
) -> None:
    """POST one tracking event; under the plan also twice, never, or forged (without the password)."""
    account = world.accounts.mailbox(provider, mail["from"]) if provider == "smtp" else None
    account = account or world.accounts.get("postmark", mail["account"])
    if account is None or not account.get("tracking_url") or plan.drop_callbacks:
        return
    if plan.forged_callback:
        lie = mail_events.tracking("Bounce:HardBounce", mail, recipient, now())
        await world.courier.deliver(_callback(world, account["tracking_url"], lie, mail["id"], forged=True))
    await world.courier.deliver(
        _callback(world, account["tracking_url"], payload, mail["id"]), copies=1 + plan.duplicate_callbacks
    )


def _callback(world: World, url: str, payload: dict[str, Any], about: str, *, forged: bool = False) -> Callback:
    event = payload.get("RecordType", "Inbound")
    url = world.courier.absolute(url)
    if forged:
        url = strangers(url)
    return Callback(
        provider="postmark",
        event=event,
        url=url,
        body=json.dumps(payload).encode(),
        headers={"content-type": "application/json", "user-agent": "Postmark"},
        retries=POSTMARK_INBOUND_RETRIES if event == "Inbound" else POSTMARK_TRACKING_RETRIES,
        retry_on_status=True,
        forged=forged,
        about=about,
    )


def strangers(url: str) -> str:
    """The address with a password that somebody guessed."""
    parts = urlsplit(url)
    return parts._replace(netloc="stranger:guess@" + parts.netloc.rpartition("@")[2]).geturl()


async def answer(world: World, mail: Resource, person: str) -> None:
    """The person, or their absence assistant, writes back if it is in their nature."""
    words = world.people.next_answer(person, "email")
    if not words:
        return
    await asyncio.sleep(ANSWER_AFTER * world.pace)
    headers = {}
    if world.people.temperament_name(person) == "auto_reply":
        headers = {"Auto-Submitted": "auto-replied", "Precedence": "auto_reply", "X-Autoreply": "yes"}
    await say(world, person, words, in_reply_to=mail["message_id"], headers=headers)


async def _notice(world: World, mail: Resource, recipient: str) -> None:
    """A mail server's late bounce message, as it comes back for mail sent over SMTP."""
    text = mail_events.delivery_status_text(recipient)
    headers = {"Return-Path": "<>", "Auto-Submitted": "auto-replied", "X-Failed-Recipients": recipient}
    daemon = "mailer-daemon@" + recipient.rpartition("@")[2]
    await _post(
        world, sender=daemon, person=recipient, to=mail["from"], subject="Delivery Status Notification (Failure)",
        text=text, stripped="", reply_to_id=mail["message_id"], headers=headers, account_of=mail,
    )  # fmt: skip


async def say(
    world: World, person: str, body: str, *, in_reply_to: str = "", to: str = "", headers: dict[str, str] | None = None
) -> int:
    """A person answers a mail (the last one unless `in_reply_to` names another). Returns the webhook's HTTP status.

    The quoted original follows below, as mail programs write it. Raises ValueError when there is nothing to answer.
    """
    seen = world.people.last_received(person, "email", in_reply_to)
    if seen is None:
        raise ValueError("this person has received no such mail to answer")
    original = world.resources.get(seen["provider"], seen["provider_id"])
    assert original is not None
    subject = seen["subject"] if seen["subject"].lower().startswith("re:") else f"Re: {seen['subject']}"
    return await _post(
        world, sender=person, person=person, to=to or seen.get("reply_to") or seen["from"], subject=subject,
        text=mail_events.quoting(body, seen), stripped=body, reply_to_id=seen["message_id"],
        headers=headers or {}, account_of=original, provider=seen["provider"],
    )  # fmt: skip


async def _post(
    world: World, *, sender: str, person: str, to: str, subject: str, text: str, stripped: str, reply_to_id: str,
    headers: dict[str, str], account_of: Resource, provider: str = "",
) -> int:  # fmt: skip
    """Put a mail to us on the ledger and hand it to the inbound webhook."""
    mail_id = str(uuid.uuid4())
    foreign = provider if provider in esp.PROVIDERS else ""
    account = world.accounts.get(foreign, account_of["account"]) if foreign else _inbound_account(world, account_of)
    name = world.accounts.people.get(normal(person), {}).get("name", "")
    own_id = f"<{mail_id}@{sender.rpartition('@')[2]}>"
    payload = mail_events.inbound(
        mail_id=mail_id, sender=sender, name=name, to=to, subject=subject, text=text, stripped=stripped,
        date=format_datetime(now()), headers={"Message-ID": own_id, "In-Reply-To": reply_to_id,
                                              "References": reply_to_id, **headers},
    )  # fmt: skip
    resource = {"account": account_of["account"] or "", "payload": payload, "from": sender, "lag_s": 0}
    if not foreign:
        resource["account"] = (account or {}).get("server_token", "")
    world.record(
        {
            "record": INBOUND,
            "provider": f"{foreign or 'postmark'}-inbound",
            "provider_id": mail_id,
            "kind": "email",
            "from": sender,
            "to": to,
            "subject": subject,
            "body": stripped or text,
            "in_reply_to": reply_to_id,
            "resource": resource,
        }
    )
    asked = foreign or ("smtp" if "server_token" not in (account or {}) else "postmark")
    plan = world.faults.draw(asked, "inbound", sender)
    await asyncio.sleep(plan.latency_ms / 1000)
    if foreign:
        if account is None or plan.drop_callbacks:
            return 0
        if plan.forged_callback:
            await _deliver(world, esp.inbound(world, foreign, account, payload, mail_id, forged=True))
        told = esp.inbound(world, foreign, account, payload, mail_id)
        return await _deliver(world, told, copies=1 + plan.duplicate_callbacks)
    if account is None or not account.get("inbound_url") or plan.drop_callbacks:
        return 0
    if plan.forged_callback:
        await world.courier.deliver(_callback(world, account["inbound_url"], payload, mail_id, forged=True))
    return await world.courier.deliver(
        _callback(world, account["inbound_url"], payload, mail_id), copies=1 + plan.duplicate_callbacks
    )


def _inbound_account(world: World, mail: Resource) -> Account | None:
    if mail["account"]:
        return world.accounts.get("postmark", mail["account"])
    return world.accounts.mailbox("smtp", mail["from"])
