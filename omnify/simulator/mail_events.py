"""What Postmark posts to webhooks, as values (postmarkapp.com/developer/webhooks). Pure."""

import re
from datetime import datetime
from email.utils import getaddresses
from typing import Any

# Postmark's numeric codes of bounce types (postmarkapp.com/developer/api/bounce-api, "Bounce types").
BOUNCES = {
    "HardBounce": (1, "Hard bounce", "Could not be delivered (ex: unknown user).", "550 5.1.1 No such user here"),
    "SoftBounce": (4096, "Soft bounce", "Not delivered for now (mailbox full).", "452 4.2.2 Mailbox full"),
    "SpamComplaint": (512, "Spam complaint", "The recipient marked it as spam.", ""),
}  # fmt: skip
_LINK = re.compile(r"https?://[^\s\"'<>)]+")


def tracking(event: str, mail: dict[str, Any], recipient: str, now: datetime) -> dict[str, Any]:
    """The body for one event: Delivery, Open, Click, SpamComplaint, SubscriptionChange or Bounce:<Type>.

    For mail sent over SMTP there is no Postmark id we could know, so MessageID is the mail's own Message-ID, bare.
    """
    kind, _, bounce = event.partition(":")
    common = {
        "RecordType": kind, "ServerID": 1, "MessageStream": mail["stream"] or "outbound", "Tag": mail["tag"],
        "MessageID": mail["id"] if mail["account"] else mail["message_id"].strip("<>"), "Metadata": mail["metadata"],
    }  # fmt: skip
    at = now.isoformat().replace("+00:00", "Z")
    agent = {"UserAgent": "Mozilla/5.0 (Simulated)", "OS": {}, "Client": {}, "Geo": {}, "Platform": "Desktop"}
    if kind == "Delivery":
        return {**common, "Recipient": recipient, "DeliveredAt": at, "Details": "250 2.0.0 OK"}
    if kind == "Open":
        return {**common, "Recipient": recipient, "ReceivedAt": at, "FirstOpen": True, "ReadSeconds": 5, **agent}
    if kind == "Click":
        found = _LINK.search(mail["html"] or "") or _LINK.search(mail["text"] or "")
        link = found[0] if found else ""
        return {
            **common,
            "Recipient": recipient,
            "ReceivedAt": at,
            "ClickLocation": "HTML",
            "OriginalLink": link,
            **agent,
        }
    if kind == "SubscriptionChange":
        change = {"Origin": "Recipient", "SuppressSending": True, "SuppressionReason": "ManualSuppression"}
        return {**common, "Recipient": recipient, "ChangedAt": at, **change}
    code, name, description, details = BOUNCES[bounce or kind]
    return {
        **common, "ID": int(mail["id"].replace("-", "")[:8], 16), "Type": bounce or kind, "TypeCode": code,
        "Name": name, "Description": description, "Details": details, "Email": recipient, "From": mail["from"],
        "BouncedAt": at, "DumpAvailable": False, "Inactive": bounce != "SoftBounce", "CanActivate": bool(bounce),
        "Subject": mail["subject"], "Content": "",
    }  # fmt: skip


def suppresses(payload: dict[str, Any]) -> str:
    """Why Postmark refuses this recipient from now on (its SuppressionReason), "" if it does not."""
    if payload["RecordType"] == "SubscriptionChange":
        return "ManualSuppression"
    return payload["Type"] if payload.get("Type") in ("HardBounce", "SpamComplaint") else ""


def suppression(recipient: str, reason: str, now: datetime) -> dict[str, Any]:
    """An entry of the suppressions dump."""
    origin = "Recipient" if reason != "HardBounce" else "Customer"
    at = now.isoformat().replace("+00:00", "Z")
    return {"EmailAddress": recipient, "SuppressionReason": reason, "Origin": origin, "CreatedAt": at}


def address(text: str) -> dict[str, str]:
    """ "Ann <ann+x@a.test>" as Postmark's {Email, Name, MailboxHash}."""
    name, email = next(iter(getaddresses([text])), ("", text))
    return {"Email": email, "Name": name, "MailboxHash": email.partition("@")[0].partition("+")[2]}


def inbound(
    *, mail_id: str, sender: str, name: str, to: str, subject: str, text: str, stripped: str, date: str,
    headers: dict[str, str],
) -> dict[str, Any]:  # fmt: skip
    """The inbound webhook's body. Postmark puts Return-Path first among the headers."""
    recipient = address(to)
    envelope = headers.pop("Return-Path", f"<{sender}>")
    return {
        "FromName": name, "MessageStream": "inbound", "From": sender,
        "FromFull": {"Email": sender, "Name": name, "MailboxHash": ""}, "To": to, "ToFull": [recipient], "Cc": "",
        "CcFull": [], "Bcc": "", "BccFull": [], "OriginalRecipient": recipient["Email"], "Subject": subject,
        "MessageID": mail_id, "ReplyTo": "", "MailboxHash": recipient["MailboxHash"], "Date": date, "TextBody": text,
        "HtmlBody": "", "StrippedTextReply": stripped, "Tag": "", "Attachments": [],
        "Headers": [{"Name": "Return-Path", "Value": envelope}, *({"Name": n, "Value": v} for n, v in headers.items())],
    }  # fmt: skip


def quoting(body: str, original: dict[str, Any]) -> str:
    """An answer with the original below it."""
    moment = datetime.fromisoformat(original["at"]).strftime("%a, %d %b %Y at %H:%M")
    quoted = "\n".join(f"> {line}" for line in (original["body"] or "").splitlines())
    return f"{body}\n\nOn {moment}, {original['from']} wrote:\n{quoted}\n"


def delivery_status_text(recipient: str) -> str:
    """The readable and the machine part of a bounce message (RFC 3464), as one text."""
    return (
        "Your message could not be delivered.\n\n"
        f"Final-Recipient: rfc822; {recipient}\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 No such user here\n"
    )
