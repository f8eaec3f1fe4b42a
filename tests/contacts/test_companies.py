"""A company is one, whatever its capitals: by the same folding that the database's own constraint uses."""

from datetime import datetime

import pytest

from contacts.actions import create_contact
from contacts.models import Company
from omnify.tenants.context import tenant_context
from tests.making import People

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("first", "second", "number"),
    [
        ("Acme", "ACME", 1),
        ("Groß GmbH", "GROẞ GMBH", 1),  # noqa: RUF001
        ("Kelvin", "\u212aelvin", 1),
        ("Isik", "Is\u0131k", 2),
    ],
)
def test_a_company_is_found_as_the_database_folds_it(
    people: People, now: datetime, first: str, second: str, number: int
) -> None:
    with tenant_context(people.acme.pk):
        for count, name in enumerate((first, second)):
            create_contact({"email": f"p{count}@people.example", "company": name}, actor="test", now=now)
        assert Company.objects.count() == number
