"""The mail server: takes everything on loopback, except what a person's mailbox or a scripted fault refuses."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from omnify.simulator import mail
from omnify.simulator.connections import reset
from omnify.simulator.faults import Plan
from omnify.simulator.people import normal
from omnify.simulator.resources import Resource
from omnify.simulator.world import World

MAX_BYTES = 25 * 1024 * 1024
_STATUS = {429: "421 4.7.0 Too many messages, try again later", 500: "451 4.3.0 Temporary system problem"}


class Sink(SMTP):
    """aiosmtpd's server that can also die at the DATA command, before the mail is handed over."""

    async def smtp_DATA(self, arg: str) -> None:
        plan = plan_of(self.envelope) if self.envelope is not None else Plan()
        if plan.before == "reset":
            reset(self.transport)
            return
        await super().smtp_DATA(arg)


def plan_of(envelope: Envelope) -> Plan:
    """The fault drawn for this mail's first recipient."""
    return getattr(envelope, "fault_plan", Plan())


class Mailboxes:
    """aiosmtpd's handler: one verdict per recipient, one ledger entry per mail."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        plan = self.world.faults.draw("smtp", "create", normal(address))
        if plan.refuse:
            return plan.refuse
        if plan.status:
            return _STATUS.get(plan.status, _STATUS[500])
        if self.world.people.temperament(address).smtp_refusal:
            return self.world.people.temperament(address).smtp_refusal
        if not hasattr(envelope, "fault_plan"):
            envelope.fault_plan = plan
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        plan = plan_of(envelope)
        if plan.before == "timeout":
            await asyncio.sleep(plan.latency_ms / 1000)
            return await _hang(server, plan.hang_s)
        # With the final dot the mail is the server's (RFC 5321 §6.1): a client that does not wait for the answer takes nothing
        # back, so that aiosmtpd, which ends this coroutine with the connection, must not end the taking.
        stored: Resource = await asyncio.shield(self.world.courier.start(self._take(envelope, plan)))
        if plan.after == "timeout":
            return await _hang(server, plan.hang_s)
        if plan.after == "500":
            return _STATUS[500]
        if plan.after:
            reset(server.transport)
        return f"250 2.0.0 OK queued as {stored['id']}"

    async def _take(self, envelope: Envelope, plan: Plan) -> Resource:
        await asyncio.sleep(plan.latency_ms / 1000)
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        stored = mail.accept(self.world, "smtp", read(content), list(envelope.rcpt_tos), plan)
        await self.world.ledger.durable()
        return stored


async def _hang(server: SMTP, seconds: float) -> str:
    """Say nothing until the client hangs up or `seconds` have passed."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end and server.transport and not server.transport.is_closing():
        await asyncio.sleep(0.05)
    return "451 4.4.2 Timeout"


def read(content: bytes) -> dict[str, Any]:
    """The parts of a mail the rest of the simulator works with. Bad encodings are replaced, never refused."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    headers = {str(name): str(value) for name, value in message.items()}
    lower = {name.lower(): value for name, value in headers.items()}
    message_id = lower.get("message-id", "").strip()
    prefix = "x-pm-metadata-"
    metadata = {name.removeprefix(prefix): value for name, value in lower.items() if name.startswith(prefix)}
    return {
        "account": "", "from": next((email for _, email in getaddresses([lower.get("from", "")])), ""),
        "subject": lower.get("subject", ""), "text": _part(message, "plain"), "html": _part(message, "html"),
        "message_id": message_id, "mark": message_id.strip("<>").partition("@")[0], "metadata": metadata,
        "tag": lower.get("x-pm-tag", ""), "stream": "", "headers": headers,
    }  # fmt: skip


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    if part is None:
        return ""
    raw = part.get_payload(decode=True)
    charset = part.get_content_charset() or "utf-8"
    try:
        return raw.decode(charset, "replace") if isinstance(raw, bytes) else ""
    except LookupError:  # a charset nobody knows
        return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""


@contextlib.asynccontextmanager
async def listening(world: World, port: int) -> AsyncIterator[None]:
    """Serve on 127.0.0.1:port inside the running loop; port 0 serves nothing."""
    if not port:
        yield
        return
    mailboxes = Mailboxes(world)
    server = await asyncio.get_running_loop().create_server(
        lambda: Sink(mailboxes, hostname="simulator.test", data_size_limit=MAX_BYTES, enable_SMTPUTF8=True),
        "127.0.0.1",
        port,
    )
    try:
        yield
    finally:
        server.close()
