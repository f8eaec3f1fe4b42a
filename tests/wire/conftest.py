"""The real SDKs against a real simulator process, on the test database."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from omnify.simulator.client import SimulatorClient
from omnify.simulator.running import RunningSimulator, running_simulator
from tests.making import People, make_senders
from tests.wire.wiring import Wire, at_all_hours


@pytest.fixture(scope="session")
def _simulator() -> Iterator[RunningSimulator]:
    folder = Path(tempfile.mkdtemp(prefix="omnify-wire-"))
    with running_simulator(folder) as running:
        yield running
    shutil.rmtree(folder)


@pytest.fixture
def simulator(_simulator: RunningSimulator, settings: Any) -> Iterator[SimulatorClient]:
    """The simulator's client; settings point to it. Nothing listens for its callbacks."""
    settings.SIMULATOR_URL = _simulator.base_url
    settings.SIMULATOR_SMTP_PORT = _simulator.smtp_port
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    _simulator.client.clear()
    yield _simulator.client
    _simulator.client.clear()


@pytest.fixture
def wire(people: People, simulator: SimulatorClient, now: datetime) -> Wire:
    senders = make_senders(people.acme)
    simulator.configure(
        {
            "twilio": [
                {
                    "account_sid": senders["sms"].config["account_sid"],
                    "auth_token": senders["sms"].credentials["auth_token"],
                    "numbers": [{"number": senders["sms"].address}],
                }
            ],
            "vapi": [{"api_key": senders["voice"].credentials["api_key"], "phone_number_ids": ["phone-1"]}],
            "postmark": [{"server_token": "postmark-acme"}],
        }
    )
    return Wire(people, senders, simulator, now)


@pytest.fixture
def always_open(monkeypatch: pytest.MonkeyPatch) -> None:
    at_all_hours(monkeypatch)
