"""A provider's event in our words. Each provider's `parse` returns these; sequences.inbound applies them. Pure."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """How far a message has come. `status` is the provider's own word, in lower case; sequences.states ranks it."""

    mark: str
    provider_id: str
    status: str
    error_code: str = ""
    error_text: str = ""


@dataclass(frozen=True, slots=True)
class TextReceived:
    """A text from a person. `keyword` is what the provider itself acted upon and answered: STOP, START, HELP or ""."""

    provider_id: str
    sender: str
    to: str
    body: str
    keyword: str = ""
    media: int = 0


@dataclass(frozen=True, slots=True)
class MailReceived:
    """A mail from a person or a machine. `headers` as they came, names in their own case; `stripped` is the provider's own guess."""

    provider_id: str
    sender: str
    name: str
    to: str
    subject: str
    text: str
    headers: tuple[tuple[str, str], ...] = ()
    html: str = ""
    stripped: str = ""

    def header(self, name: str) -> str:
        """The first header of this name, "" if there is none."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class CallProgress:
    """A call that has not ended: scheduled, queued, ringing, in-progress, forwarding. `caller` as in CallEnded."""

    mark: str
    provider_id: str
    status: str
    caller: str = ""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The end of a call. `said` holds the person's own turns only; the status event of the end has no words yet. `caller`: the
    number of the person who called us; "" when we called. `withheld`: somebody called us and showed no number."""

    mark: str
    provider_id: str
    reason: str
    complete: bool
    transcript: str = ""
    said: tuple[str, ...] = ()
    summary: str = ""
    seconds: int | None = None
    ended_at: datetime | None = None
    caller: str = ""
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    mark: str
    provider_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Clicked:
    mark: str
    provider_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Bounced:
    """A mail that came back. `kind` is the provider's or the RFC 3463 word for why; `hard`: this mailbox will never take one."""

    mark: str
    provider_id: str
    address: str
    kind: str
    hard: bool
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Complained:
    """The person marked a mail as spam."""

    mark: str
    provider_id: str
    address: str


@dataclass(frozen=True, slots=True)
class OptedOutAtProvider:
    """The provider keeps this address on a list of its own: it will not deliver there."""

    address: str
    channel: str
    why: str


@dataclass(frozen=True, slots=True)
class OptedInAtProvider:
    """The provider has taken this address off its list again."""

    address: str
    channel: str


@dataclass(frozen=True, slots=True)
class TopicOffered:
    """SNS asks whether its topic may deliver here; it does so once somebody fetches `url`."""

    topic: str
    url: str


class SetAside(str):
    """Why an event waits for a person: nobody here can be found whom it concerns, and it must not be forgotten."""


Signal = (
    StatusChanged
    | TextReceived
    | MailReceived
    | CallProgress
    | CallEnded
    | Opened
    | Clicked
    | Bounced
    | Complained
    | OptedOutAtProvider
    | OptedInAtProvider
    | TopicOffered
)
Given = TypeVar("Given", bound=Signal)


def storable(signal: Given) -> Given:
    """The signal with texts that the database can hold: JSON and old charsets may say NUL, which becomes a blank, and half of
    a surrogate pair, which becomes the replacement character."""
    given = {each.name: getattr(signal, each.name) for each in fields(signal)}
    clean = {name: _storable(value) for name, value in given.items()}
    return signal if clean == given else replace(signal, **clean)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        whole = value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\x00", " ")
    return tuple(map(_storable, value)) if isinstance(value, tuple) else value
