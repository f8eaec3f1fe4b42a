from collections.abc import Iterator
from typing import Any

import pytest

from sequences.models import Sender
from tests.making import People, make_senders
from tests.sequences.webhooks.mailers import certified
from tests.wire.mailers import as_provider


@pytest.fixture
def senders(people: People) -> dict[str, Sender]:
    return make_senders(people.acme)


@pytest.fixture
def grid(senders: dict[str, Sender]) -> Sender:
    return as_provider(senders["email"], "sendgrid", 1)


@pytest.fixture
def amazon(senders: dict[str, Sender], settings: Any) -> Iterator[Sender]:
    with certified(settings):
        yield as_provider(senders["email"], "ses", 1)
