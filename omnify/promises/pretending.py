"""A provider that exists in memory only, misbehaves when told to, and keeps a ledger of what people received.

It takes the place of every transport, so that a proof can try thousands of sends and see the clock each was accepted at. The
ledger is the judge: nothing is ever taken out of it, whatever our own tables say or forget.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from sequences import delivery, reconcile
from sequences.transports.base import (
    Absent,
    Busy,
    CannotSay,
    Found,
    Outbound,
    Receipt,
    Refused,
    Taken,
    Transport,
    Uncertain,
)

# What the first word about a message is, as each provider says it.
FIRST_WORD = {"sms": "queued", "voice": "queued", "email": "sent"}
MOODS = ("accept", "accept_then_timeout", "timeout", "refuse", "busy")


@dataclass(frozen=True, slots=True)
class Got:
    """Something a provider accepted for a person: it counts as received. `latest`: when it may arrive at the latest."""

    mark: str
    channel: str
    to: str
    text: str
    at: datetime
    latest: datetime
    provider_id: str


@dataclass
class Provider:
    """`now`: the clock. `mood`: what happens to the next request, see MOODS. `lists`: what a look-up answers: "all", "nothing
    yet" (the listing lags) or "down"."""

    now: Callable[[], datetime]
    mood: Callable[[Outbound], str] = lambda _: "accept"
    lists: str = "all"
    ledger: list[Got] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)

    def send(self, outbound: Outbound) -> Receipt:
        self.requests[outbound.mark] += 1
        mood = self.mood(outbound)
        if mood == "timeout":
            raise Uncertain("It did not answer.")
        if mood == "refuse":
            raise Refused("30008", "Not today.", failure_type=f"{outbound.channel}_failed")
        if mood == "busy":
            raise Busy("Too many requests.", retry_after=60)
        number, now = len(self.ledger) + 1, self.now()
        got = Got(
            outbound.mark, outbound.channel, outbound.to, outbound.text, now,
            now + timedelta(seconds=outbound.valid_for), f"{outbound.mark}.{number}",
        )  # fmt: skip
        self.ledger.append(got)
        if mood == "accept_then_timeout":
            raise Uncertain("It answered too late.")
        return Receipt(got.provider_id, FIRST_WORD[outbound.channel])

    def find(self, outbound: Outbound, since: datetime, until: datetime, taken: Taken) -> Found | Absent | CannotSay:
        if self.lists == "down":
            return CannotSay("It does not list anything now.")
        if self.lists == "all":
            for got in self.ledger:
                if got.mark == outbound.mark:
                    return Found(got.provider_id, FIRST_WORD[got.channel])
        return Absent()

    def twice(self) -> list[str]:
        """The marks that were accepted more than once."""
        return [mark for mark, times in Counter(got.mark for got in self.ledger).items() if times > 1]


@contextmanager
def in_place_of_all(provider: Provider) -> Iterator[Provider]:
    """Inside, whatever is sent or asked goes to `provider`, in this process."""

    def transport_for(name: str) -> Transport:
        return Transport(send=provider.send, find=provider.find, may_resend=name != "vapi")

    def fake(*modules: Any) -> list[Any]:
        return [mock.patch.object(module, "transport_for", transport_for) for module in modules]

    patches = fake(delivery, reconcile)
    for each in patches:
        each.start()
    try:
        yield provider
    finally:
        for each in patches:
            each.stop()
