"""Webhooks a second through the real door over HTTP, two processes, every one signed and new; and how long an answer takes at
half of that. Nothing may be lost: the rows are counted afterwards.

The floor stores bodies in grouped commits and does nothing else (omnify.bench.bare).
"""

import base64
import hashlib
import hmac
import statistics
from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import uuid4

from django.db import connection

from omnify.bench import bare, scratch
from omnify.bench.load import Answers, flood, pace
from omnify.bench.measured import Measure, Size, compared
from omnify.bench.serving import serving
from omnify.lib.clock import now as read_clock
from omnify.lib.ports import free_port
from omnify.tenants.actions import create_tenant
from omnify.tenants.context import tenant_context
from omnify.tenants.models import User
from sequences.models import ProviderEvent, Sender

WORKERS = 2
GOAL, LEAST = 5_000, 1_000
SLOWEST = 0.5
TOKEN = "bench" * 6
ACCOUNT = "AC" + "0" * 32


def measure(size: Size) -> list[Measure]:
    """`--people` is the number of requests of a round."""
    count, rounds = size.of(size.people, 10_000, 50_000), size.rounds or 3
    sender = _sender()
    scratch.as_owner("CREATE SCHEMA floor")
    scratch.as_owner(bare.TABLE)
    scratch.as_owner("GRANT USAGE ON SCHEMA floor TO omnify_web; GRANT ALL ON floor.hook TO omnify_web")
    port, sent = free_port(), 0
    floors, rates = [], []
    environ = scratch.environ("web")
    with (
        serving("omnify.bench.bare:application", environ, workers=WORKERS) as other,
        serving("sequences.webhooks.ingest:hooks", environ, workers=WORKERS, port=port),
    ):
        for number in range(rounds + 1):
            floor = flood(other, signed(sender, other, count))
            answers = flood(port, signed(sender, port, count))
            sent += _accepted(answers, count)
            if number:  # the first fills the caches
                floors.append(_accepted(floor, count) / floor.seconds)
                rates.append(count / answers.seconds)
        value, lowest = statistics.median(rates), statistics.median(floors)
        calm = pace(port, signed(sender, port, count), rate=value / 2)
        sent += _accepted(calm, count)
    with tenant_context(sender.tenant_id):
        lost = sent - ProviderEvent.objects.count()
    slow = calm.percentile(0.99)
    return [
        compared(
            f"Webhooks over HTTP through the door, {WORKERS} processes, all new and signed", value, lowest, "/s",
            goal=f"≥ {GOAL:,}/s (least {LEAST:,}), 0 lost", met=value >= GOAL and lost == 0, lost=lost, requests=sent,
            rates=[round(rate) for rate in rates],
        ),
        Measure(
            "99 of 100 answers at half of that rate within", round(slow * 1000, 1), "ms", f"< {SLOWEST * 1000:g} ms",
            slow < SLOWEST, more={"p50_ms": round(calm.percentile(0.5) * 1000, 1), "lost": lost},
        ),
    ]  # fmt: skip


def _accepted(answers: Answers, count: int) -> int:
    """How many were answered with 200; raises when anything else came back."""
    if answers.statuses != {200: count}:
        raise RuntimeError(f"Of {count} requests were answered: {dict(answers.statuses)}.")
    return count


def _sender() -> Sender:
    owner = User.objects.create_user("bench@omnify.example")
    tenant = create_tenant(name="Bench", slug="bench", owner=owner, now=read_clock())
    with tenant_context(tenant.pk):
        sender = Sender(name="Bench", channel="sms", provider="twilio", address="+15005550006", simulated=True)
        sender.config = {"account_sid": ACCOUNT}
        sender.tenant_id = tenant.pk
        sender.set_credentials({"auth_token": TOKEN})
        sender.save()
        sender.refresh_from_db()
    connection.close()
    return sender


def signed(sender: Sender, port: int, count: int) -> Sequence[bytes]:
    """So many status callbacks as Twilio sends them, each about another message, ready to be written to a socket."""
    return [_signed(sender, port, f"SM{uuid4().hex}") for _ in range(count)]


def _signed(sender: Sender, port: int, sid: str) -> bytes:
    form = {
        "AccountSid": ACCOUNT,
        "MessageSid": sid,
        "MessageStatus": "delivered",
        "From": "+15005550006",
        "To": "+12125550100",
    }
    path = f"/hooks/twilio/{sender.webhook_key}/status/{uuid4()}"
    url = f"http://127.0.0.1:{port}{path}"
    words = url + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.new(TOKEN.encode(), words.encode(), hashlib.sha1).digest()).decode()
    body = urlencode(form)
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"User-Agent: TwilioProxy/1.1\r\nI-Twilio-Idempotency-Token: {sid}\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
