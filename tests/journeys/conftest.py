"""Journeys go through the whole house: real processes, real SDKs, real webhooks; the clock alone is the test's."""

import gc
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.crypto import get_random_string

from omnify.lib import clock
from omnify.simulator.running import RunningSimulator, running_simulator
from omnify.simulator.wiring import register_accounts
from omnify.tenants.models import Membership, User
from tests.journeys.house import House, WebProcess
from tests.journeys.visitor import Visitor
from tests.making import PASSWORD, People, make_senders

# A Tuesday, 13:30 in New York, 08:30 in Honolulu, 19:30 in Berlin: day there, and night in Asia, Australia and New Zealand.
START = datetime(2026, 11, 17, 18, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def _processes(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[WebProcess, RunningSimulator]]:
    folder = Path(tempfile.mkdtemp(prefix="omnify-journey-"))
    with running_simulator(folder) as simulator:
        web = WebProcess(folder, simulator)
        with django_db_blocker.unblock():
            web.start()
        yield web, simulator
        web.stop()
    shutil.rmtree(folder)


@pytest.fixture
def house(
    transactional_db: None, people: People, _processes: tuple[WebProcess, RunningSimulator], settings: Any
) -> Iterator[House]:
    """Acme with one sender for each channel, everything running and standing at START."""
    web, simulator = _processes
    settings.PUBLIC_URL = web.url
    settings.SIMULATOR_URL = simulator.base_url
    settings.SIMULATOR_SMTP_PORT = simulator.smtp_port
    simulator.client.clear()
    make_senders(people.acme)
    real = PBKDF2PasswordHasher().encode(PASSWORD, get_random_string(16))  # the web process knows no quick hash
    User.objects.update(password=real)
    register_accounts(simulator.client)
    lines = simulator.client.ledger(record="all")
    house = House(web, simulator.client, START, lines[-1]["seq"] if lines else 0)
    house.stand_at(START)
    yield house
    simulator.client.settled()
    clock._OFFSET = timedelta(0)
    gc.collect()


@pytest.fixture
def visitor(house: House) -> Iterator[Callable[[Membership], Visitor]]:
    """`visitor(member)`: this member, signed in through the log-in page."""
    come: list[Visitor] = []

    def arrive(member: Membership) -> Visitor:
        come.append(Visitor(house.web))
        come[-1].log_in(member.user.email, PASSWORD)
        return come[-1]

    yield arrive
    for each in come:
        each.http.close()


@pytest.fixture
def alice(visitor: Callable[[Membership], Visitor], people: People) -> Visitor:
    """Acme's owner, signed in."""
    return visitor(people.alice)
