"""What goes into a transport, what comes out, and what may go wrong: three exceptions that mean three different futures.

Refused and Busy are proof that nothing was accepted; Uncertain proves nothing, and is settled by asking the provider later,
never by sending again.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

# Seconds for one request. The law of times: this < a task's timeout < its hard kill < the reconciler's grace.
CONNECT_TIMEOUT, READ_TIMEOUT = 3.05, 15.0

# What makes an account at each provider another one: (setting in config, secret). A number may move; an account may not, nor a
# stream, of which Postmark's lists show one alone.
ACCOUNT = {
    "twilio": (("account_sid",), ("account_sid",)),
    "vapi": ((), ("api_key",)),
    "postmark": (("message_stream",), ("server_token",)),
    "sendgrid": ((), ("api_key",)),
    "ses": (("region",), ("access_key_id",)),
    "smtp": (("host", "port", "username"), ()),
}


def fingerprint(
    provider: str, config: Mapping[str, Any], credentials: Mapping[str, Any], *, simulated: bool = False
) -> str:
    """Which account a message is sent from, in 64 hex digits: only that one may be asked about it later.

    A digest, so that nothing of a key can be read back. A key that was renewed counts as another account: for one whose
    key is all we know of it, the two cannot be told apart, and a wrong answer would be believed. Unknown providers are
    told apart by their whole config.
    """
    settings, secrets = ACCOUNT.get(provider, (tuple(sorted(config)), ()))
    parts = [provider, "simulated" if simulated else "real"]
    parts += [f"{name}={config[name]}" for name in settings if config.get(name)]
    parts += [f"{name}={credentials[name]}" for name in secrets if credentials.get(name) and not config.get(name)]
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Account:
    """A sender's account at its provider, opened: whom to ask what it holds. The fields are Outbound's of the same name."""

    sender: str
    config: Mapping[str, Any]
    credentials: Mapping[str, Any] = field(repr=False)
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """What an AI call needs besides the address: its first words, what it is about, and who is called."""

    first_message: str
    instructions: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    customer_name: str = ""


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message, ready for the wire.

    mark: our id of it, carried where the provider gives it back. callback_base: where its webhooks for this sender begin.
    valid_for: seconds from now after which it must not reach the person any more. base_url: "" for the provider itself, or
    the simulator's address; `server` the same for a mail server, (host, port).
    """

    mark: str
    channel: str
    to: str
    sender: str
    config: Mapping[str, Any]
    credentials: Mapping[str, Any] = field(repr=False)
    text: str = field(repr=False)
    callback_base: str
    valid_for: int
    subject: str = field(default="", repr=False)
    html: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    call: Call | None = field(default=None, repr=False)
    base_url: str = ""
    server: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider took it. `status` is its own word, see sequences.states.report."""

    provider_id: str
    status: str
    cost: Decimal | None = None
    segments: int | None = None
    note: str = ""


class Refused(Exception):
    """The provider said no and why (HTTP 4xx with its own error, SMTP 5xx): nothing was accepted, asking again is pointless.

    `code` is the provider's, `failure_type` ours (sequences.codes); `pause_sender`: no message of this sender can leave.
    """

    def __init__(
        self, code: str, text: str, *, failure_type: str, permanent: bool = False, pause_sender: bool = False
    ) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.failure_type = code, text, failure_type
        self.permanent, self.pause_sender = permanent, pause_sender


class Busy(Exception):
    """Provably not accepted, for a reason that passes (HTTP 429, no connection, greylisting): may be tried after `retry_after` seconds."""

    def __init__(self, text: str, *, retry_after: float = 60.0) -> None:
        super().__init__(text)
        self.text, self.retry_after = text, min(max(retry_after, 1.0), 3600.0)


class Uncertain(Exception):
    """It may or may not have been accepted (timeout, reset, HTTP 5xx, an unreadable answer)."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Unreadable(Exception):
    """A provider's list could not be read to its end: what came before proves nothing. `final`: it never can be."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.text, self.final = text, final


class TooMany(Unreadable):
    """More than can be listed at once: a shorter stretch of time may be readable."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One event that a provider holds, in the very form its webhook brings it, so that either way it is the same event.

    `kind`: the door's sub-address (sequences.webhooks.ingest). `at`: when it happened, by the provider's clock.
    """

    kind: str
    body: bytes = field(repr=False)
    at: datetime
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Logged:
    """One message that left through an account, as the provider's own log shows it. `mark`: ours, where the log has it."""

    provider_id: str
    status: str
    to: str
    at: datetime
    text: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The provider has exactly this message."""

    provider_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A complete listing of the interval does not hold it. Proof only when repeated: listings lag."""


@dataclass(frozen=True, slots=True)
class CannotSay:
    """No answer, or none that proves anything. `final`: asking again will not help."""

    text: str
    final: bool = False


# Which of these provider ids belong to other messages of ours.
Taken = Callable[[list[str]], set[str]]


@dataclass(frozen=True, slots=True)
class Transport:
    """One provider. `may_resend`: whether a proven absence allows a second attempt (never for a call). `warm` loads its SDK,
    which is done before a message is marked as sending, so that the time on the wire is the wire's alone. `hang_up` closes
    what the calling thread has kept open. `cancel` takes back what is accepted and not yet sent; None where no provider can.
    `patience`: how long an uncertain message waits for the provider's own word where nobody can be asked; zero: as others."""

    send: "Send"
    find: "Find"
    may_resend: bool
    warm: Callable[[], None] = lambda: None
    hang_up: Callable[[], None] = lambda: None
    cancel: "Cancel | None" = None
    patience: timedelta = timedelta(0)


class Send(Protocol):
    def __call__(self, outbound: Outbound) -> Receipt: ...


class Find(Protocol):
    def __call__(
        self, outbound: Outbound, since: datetime, until: datetime, taken: Taken
    ) -> Found | Absent | CannotSay: ...


class Cancel(Protocol):
    def __call__(self, account: Account, provider_id: str) -> bool:
        """True when the provider says that it will not send it any more. False for anything else, also for no answer."""
        ...


def required(holder: Account | Outbound, name: str, *, provider: str, failure_type: str) -> str:
    """One of the sender's secrets. Raises Refused, which pauses the sender, where it was never entered."""
    value = holder.credentials.get(name)
    if not value:
        raise Refused(
            "no_credentials",
            f"This sender has no {provider} {name}. Enter it in its settings.",
            failure_type=failure_type,
            pause_sender=True,
        )
    return str(value)
