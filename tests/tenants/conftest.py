"""Shared by the tests of second signatures (somebody who may sign, a crowd that must be signed for) and of the sealed ledger."""

from datetime import datetime, timedelta

import pytest

from contacts.models import Consent, Contact
from omnify.tenants import signatures
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Membership
from omnify.tenants.notary import seal
from sequences.models import Sequence
from tests.making import People, make_member, make_sequence
from tests.tenants.sealing import tell

TEN = ((10, timedelta(hours=1)), (40, timedelta(hours=24)))


@pytest.fixture
def ten_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no test needs five thousand people."""
    monkeypatch.setattr(signatures, "MOST_RECIPIENTS", TEN)
    monkeypatch.setattr("sequences.approving.MOST_RECIPIENTS", TEN)


@pytest.fixture
def mia(people: People) -> Membership:
    return make_member(people.acme, "mia", "manager")


@pytest.fixture
def crowd(people: People, now: datetime) -> list[int]:
    with tenant_context(people.acme.pk):
        Contact.objects.bulk_create(
            Contact(tenant=people.acme, first_name=f"P{n}", email=f"p{n}@many.example", phone=f"+1212556{n:04d}")
            for n in range(12)
        )
        found = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
        Consent.objects.bulk_create(
            Consent(tenant=people.acme, contact_id=pk, channel="sms", kind="pewc_text", given_at=now, source="test")
            for pk in found
        )
    return found


@pytest.fixture
def sequence(people: People, now: datetime) -> Sequence:
    return make_sequence(people.acme, now)


@pytest.fixture
def chained(people: People, now: datetime) -> list[int]:
    """Three seals of Acme over nine events of the test, with a stranger's events between; the ids of the nine."""
    ids = []
    for n in range(3):
        ids += tell(people.acme.pk, now + timedelta(minutes=n), 3)
        tell(people.charlie.tenant_id, now, 2)
        seal(now + timedelta(minutes=n))
    return ids
