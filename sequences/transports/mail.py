"""The mail itself, the same for every way out: our Message-ID, the one-click unsubscribe headers, text and HTML."""

import re
from typing import Any

from sequences.transports.base import Outbound, Refused

_ADDRESS = re.compile(r"[^\s<>,;:()\[\]\\\x00-\x1f\x7f@]{1,64}@[^\s<>,;:()\\\x00-\x1f\x7f@]{1,255}")


def sendable(outbound: Outbound) -> None:
    """Raises Refused unless the recipient is one mail address and nothing else."""
    if not _ADDRESS.fullmatch(outbound.to):
        raise Refused("unsendable", "This is no address that a mail can go to.", failure_type="email_failed")


def message_id(outbound: Outbound) -> str:
    """`<mark@domain>`: what a bounce or an answer quotes, and so how it finds its way back to the message."""
    return f"<{outbound.mark}@{outbound.sender.rpartition('@')[2]}>"


def compose(outbound: Outbound, connection: Any) -> Any:
    """Django's EmailMultiAlternatives, with anymail's metadata (which SMTP ignores)."""
    from email.utils import formataddr

    from django.core.mail import EmailMultiAlternatives

    # A line break would end the header and begin another.
    name = " ".join(str(outbound.config.get("from_name") or "").split())
    reply_to = " ".join(str(outbound.config.get("reply_to") or "").split())
    mail = EmailMultiAlternatives(
        subject=" ".join(outbound.subject.split()),
        body=outbound.text,
        from_email=formataddr((name, outbound.sender)) if name else outbound.sender,
        to=[outbound.to],
        reply_to=[reply_to] if reply_to else None,
        headers={"Message-ID": message_id(outbound), **outbound.headers},
        connection=connection,
    )
    if outbound.html:
        mail.attach_alternative(outbound.html, "text/html")
    mail.metadata = {"m": outbound.mark}  # type: ignore[attr-defined]
    return mail
