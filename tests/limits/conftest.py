"""A tenant whose provider exists in memory: claims and sends at the speed of the database."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from omnify.promises import pretending
from tests.making import People, make_senders
from tests.wire.wiring import Wire


@pytest.fixture
def provider(now: datetime) -> Iterator[pretending.Provider]:
    with pretending.in_place_of_all(pretending.Provider(now=lambda: now)) as provider:
        yield provider


@pytest.fixture
def wire(people: People, provider: pretending.Provider, now: datetime) -> Wire:
    nobody: Any = None
    return Wire(people, make_senders(people.acme), nobody, now)
