"""G17: a copy of production's data, somewhere else, with every worker at work: no connection leaves the machine.

Two copies are tried: one whose tenants only rehearse, and one that forgot to say so; both have real senders, sealed by
production.
"""

import ipaddress
import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.conf import settings

from omnify.promises import scene
from omnify.promises.outcome import Outcome
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences.delivery import dispatch
from sequences.engine import tick
from sequences.models import Message, Sender
from sequences.reconcile import reconcile

NOON = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
PEOPLE = {"quick": 8, "full": 200}
CHANNELS = ("sms", "email", "voice")
NEVER_LEFT = ("ready", "deferred", "cancelled", "held", "rejected", "expired")


def prove_no_socket(scale: str, seed: int) -> Outcome:
    """Tried: messages through real senders, decided, dispatched and asked about. Failed: connections that were tried to
    anything but this machine, and messages that we take for sent."""
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    tenants = [_copied(mode, PEOPLE[scale]) for mode in ("simulated", "live")]
    with mock.patch.object(settings, "ENVIRONMENT", "staging"), no_way_out() as tried_to_reach:
        now = NOON
        for _ in range(6):
            tick(now, 500)
            dispatch(CHANNELS, now=lambda at=now: at, budget_seconds=20, threads=4)  # type: ignore[misc]
            reconcile(now)
            now += timedelta(minutes=chance.randrange(1, 20))
    states: Counter[str] = Counter()
    for tenant_id in tenants:
        with tenant_context(tenant_id):
            states.update(Message.objects.values_list("state", flat=True))
    left = [state for state in states.elements() if state not in NEVER_LEFT]
    told = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    print(told, *tried_to_reach, sep="\n", flush=True)
    note = f"messages through real senders in a copy: {told} {tried_to_reach[0] if tried_to_reach else ''}"
    return Outcome(states.total(), len(tried_to_reach) + len(left), note.strip())


def _copied(mode: str, people: int) -> int:
    """A tenant as production has it: its senders are real, and their credentials sealed there."""
    with mock.patch.object(settings, "ENVIRONMENT", "production"):
        made = scene.make(NOON)
        with tenant_context(made.tenant.pk):
            for sender in made.senders.values():
                sender.set_credentials(
                    {"auth_token": "real", "api_key": "real", "password": "real", "username": "real"}
                )
                Sender.objects.filter(pk=sender.pk).update(
                    simulated=False, sealed_credentials=sender.sealed_credentials
                )
            Sender.objects.filter(channel="email").update(config={"host": "smtp.provider.example", "port": 587})
    Tenant.objects.filter(pk=made.tenant.pk).update(sending_mode=mode)
    for channel in CHANNELS:
        sequence = made.sequence({"kind": channel, "subject": "Hello", "body": "Hello"}, name=f"By {channel}")
        made.enrolled(sequence, made.people(people))
    return made.tenant.pk


@contextmanager
def no_way_out() -> Iterator[list[str]]:
    """Inside, no socket of this process reaches beyond loopback; the list has whatever was tried."""
    tried: list[str] = []
    resolve, connect = socket.getaddrinfo, socket.socket.connect

    def asked(host: Any, *arguments: Any, **options: Any) -> Any:
        if not _here(host):
            tried.append(f"name {host}")
            raise OSError(f"{host} is not on this machine.")
        return resolve(host, *arguments, **options)

    def connected(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple) and not _here(address[0]):
            tried.append(f"socket {address}")
            raise OSError(f"{address} is not on this machine.")
        return connect(self, address)

    with (
        mock.patch.object(socket, "getaddrinfo", asked),
        mock.patch.object(socket.socket, "connect", connected),
        mock.patch.object(socket.socket, "connect_ex", connected),
    ):
        yield tried


def _here(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False
