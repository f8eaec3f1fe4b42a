"""Shared by the tests of the security checklist: senders of both tenants, and a fresh cache."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from sequences.models import Sender
from tests.making import People, make_senders


@pytest.fixture(autouse=True)
def _nobody_has_tried_before() -> Iterator[None]:
    """Counts of tries are kept in the cache, which outlives a test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def senders(people: People) -> dict[str, Sender]:
    return make_senders(people.acme)
