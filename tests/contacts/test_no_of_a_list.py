"""A list's "no" counts wherever in it it stands, and whatever is to be done with people who are known already."""

from datetime import datetime
from typing import Any

import pytest

from contacts.models import Consent
from contacts.permissions import give_consent
from omnify.tenants.context import tenant_context
from tests.making import People, make_contact

pytestmark = pytest.mark.django_db
COLUMN = {"basis": "column", "source": "Sign-up form"}
HEADER = "First name,Email,Phone,SMS consent\n"


def in_force(people: People) -> set[str]:
    with tenant_context(people.acme.pk):
        rows = Consent.objects.filter(revoked_at__isnull=True)
        return {f"{first}:{channel}" for first, channel in rows.values_list("contact__first_name", "channel")}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ann,ann@x.example,212-555-0100,yes", "Ann,ANN@x.example,212-555-0100,no"),
        ("Ann,ann@x.example,212-555-0100,yes", "Ann,,212-555-0100,no"),
        ("Ann,,212-555-0100,yes", "Ann,ann@x.example,212-555-0100,no"),
        ("Ann,ann@x.example,212-555-0100,no", "Ann,ann@x.example,212-555-0100,yes"),
    ],
)
def test_of_two_rows_about_one_person_the_no_counts(people: People, imported: Any, first: str, second: str) -> None:
    imported(f"{HEADER}{first}\n{second}\nBob,bob@x.example,415-555-0101,yes\n", consent=COLUMN)
    assert in_force(people) == {"Bob:sms"}


def test_the_no_of_somebody_else_with_the_same_phone_is_their_own(people: People, imported: Any) -> None:
    imported(f"{HEADER}Ann,ann@x.example,212-555-0100,yes\nBob,bob@x.example,212-555-0100,no\n", consent=COLUMN)
    assert in_force(people) == {"Ann:sms"}


@pytest.mark.parametrize("duplicates", ["update", "skip"])
@pytest.mark.parametrize(("answer", "left"), [("no", set()), ("yes", {"Ann:sms"}), ("", {"Ann:sms"})])
def test_the_no_of_somebody_known_counts_though_they_stay_as_they_are(
    people: People, now: datetime, imported: Any, duplicates: str, answer: str, left: set[str]
) -> None:
    ann = make_contact(people.acme, now, first_name="Ann", email="ann@x.example", phone="+12125550100", consents=())
    with tenant_context(people.acme.pk):
        give_consent(
            contact_id=ann.pk, address=ann.phone, channel="sms", kind="pewc_text", source="form", now=now, actor="test"
        )
    imported(f"{HEADER}Ann,ann@x.example,212-555-0100,{answer}\n", consent=COLUMN, duplicates=duplicates)
    assert in_force(people) == left
