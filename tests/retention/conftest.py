"""A workspace of eight years, in the present."""

from datetime import UTC, datetime

import pytest

from contacts.models import Contact
from omnify.tenants.models import Tenant
from tests.making import People, make_contact
from tests.retention.aged import YEAR


@pytest.fixture
def now() -> datetime:
    """The database itself looks whether a term is over, so these tests live in the present."""
    return datetime.now(UTC)


@pytest.fixture
def acme(people: People, now: datetime) -> Tenant:
    """A workspace of eight years, which keeps words for two."""
    Tenant.objects.update(created_at=now - 8 * YEAR, keep_words_days=730)
    people.acme.refresh_from_db()
    return people.acme


@pytest.fixture
def pat(acme: Tenant, now: datetime) -> Contact:
    return make_contact(acme, now)
