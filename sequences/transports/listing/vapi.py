"""VAPI's list of calls: the reports of those that have ended, in either direction.

Source: VAPI's OpenAPI, GET /call. Newest first, at most 1,000 at once; older ones by asking for those made before the last.
Without the SDK, which spends a second of CPU on each listed call.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sequences.transports.base import Account, Listed, Logged, TooMany, Unreadable
from sequences.transports.listing import Reader
from sequences.transports.vapi import API, LISTED_AT_MOST, http_of, key_of, number_of
from sequences.webhooks.base import mark_in, table, text_of
from sequences.webhooks.vapi import moment

INBOUND = "inboundPhoneCall"
MOST_PAGES = 50
SKEW = timedelta(seconds=60)
# Within this time after a call's end VAPI still works on its summary.
DIGESTED_AFTER = timedelta(seconds=60)


def events(account: Account, kind: str, since: datetime, until: datetime) -> Iterator[Listed]:
    """The end-of-call reports of calls that changed in this time."""
    for call in _pages(account, {"updatedAtGe": since - SKEW, "updatedAtLe": until + SKEW}):
        ended = moment(call.get("endedAt"))
        if call.get("status") != "ended" or not (_mark(call) or call.get("type") == INBOUND):
            continue  # still going on, or placed by somebody else through the same number
        at = ended or moment(call.get("updatedAt")) or until
        if at <= until - DIGESTED_AFTER or call.get("analysis"):
            yield Listed("call", json.dumps({"message": _as_report(call)}).encode(), at)


def sent(account: Account, since: datetime, until: datetime) -> Iterator[Logged]:
    """The calls this number has placed. Their name is our mark."""
    for call in _pages(account, {"createdAtGe": since - SKEW, "createdAtLe": until + SKEW}):
        if call.get("type") == INBOUND:
            continue
        overrides = table(call.get("assistantOverrides"))
        yield Logged(
            provider_id=text_of(call.get("id")),
            status=text_of(call.get("status")) or "queued",
            to=text_of(table(call.get("customer")).get("number"), 254),
            at=_made(call),
            text=text_of(table(overrides.get("variableValues")).get("instructions")),
            subject=text_of(overrides.get("firstMessage")),
            mark=_mark(call),
        )


def _as_report(call: dict[str, Any]) -> dict[str, Any]:
    """The server message that VAPI sends when a call ends, from the call itself."""
    started, ended = moment(call.get("startedAt")), moment(call.get("endedAt"))
    artifact, analysis = table(call.get("artifact")), table(call.get("analysis"))
    report = {
        "type": "end-of-call-report",
        "call": call,
        "customer": call.get("customer"),
        "endedReason": text_of(call.get("endedReason")),
        "artifact": artifact,
        "analysis": analysis,
        "summary": text_of(analysis.get("summary")) or text_of(call.get("summary")),
        "transcript": text_of(artifact.get("transcript")) or text_of(call.get("transcript")),
        "messages": artifact.get("messages") or call.get("messages") or [],
    }
    if ended is not None:
        report["endedAt"] = call["endedAt"]
        report["durationSeconds"] = (ended - started).total_seconds() if started else 0
    return report


def _pages(account: Account, asked: dict[str, datetime]) -> Iterator[dict[str, Any]]:
    """Every call of a query. A page that is full may not be the last, so the calls made until then are asked for next."""
    query = {name: at.isoformat() for name, at in asked.items()}
    query |= {"phoneNumberId": number_of(account), "limit": str(LISTED_AT_MOST)}
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        calls = _page(account, query)
        fresh = [call for call in calls if text_of(call.get("id")) not in seen]
        seen.update(text_of(call.get("id")) for call in calls)
        yield from fresh
        if len(calls) < LISTED_AT_MOST:
            return
        if not fresh:
            raise Unreadable("VAPI made more calls in one moment than it lists.")
        query["createdAtLe"] = min(_made(call) for call in calls).isoformat()
    raise TooMany("VAPI's list is too long to read at once.")


def _page(account: Account, query: dict[str, str]) -> list[dict[str, Any]]:
    import httpx

    headers = {"Authorization": f"Bearer {key_of(account)}"}
    try:
        answer = http_of(account).get(f"{account.base_url or API}/call", params=query, headers=headers)
        if answer.status_code != 200:
            raise Unreadable(f"VAPI's list answered {answer.status_code}.")
        calls = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unreadable(f"VAPI's list could not be read ({type(error).__name__}).") from error
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise Unreadable("VAPI's list is no list of calls.")
    return calls


def _mark(call: dict[str, Any]) -> str:
    """Our id of a call, which we gave it as its name and in its metadata; "" for one that is not ours."""
    metadata = table(table(call.get("assistantOverrides")).get("metadata"))
    return mark_in(call.get("name")) or mark_in(metadata.get("m"))


def _made(call: dict[str, Any]) -> datetime:
    made = moment(call.get("createdAt"))
    if made is None:
        raise Unreadable("VAPI listed a call without a date.")
    return made


READER = Reader(kinds=("call",), events=events, sent=sent)
