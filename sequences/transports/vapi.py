"""AI calls through VAPI. Our mark is the call's name, which the listing and every webhook give back.

Source: VAPI's OpenAPI of 2026-08 and vapi_server_sdk 3.0.0. The SDK would retry twice by default: three phone calls. Its
first use costs seconds of CPU and 137 MB, so only a process that places calls imports it.
"""

import functools
import threading
from datetime import datetime, timedelta
from typing import Any

from sequences.codes.vapi import refusal
from sequences.transports.base import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    Absent,
    Account,
    Busy,
    Call,
    CannotSay,
    Found,
    Outbound,
    Receipt,
    Refused,
    Taken,
    Transport,
    Uncertain,
    required,
)

# What our webhook wants to hear. Everything else would only be noise on it.
SERVER_MESSAGES = ["status-update", "end-of-call-report"]
API = "https://api.vapi.ai"
LISTED_AT_MOST = 1000
SKEW = timedelta(minutes=15)  # between VAPI's clock and ours; the name is exact, so a wide net catches no stranger
ONCE: Any = {"max_retries": 0}

_local = threading.local()


def send(outbound: Outbound) -> Receipt:
    """Places one call. See base for what may be raised."""
    import httpx
    from vapi import CreateCustomerDto
    from vapi.core.api_error import ApiError

    call = outbound.call
    if call is None:
        raise ValueError("A call needs its first words and what it is about.")
    try:
        _client(outbound).calls.create(
            name=outbound.mark,
            assistant_id=outbound.config.get("assistant_id"),
            phone_number_id=number_of(outbound),
            customer=CreateCustomerDto(number=outbound.to, name=call.customer_name[:40] or None),
            request_options={**ONCE, "additional_body_parameters": {"assistantOverrides": _overrides(outbound, call)}},
        )
    except ApiError as error:
        raise _meaning(error) from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Busy("VAPI could not be reached.", retry_after=60) from error
    except httpx.TimeoutException as error:
        raise Uncertain("VAPI did not answer in time.") from error
    except httpx.HTTPError as error:
        raise Uncertain(f"The connection to VAPI broke ({type(error).__name__}).") from error
    placed = http_of(outbound).placed
    if not placed.get("id"):
        raise Uncertain("VAPI's answer names no call.")
    return Receipt(provider_id=str(placed["id"]), status=str(placed.get("status") or "queued"))


def find(outbound: Outbound, since: datetime, until: datetime, taken: Taken) -> Found | Absent | CannotSay:
    """Reads all calls of this number since then and looks for our mark in their names; then all calls of the account, for the
    sender's number may have been changed since.

    Without the SDK: it builds thousands of nested types, and spends a second of CPU on each listed call.
    """
    asked = {
        "createdAtGe": (since - SKEW).isoformat(),
        "limit": str(LISTED_AT_MOST),
    }
    here = _find(outbound, {**asked, "phoneNumberId": number_of(outbound)})
    return here if isinstance(here, Found) else _find(outbound, asked)


def _find(outbound: Outbound, query: dict[str, str]) -> Found | Absent | CannotSay:
    import httpx

    try:
        answer = http_of(outbound).get(
            f"{outbound.base_url or API}/call", params=query, headers={"Authorization": f"Bearer {key_of(outbound)}"}
        )
        if answer.status_code != 200:
            return CannotSay(f"VAPI's list answered {answer.status_code}.")
        calls = [(call.get("name"), str(call["id"]), str(call.get("status") or "queued")) for call in answer.json()]
    except (httpx.HTTPError, ValueError, KeyError, AttributeError, TypeError) as error:
        return CannotSay(f"VAPI's list could not be read ({type(error).__name__}).")
    for name, call_id, status in calls:
        if name == outbound.mark:
            return Found(call_id, status)
    if len(calls) >= LISTED_AT_MOST:
        return CannotSay("VAPI has too many calls in that time to list them all.")
    return Absent()


def cancel(account: Account, provider_id: str) -> bool:
    """Deletes a call that has not begun to ring. One that rings is the person's to take: it is left to them.

    Source: VAPI's OpenAPI, DELETE /call/{id}; the ended reasons call-deleted and scheduled-call-deleted.
    """
    import httpx

    where = f"{account.base_url or API}/call/{provider_id}"
    headers = {"Authorization": f"Bearer {key_of(account)}"}
    try:
        found = http_of(account).get(where, headers=headers)
        if found.status_code != 200 or found.json().get("status") not in ("scheduled", "queued"):
            return False
        gone = http_of(account).delete(where, headers=headers)
        return bool(gone.status_code == 200 and gone.json().get("status") != "in-progress")
    except (httpx.HTTPError, ValueError, AttributeError):
        return False


def _overrides(outbound: Outbound, call: Call) -> dict[str, Any]:
    """What is different for this one call. Written as the API wants it: the SDK's type for a backoff plan's `type` is wrong."""
    secret = outbound.credentials.get("webhook_secret")
    server: dict[str, Any] = {
        "url": f"{outbound.callback_base}/{outbound.mark}",
        # VAPI does not repeat a failed webhook unless told to.
        "backoffPlan": {"type": "exponential", "maxRetries": 5, "baseDelaySeconds": 2},
    }
    if secret:
        server["headers"] = {"X-Vapi-Secret": secret}
    return {
        "firstMessage": call.first_message,
        "variableValues": {"instructions": call.instructions, **call.variables},
        "metadata": {"m": outbound.mark},
        "server": server,
        "serverMessages": SERVER_MESSAGES,
    }


def number_of(holder: Account | Outbound) -> str:
    """The provider's id of the number the call comes from."""
    return str(holder.config.get("phone_number_id") or holder.sender)


def _meaning(error: Any) -> Exception:
    """A status below 500 with a JSON body of VAPI's shape is its answer; anything else proves nothing."""
    status, body = error.status_code or 0, error.body
    parsed = isinstance(body, dict) and "message" in body
    if not parsed or not 400 <= status < 500:
        return Uncertain(f"VAPI answered {status or 'something unreadable'}.")
    if status == 429:
        return Busy("VAPI asked us to slow down.", retry_after=60)
    text = body["message"] if isinstance(body["message"], str) else "; ".join(map(str, body["message"]))
    known = refusal(status, text)
    return Refused(
        str(status), text, failure_type=known.failure_type, permanent=known.permanent, pause_sender=known.pause_sender
    )


def key_of(holder: Account | Outbound) -> str:
    return required(holder, "api_key", provider="VAPI", failure_type="call_failed")


def _client(outbound: Outbound) -> Any:
    from vapi import Vapi

    clients: dict[tuple[str, str], Any] = _local.__dict__.setdefault("clients", {})
    which = (outbound.base_url, key_of(outbound))
    if which not in clients:
        where = {"base_url": outbound.base_url} if outbound.base_url else {}
        clients[which] = Vapi(token=which[1], httpx_client=http_of(outbound), timeout=READ_TIMEOUT, **where)
    return clients[which]


def http_of(holder: Account | Outbound) -> Any:
    """One HTTP client a thread and address. It follows the environment's proxies, but never on the way to the simulator."""
    import httpx

    clients: dict[str, Any] = _local.__dict__.setdefault("http", {})
    if holder.base_url not in clients:
        clients[holder.base_url] = _kind_of_client()(
            timeout=httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
            follow_redirects=False,
            trust_env=not holder.base_url,
        )
    return clients[holder.base_url]


@functools.cache
def _kind_of_client() -> Any:
    """The class of our HTTP clients: what VAPI answers about a call that was placed is kept here, in `placed`, and not shown to the
    SDK, which would build the validators of all its types anew for each answer: 0.7 s of CPU a call, measured."""
    import httpx

    class Client(httpx.Client):
        placed: dict[str, Any]

        def request(self, method: Any, url: Any, **given: Any) -> httpx.Response:
            self.placed = {}
            answer = super().request(method, url, **given)
            if method != "POST" or not answer.is_success:
                return answer
            try:
                told = answer.json()
            except ValueError:
                return answer  # the SDK says what that means
            self.placed = told if isinstance(told, dict) else {}
            return httpx.Response(answer.status_code, content=b"null", request=answer.request)

    return Client


def warm() -> None:
    """Loads the SDK's types of calls."""
    from vapi import Call, CreateCustomerDto  # noqa: F401
    from vapi.calls.client import CallsClient  # noqa: F401


def hang_up() -> None:
    """Closes this thread's connections."""
    _local.__dict__.pop("clients", None)
    for client in _local.__dict__.pop("http", {}).values():
        client.close()


TRANSPORT = Transport(send=send, find=find, may_resend=False, warm=warm, hang_up=hang_up, cancel=cancel)
