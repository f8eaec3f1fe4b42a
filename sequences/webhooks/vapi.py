"""VAPI's server messages: JSON about a call, with a shared secret, or signed where an HMAC credential is set. Pure.

https://docs.vapi.ai/server-url/server-authentication. There is no event id: call, type and status make the event.
"""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from sequences.signals import CallEnded, CallProgress, Signal
from sequences.webhooks.base import Account, Identity, Request, digest, event_key, mark_in, table, text_of, unreadable

TOLERANCE_SECONDS = 300


def genuine(request: Request, account: Account, now: datetime) -> bool:
    """Signed within five minutes where the sender has an `hmac_secret`, which is the stronger; else the `webhook_secret`."""
    hmac_secret, secret = account.secret("hmac_secret"), account.secret("webhook_secret")
    if hmac_secret:
        return _signed(request, hmac_secret, now)
    given = request.headers.get("x-vapi-secret", "")
    return bool(secret) and hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def why_refused(request: Request, account: Account, now: datetime) -> str:
    """Why a request was not genuine, in words for the tenant."""
    if not account.secret("hmac_secret"):
        return "wrong secret"
    if not request.headers.get("x-signature"):
        return "no signature"
    return "bad signature" if _recent(request, now) else "stale timestamp"


def _recent(request: Request, now: datetime) -> bool:
    """Whether the timestamp is within five minutes of now; one that cannot be read is not."""
    timestamp = request.headers.get("x-timestamp", "")
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 13:
        return False
    seconds = int(timestamp) / (1000 if len(timestamp) == 13 else 1)
    return abs(now.timestamp() - seconds) <= TOLERANCE_SECONDS


def _signed(request: Request, secret: str, now: datetime) -> bool:
    if not _recent(request, now):
        return False
    signed = f"{request.headers['x-timestamp']}.".encode() + request.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    given = request.headers.get("x-signature", "").encode("utf-8", "replace")
    return hmac.compare_digest(given, expected.encode())


def identify(request: Request) -> Identity:
    message = _message(request.body.decode("utf-8", "replace"))
    call = table(message.get("call"))
    if not text_of(call.get("id")):
        return unreadable(request)
    kind, status = text_of(message.get("type"), 60), text_of(message.get("status"), 60)
    mark = mark_in(call.get("name")) or mark_in(request.mark)
    if kind in ("status-update", "end-of-call-report"):
        return Identity("call", event_key(call["id"], kind, status), mark)
    # Nothing says what makes two of these the same, so only the same bytes are.
    return Identity("call", event_key(call["id"], kind, digest(request.body)[:32]), mark)


def parse(kind: str, body: str, mark: str) -> list[Signal]:
    """How the call goes, or how it went. Other server messages say nothing to us. ValueError when no call is named."""
    message = _message(body)
    call = table(message.get("call"))
    call_id = text_of(call.get("id"))
    if not call_id:
        raise ValueError("VAPI's message names no call.")
    what, status = text_of(message.get("type")), text_of(message.get("status"))
    if what == "status-update" and status != "ended":
        return [CallProgress(mark, call_id, status, caller_of(call))]
    if what == "status-update":
        reason = text_of(message.get("endedReason")) or text_of(call.get("endedReason"))
        return [CallEnded(mark, call_id, reason, complete=False, caller=caller_of(call), withheld=is_withheld(call))]
    return [_report(message, call, call_id, mark)] if what == "end-of-call-report" else []


def _report(message: dict[str, Any], call: dict[str, Any], call_id: str, mark: str) -> CallEnded:
    artifact, analysis = table(message.get("artifact")), table(message.get("analysis"))
    turns = message.get("messages") or artifact.get("messages") or []
    said = [
        text_of(turn.get("message") or turn.get("content"))
        for turn in (turns if isinstance(turns, list) else [])
        if isinstance(turn, dict) and turn.get("role") in ("user", "customer")
    ]
    transcript = text_of(message.get("transcript")) or text_of(artifact.get("transcript"))
    if not said and transcript:
        said = [line.partition(":")[2] for line in transcript.splitlines() if line.lower().startswith("user:")]
    seconds = message.get("durationSeconds")
    return CallEnded(
        mark=mark,
        provider_id=call_id,
        reason=text_of(message.get("endedReason")) or text_of(call.get("endedReason")),
        complete=True,
        transcript=transcript,
        said=tuple(line.strip() for line in said if line.strip()),
        summary=text_of(analysis.get("summary")) or text_of(message.get("summary")),
        seconds=round(seconds) if isinstance(seconds, int | float) and 0 <= seconds < 10**6 else None,
        ended_at=moment(message.get("endedAt") or call.get("endedAt")),
        caller=caller_of(call),
        withheld=is_withheld(call),
    )


def caller_of(call: dict[str, Any]) -> str:
    """The number of the person who called us; "" for a call of ours, or from a withheld number."""
    if call.get("type") != "inboundPhoneCall":
        return ""
    return text_of(table(call.get("customer")).get("number"), 40).strip()


def is_withheld(call: dict[str, Any]) -> bool:
    """Whether somebody called us without showing a number."""
    return call.get("type") == "inboundPhoneCall" and not caller_of(call)


def moment(value: object) -> datetime | None:
    """An ISO 8601 time with its zone, of a year that the database and Python can both hold in any zone; None for anything else."""
    try:
        read = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else None
    except ValueError:
        return None
    return read if read is not None and read.tzinfo is not None and 1 < read.year < 9999 else None


def _message(body: str) -> dict[str, Any]:
    try:
        return table(table(json.loads(body)).get("message"))
    except (ValueError, RecursionError):
        return {}
