"""What SendGrid and Amazon SES tell of a mail's life, signed as they sign it. The life itself is the same for all (mail.py).

Events are made from Postmark's words for them, which people's manners are written in (temperaments.py).
"""

import base64
import json
import uuid
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from omnify.lib.clock import now
from omnify.simulator import sns
from omnify.simulator.accounts import Account
from omnify.simulator.callbacks import SENDGRID_RETRIES, SNS_RETRIES, Callback
from omnify.simulator.resources import Resource
from omnify.simulator.signing import sendgrid_signature
from omnify.simulator.world import World

PROVIDERS = ("sendgrid", "ses")
# Postmark's word: SendGrid's fields, SES's event and its details.
SENDGRID: dict[str, dict[str, Any]] = {
    "Delivery": {"event": "delivered", "response": "250 OK"},
    "Open": {"event": "open", "useragent": "Mozilla/5.0 (Simulated)", "sg_machine_open": False},
    "Click": {"event": "click", "url": "https://example.com/"},
    "SpamComplaint": {"event": "spamreport"},
    "SubscriptionChange": {"event": "unsubscribe"},
    "Bounce:HardBounce": {
        "event": "bounce",
        "type": "bounce",
        "status": "5.1.1",
        "reason": "550 5.1.1 No such user here",
    },
    "Bounce:SoftBounce": {"event": "bounce", "type": "blocked", "status": "4.2.2", "reason": "452 4.2.2 Mailbox full"},
}
SES: dict[str, tuple[str, dict[str, Any]]] = {
    "Delivery": ("Delivery", {"smtpResponse": "250 2.0.0 OK"}),
    "Open": ("Open", {"userAgent": "Mozilla/5.0 (Simulated)"}),
    "Click": ("Click", {"link": "https://example.com/"}),
    "SpamComplaint": ("Complaint", {"complaintFeedbackType": "abuse"}),
    "SubscriptionChange": (
        "Subscription",
        {"source": "UnsubscribeHeader", "newTopicPreferences": {"unsubscribeAll": True}},
    ),
    "Bounce:HardBounce": ("Bounce", {"bounceType": "Permanent", "bounceSubType": "General"}),
    "Bounce:SoftBounce": ("Bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}),
}
SAID = {
    "Permanent": {"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 No such user here"},
    "Transient": {"action": "failed", "status": "4.2.2", "diagnosticCode": "smtp; 452 4.2.2 Mailbox full"},
}
# Which of SendGrid's lists an event puts the person on.
LISTS = {"Bounce:HardBounce": "bounces", "SpamComplaint": "spam_reports", "SubscriptionChange": "unsubscribes"}


def taken(provider: str) -> str:
    """The event by which this provider says that it has accepted a mail."""
    return "processed" if provider == "sendgrid" else "Send"


def event_of(provider: str, event: str, mail: Resource, recipient: str, at: datetime) -> dict[str, Any]:
    """One event in the provider's form. `event`: a Postmark word, or what taken() says."""
    if provider == "sendgrid":
        common = {
            "email": recipient, "timestamp": int(at.timestamp()), "sg_event_id": uuid.uuid4().hex,
            "sg_message_id": f"{mail['id']}.recvd-7d9b-1-0", "smtp-id": mail["message_id"], **mail["metadata"],
        }  # fmt: skip
        if event.startswith("dropped:"):
            return common | {"event": "dropped", "reason": event.partition(":")[2]}
        return common | SENDGRID.get(event, {"event": event})
    if event.startswith("dropped:"):
        name, details = "Bounce", {"bounceType": "Permanent", "bounceSubType": event.partition(":")[2]}
    else:
        name, details = SES.get(event, (event, {}))
    tags = {name: [value] for name, value in mail["metadata"].items()}
    told: dict[str, Any] = {
        "eventType": name,
        "mail": {
            "timestamp": mail["created"], "source": mail["from"], "messageId": mail["id"], "destination": [recipient],
            "headersTruncated": False, "tags": tags,
        },
    }  # fmt: skip
    moment = at.isoformat().replace("+00:00", "Z")
    body: dict[str, Any] = {**details, "timestamp": moment}
    if name == "Bounce":
        body["bouncedRecipients"] = [{"emailAddress": recipient, **SAID[details["bounceType"]]}]
    if name == "Complaint":
        body["complainedRecipients"] = [{"emailAddress": recipient}]
    if name == "Delivery":
        body["recipients"] = [recipient]
    return told | {name[0].lower() + name[1:]: body}


def callback(
    world: World, provider: str, account: Account, event: dict[str, Any], about: str, *, forged: bool = False
) -> Callback | None:
    """One event as the provider posts it; None where the account has no address for it."""
    url = str(account.get("events_url") or "")
    if not url:
        return None
    if provider == "sendgrid":
        body = json.dumps([event]).encode()
        stamp = str(int(now().timestamp()))
        signature = sendgrid_signature(account["api_key"] + ("?" if forged else ""), stamp, body)
        headers = {
            "content-type": "application/json", "user-agent": "SendGrid Event API",
            "x-twilio-email-event-webhook-timestamp": stamp, "x-twilio-email-event-webhook-signature": signature,
        }  # fmt: skip
        retries = SENDGRID_RETRIES
    else:
        body = world.topics.notification(str(account["topic_arn"]), json.dumps(event), forged=forged)
        headers, retries = sns.headers_of(body), SNS_RETRIES
    name = str(event.get("event") or event.get("eventType") or event.get("notificationType"))
    return Callback(
        provider=provider, event=name, url=world.courier.absolute(url), body=body, headers=headers, retries=retries,
        retry_on_status=True, forged=forged, about=about,
    )  # fmt: skip


def inbound(
    world: World, provider: str, account: Account, payload: dict[str, Any], mail_id: str, *, forged: bool = False
) -> Callback | None:
    """A person's mail to us, as SendGrid's Inbound Parse (a form) or SES's receiving (the whole mail, through SNS) brings it.

    `payload`: the same mail in Postmark's words.
    """
    headers = [(each["Name"], each["Value"]) for each in payload["Headers"] if each["Name"] != "Return-Path"]
    if provider == "ses":
        event = {
            "notificationType": "Received",
            "mail": {"messageId": mail_id.replace("-", ""), "source": payload["From"], "commonHeaders": {}},
            "receipt": {
                "recipients": [payload["OriginalRecipient"]],
                "action": {"type": "SNS", "encoding": "BASE64"},
                "spfVerdict": {"status": "PASS"},
            },
            "content": base64.b64encode(_whole(payload, headers)).decode(),
        }
        return callback(world, provider, account, event, mail_id, forged=forged)
    url = str(account.get("inbound_url") or "")
    if not url:
        return None
    full = f"{payload['FromName']} <{payload['From']}>" if payload["FromName"] else payload["From"]
    fields = {
        "headers": "\n".join(f"{name}: {value}" for name, value in [("From", full), *headers]),
        "from": full, "to": payload["To"], "subject": payload["Subject"], "text": payload["TextBody"],
        "envelope": json.dumps({"to": [payload["OriginalRecipient"]], "from": payload["From"]}),
        "charsets": json.dumps({"to": "UTF-8", "from": "UTF-8", "subject": "UTF-8", "text": "utf-8"}),
        "SPF": "pass", "attachments": "0", "sender_ip": "192.0.2.7",
    }  # fmt: skip
    boundary = f"xYz{uuid.uuid4().hex}"
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    from omnify.simulator.mail import strangers

    url = world.courier.absolute(url)
    return Callback(
        provider=provider, event="Inbound", url=strangers(url) if forged else url,
        body=f"{parts}--{boundary}--\r\n".encode(), retries=SENDGRID_RETRIES, retry_on_status=True, forged=forged,
        about=mail_id, headers={"content-type": f"multipart/form-data; boundary={boundary}", "user-agent": "Sendlib/1.0"},
    )  # fmt: skip


def _whole(payload: dict[str, Any], headers: list[tuple[str, str]]) -> bytes:
    mail = EmailMessage()
    mail["From"] = f"{payload['FromName']} <{payload['From']}>" if payload["FromName"] else payload["From"]
    mail["To"], mail["Subject"] = payload["To"], " ".join(payload["Subject"].split())
    for name, value in headers:
        if value and name.lower() not in ("from", "to", "subject"):
            mail[name] = " ".join(value.split())
    mail.set_content(payload["TextBody"])
    return mail.as_bytes()
