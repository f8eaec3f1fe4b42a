"""From a claimed row to what a transport wants: credentials opened, links and footer added, the simulator put in between."""

import json
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.html import escape, linebreaks, urlize

from omnify.lib import sealing
from sequences import footer, unsubscribe
from sequences.transports.base import Account, Call, Outbound, Refused, fingerprint

FAILED = {
    "twilio": "sms", "vapi": "call", "postmark": "email", "sendgrid": "email", "ses": "email", "smtp": "email",
}  # fmt: skip
SIMULATED_PATH = {
    "twilio": "/twilio", "vapi": "/vapi", "postmark": "/postmark", "sendgrid": "/sendgrid", "ses": "/ses", "smtp": "",
}  # fmt: skip


def outbound_for(claim: Any, now: Any) -> Outbound:
    """Everything the transport needs for this claim. Raises Refused where the sender's set-up cannot send at all."""
    message, known = claim.message, claim.known
    text, html = message.body, None
    headers: dict[str, str] = {}
    if message.channel == "email":
        text, html, headers = _mail(claim)
    return Outbound(
        mark=str(claim.public_id),
        channel=message.channel,
        to=message.to_address,
        sender=known.sender_address,
        config=json.loads(known.sender_config),
        credentials=_credentials(known, claim.tenant_id),
        text=text,
        callback_base=f"{settings.PUBLIC_URL}/hooks/{known.provider}/{known.webhook_key}",
        valid_for=max(1, int((claim.must_arrive_by - now).total_seconds())),
        subject=message.subject,
        html=html,
        headers=headers,
        call=_call(claim) if message.channel == "voice" else None,
        **_simulated(known),
    )


def account_of(sender: Any) -> Account:
    """A Sender's account, opened, with the simulator put in between. Raises Refused where it cannot be asked at all."""
    where = _simulated(sender)
    return Account(sender.address, sender.config, _credentials(sender, sender.tenant_id), where.get("base_url", ""))


def fingerprint_of(known: Any, tenant_id: int) -> str:
    """Which account a message of this sender leaves from now. `known`: a row with the sender's columns, or a Sender."""
    config = known.config if hasattr(known, "config") else json.loads(known.sender_config)
    return fingerprint(known.provider, config, _credentials(known, tenant_id), simulated=bool(known.simulated))


def _simulated(known: Any) -> dict[str, Any]:
    if not known.simulated:
        return {}
    if not settings.SIMULATOR_URL:
        raise Refused(
            "no_simulator",
            "This sender speaks to the simulator, but none is running. Set SIMULATOR_URL, or use a real sender.",
            failure_type=f"{FAILED[known.provider]}_failed",
        )
    if known.provider == "smtp":
        return {"server": ("127.0.0.1", settings.SIMULATOR_SMTP_PORT)}
    return {"base_url": settings.SIMULATOR_URL.rstrip("/") + SIMULATED_PATH[known.provider]}


@lru_cache(maxsize=512)
def _opened(sealed: str, context: str) -> dict[str, Any]:
    """Opened once a process: a sender's secrets change by being sealed anew."""
    return sealing.open_sealed(sealed, context=context)


def _credentials(known: Any, tenant_id: int) -> dict[str, Any]:
    if not known.sealed_credentials:
        return {}
    try:
        return dict(_opened(known.sealed_credentials, f"sender:{tenant_id}"))
    except sealing.CannotOpen as error:
        raise Refused(
            "sealed", str(error), failure_type=f"{FAILED[known.provider]}_failed", pause_sender=True
        ) from error


def _mail(claim: Any) -> tuple[str, str, dict[str, str]]:
    """Text, HTML and headers of a mail. Marketing carries the footer and RFC 8058's one-click headers."""
    text: str = claim.message.body
    headers: dict[str, str] = {}
    if claim.facts.marketing:
        link = unsubscribe.link_for(claim)
        text = footer.with_footer(
            text,
            business=claim.known.tenant_name,
            address=claim.known.postal_address,
            unsubscribe=link,
            preferences=unsubscribe.preferences_link_for(claim),
        )
        headers = {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return text, f"<html><body>{linebreaks(urlize(escape(text)))}</body></html>", headers


def _call(claim: Any) -> Call:
    """First words: the subject, or without one the body's first paragraph; the whole body is what the call is about."""
    message, known = claim.message, claim.known
    words = message.subject or message.body.strip().partition("\n\n")[0]
    name = f"{known.first_name} {known.last_name}".strip()
    return Call(
        first_message=footer.opening(words, business=known.tenant_name),
        instructions=message.body,
        variables={
            "first_name": known.first_name,
            "full_name": name,
            "company": known.company or "",
            "business": known.tenant_name,
        },
        customer_name=name,
    )
