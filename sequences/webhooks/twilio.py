"""Twilio's webhooks: form posts about messages, signed over the URL and the sorted parameters. Pure.

Signature: https://www.twilio.com/docs/usage/webhooks/webhooks-security; the same answers as twilio's RequestValidator.
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from sequences.signals import OptedInAtProvider, OptedOutAtProvider, Signal, StatusChanged, TextReceived
from sequences.webhooks.base import Account, Identity, Request, digest, event_key, mark_in, unreadable

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1000


def genuine(request: Request, account: Account, now: datetime) -> bool:
    """Signed with this account's token, and about this very account: another tenant's signed request stays theirs."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return False
    try:
        params = pairs_of(request.body.decode("utf-8", "replace"))
    except ValueError:  # more parameters than Twilio ever sends
        return False
    signature, token = request.headers.get("x-twilio-signature", ""), account.secret("auth_token")
    if not signature or not token or not signature_matches(request.url, params, signature, token):
        return False
    claimed = [value for name, value in params if name == "AccountSid"]
    return claimed == [account.config.get("account_sid") or account.secret("account_sid") or None]


def why_refused(request: Request, account: Account, now: datetime) -> str:
    """Why a request was not genuine, in words for the tenant."""
    if not request.headers.get("x-twilio-signature"):
        return "no signature"
    sid = account.config.get("account_sid") or account.secret("account_sid")
    try:
        claimed = _form(request.body.decode("utf-8", "replace")).get("AccountSid")
    except ValueError:
        return "unreadable form"
    return "another account" if claimed and claimed != sid else "bad signature"


def signature_matches(url: str, params: Sequence[tuple[str, str]], signature: str, token: str, body: str = "") -> bool:
    """Whether Twilio, knowing `token`, signed this request. `body` is the raw JSON of a request with bodySHA256 in its query.

    Twilio is inconsistent about the port, so the URL is tried with and without it.
    """
    expected = (parse_qs(urlsplit(url).query).get("bodySHA256") or [""]) if "?" in url else [""]
    by_hash = bool(expected[0]) and not params
    if by_hash and not hmac.compare_digest(digest(body.encode()).encode(), expected[0].encode()):
        return False
    signed = "".join([name + value for name, value in sorted(set(params))])
    given, key = signature.encode("utf-8", "replace"), token.encode()
    scheme, slashes, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    for origin in _with_and_without_port(scheme + slashes + host):
        mac = hmac.digest(key, (origin + slash + path + signed).encode("utf-8", "replace"), "sha1")
        if hmac.compare_digest(base64.b64encode(mac), given):
            return True
    return False


@lru_cache(maxsize=64)
def _with_and_without_port(origin: str) -> tuple[str, str]:
    parts = urlsplit(origin)
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return urlunsplit(parts._replace(netloc=f"{host}:{port}")), urlunsplit(parts._replace(netloc=host))


def identify(request: Request) -> Identity:
    """A status is known by message and status, a text by its sid (4-reliability §2.6)."""
    form = _form(request.body.decode("utf-8", "replace"))
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    status = form.get("MessageStatus") or form.get("SmsStatus") or ""
    if not sid:
        return unreadable(request)
    if request.kind == "inbound":
        return Identity("inbound", event_key("inbound", sid))
    return Identity("status", event_key("status", sid, status), mark_in(request.mark))


def parse(kind: str, body: str, mark: str) -> list[Signal]:
    """A status callback or a text. ValueError when the message is not named."""
    form = _form(body)
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    if not sid:
        raise ValueError("Twilio's request names no message.")
    if kind == "status":
        status = (form.get("MessageStatus") or form.get("SmsStatus") or "").lower()
        signals: list[Signal] = [
            StatusChanged(mark, sid, status, form.get("ErrorCode", ""), form.get("ErrorMessage", ""))
        ]
        if form.get("ErrorCode") == "21610":
            signals.append(OptedOutAtProvider(form.get("To", ""), "sms", "21610"))
        return signals
    keyword, sender = form.get("OptOutType", "").upper(), form.get("From", "")
    count = form.get("NumMedia", "0")
    text = TextReceived(
        provider_id=sid,
        sender=sender,
        to=form.get("To", ""),
        body=form.get("Body", ""),
        keyword=keyword,
        media=int(count) if count.isdecimal() and len(count) < 4 else 0,
    )
    # What Twilio already did about the keyword holds for us too, whatever our own reading of the text says.
    if keyword == "STOP":
        return [text, OptedOutAtProvider(sender, "sms", "STOP")]
    if keyword == "START":
        return [text, OptedInAtProvider(sender, "sms")]
    return [text]


# One request is read twice, for its signature and for its identity.
@lru_cache(maxsize=4)
def pairs_of(form: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a form in their order, as urllib's parse_qsl gives them with blank values kept, in a third of its time.
    ValueError for more of them than Twilio ever sends."""
    if form.count("&") >= MOST_FIELDS:
        raise ValueError(f"There are more than {MOST_FIELDS} parameters.")
    parted = (pair.partition("=") for pair in form.split("&") if pair)
    return tuple([(_plain(name), _plain(value)) for name, _, value in parted])


def _plain(word: str) -> str:
    word = word.replace("+", " ")
    return unquote(word, errors="replace") if "%" in word else word


def _form(body: str) -> dict[str, str]:
    """The first value of each parameter."""
    fields: dict[str, str] = {}
    for name, value in pairs_of(body):
        fields.setdefault(name, value)
    return fields
