"""A provider that accepts everything after `latency` seconds, in this process: what is measured is our own work around it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock

from sequences import transports
from sequences.transports.base import Absent, Outbound, Receipt, Taken, Transport


class Provider:
    """`sent`: the marks of what was accepted. A second one of the same would be a message sent twice."""

    def __init__(self) -> None:
        self.latency = 0.0
        self.sent: list[str] = []
        self.lock = Lock()

    def send(self, outbound: Outbound) -> Receipt:
        if self.latency:
            time.sleep(self.latency)
        with self.lock:
            self.sent.append(outbound.mark)
            return Receipt(provider_id=f"bench-{outbound.mark}", status="queued")


PROVIDER = Provider()


def nothing_found(outbound: Outbound, since: datetime, until: datetime, taken: Taken) -> Absent:
    return Absent()


TRANSPORT = Transport(send=PROVIDER.send, find=nothing_found, may_resend=False)


@contextmanager
def in_place_of(provider: str, latency: float) -> Iterator[Provider]:
    """Inside: what would go to this provider comes here."""
    real = transports._MODULES[provider]
    transports._MODULES[provider] = __name__
    PROVIDER.latency, PROVIDER.sent = latency, []
    try:
        yield PROVIDER
    finally:
        transports._MODULES[provider] = real
