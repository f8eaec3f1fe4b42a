"""Mail through SendGrid's HTTP API, version 3. Our mark is a custom argument of the mail, which every event brings back.

Source: the Mail Send and Email Activity references of docs.sendgrid.com. Without anymail, which no longer supports SendGrid
(its issue 432). SendGrid has no list of what it took unless the account pays for Email Activity: without it only an event
("processed") tells what became of a send that nobody answered, and SendGrid tries to deliver events for 24 hours.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from sequences.codes.mail import sendgrid as verdict
from sequences.transports import asking
from sequences.transports.base import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    Absent,
    Account,
    Busy,
    CannotSay,
    Found,
    Outbound,
    Receipt,
    Refused,
    Taken,
    Transport,
    Uncertain,
    Unreadable,
    required,
)
from sequences.transports.connecting import never_connected
from sequences.transports.mail import compose, message_id, sendable
from sequences.webhooks.base import mark_in, table, text_of

# The account's region decides who may process its data; a key works in its own only.
API = {"": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
PATIENCE = timedelta(hours=24)
# What Email Activity does not show yet may still come; how long it lags is not promised anywhere, so this is generous.
ACTIVITY_LAG = timedelta(minutes=30)
SEARCHED = 10
_FILTERED = re.compile(r"\.(?:filter|recvd?)[\w-]")


def send(outbound: Outbound) -> Receipt:
    """One POST. See base for what may be raised."""
    import requests

    sendable(outbound)
    headers = {"Authorization": f"Bearer {key_of(outbound)}", "Accept": "application/json"}
    with requests.Session() as session:
        session.trust_env = not outbound.base_url
        try:
            answer = session.post(
                f"{address_of(outbound)}/v3/mail/send",
                json=_request(outbound),
                headers=headers,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False,
            )
        except requests.ConnectionError as error:
            if never_connected(error):
                raise Busy("SendGrid could not be reached.", retry_after=60) from error
            raise Uncertain(f"The connection to SendGrid broke ({type(error).__name__}).") from error
        except requests.RequestException as error:
            raise Uncertain(f"SendGrid's answer could not be read ({type(error).__name__}).") from error
    taken_as = answer.headers.get("X-Message-Id", "")
    if answer.status_code != 202 or not taken_as:
        raise _meaning(answer)
    return Receipt(provider_id=taken_as[:120], status="queued")


def find(outbound: Outbound, since: datetime, until: datetime, taken: Taken) -> Found | Absent | CannotSay:
    """Searches the account's Email Activity by our mark; without that add-on only SendGrid's events can say."""
    if not has_activity(outbound):
        return CannotSay("Without Email Activity only SendGrid's own events can tell.")
    listed = ask(outbound, "/v3/messages", {"limit": str(SEARCHED), "query": f"(unique_args['m']=\"{outbound.mark}\")"})
    if isinstance(listed, CannotSay):
        return listed
    entries = listed.get("messages")
    if not isinstance(entries, list):
        return CannotSay("SendGrid's search is no list.")
    for entry in map(table, entries):
        # The search is trusted with narrowing down, never with the match itself.
        whole = ask(outbound, f"/v3/messages/{text_of(entry.get('msg_id'), 200)}", {})
        if isinstance(whole, CannotSay):
            return whole
        if mark_of(whole) == outbound.mark and text_of(whole.get("to_email")).lower() == outbound.to.lower():
            return Found(message_id_in(text_of(whole.get("msg_id"), 200)), "queued")
    if until - since < ACTIVITY_LAG:
        return CannotSay("SendGrid's activity may not show it yet.")
    return Absent()


def ask(holder: Account | Outbound, path: str, query: dict[str, str]) -> dict[str, Any] | CannotSay:
    """One GET of the account; CannotSay for whatever is no readable 200."""
    url, headers = f"{address_of(holder)}{path}", {"Authorization": f"Bearer {key_of(holder)}"}
    try:
        found = asking.ask(url, headers, whose="SendGrid's answer", simulated=bool(holder.base_url), query=query)
    except Unreadable as problem:
        return CannotSay(problem.text)
    return found if isinstance(found, dict) else {"list": found}


def mark_of(whole: dict[str, Any]) -> str:
    """Our mark in one message of Email Activity, whose unique arguments come as an object or as its JSON."""
    given = whole.get("unique_args")
    return mark_in(given.get("m")) if isinstance(given, dict) else mark_in(given)


def message_id_in(sg_message_id: str) -> str:
    """The X-Message-Id of a mail, with which its sg_message_id begins; what follows names the machines it went through."""
    return _FILTERED.split(sg_message_id, maxsplit=1)[0][:120]


def has_activity(holder: Account | Outbound) -> bool:
    """Whether the account pays for Email Activity, as its owner says in the sender's config."""
    return holder.config.get("email_activity") is True


def address_of(holder: Account | Outbound) -> str:
    """Where this account's API is: the simulator, or SendGrid's in the account's region."""
    region = str(holder.config.get("region") or "").lower()
    return holder.base_url or API.get(region, API[""])


def key_of(holder: Account | Outbound) -> str:
    return required(holder, "api_key", provider="SendGrid", failure_type="email_failed")


def _request(outbound: Outbound) -> dict[str, Any]:
    """The mail as the API wants it. SendGrid's own unsubscribe links are off: ours, and the one-click headers, are in it."""
    mail = compose(outbound, None)
    mail.message()  # (refuses line breaks in headers)
    sender = {"email": outbound.sender}
    if name := " ".join(str(outbound.config.get("from_name") or "").split()):
        sender["name"] = name
    content = [{"type": "text/plain", "value": mail.body or " "}]
    content += [{"type": kind, "value": text} for text, kind in mail.alternatives]
    request: dict[str, Any] = {
        "personalizations": [{"to": [{"email": outbound.to}], "custom_args": {"m": outbound.mark}}],
        "from": sender,
        "subject": mail.subject or " ",
        "content": content,
        "headers": {**outbound.headers, "Message-ID": message_id(outbound)},
        "tracking_settings": {"subscription_tracking": {"enable": False}},
    }
    if mail.reply_to:
        request["reply_to"] = {"email": mail.reply_to[0]}
    return request


def _meaning(response: Any) -> Exception:
    """A 4xx with SendGrid's own list of errors is an answer; anything else proves nothing."""
    status = response.status_code
    try:
        errors = [table(each) for each in response.json()["errors"]]
        text = "; ".join(str(each["message"]) for each in errors)
    except (ValueError, KeyError, TypeError):
        return Uncertain(f"SendGrid answered {status}.")
    if not 400 <= status < 500 or not text:
        return Uncertain(f"SendGrid answered {status}.")
    if status == 429:
        after = response.headers.get("Retry-After", "")
        return Busy("SendGrid asked us to slow down.", retry_after=float(after) if after.isdecimal() else 60.0)
    known = verdict(status, text_of(errors[0].get("field")))
    return Refused(
        str(status),
        text[:300],
        failure_type=known.failure_type,
        permanent=known.permanent,
        pause_sender=known.pause_sender,
    )


TRANSPORT = Transport(send=send, find=find, may_resend=True, patience=PATIENCE)
