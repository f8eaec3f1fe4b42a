"""Of a person who was deleted only hashes of what they forbade are left, and these still bind."""

import threading
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from contacts import erasing
from contacts.actions import create_contact, delete_contact, update_contact
from contacts.erasing import digest, forgotten, recall, sweep
from contacts.models import Contact, Forgotten, Suppression
from contacts.permissions import lift, suppress, suppressed
from omnify.tenants.context import tenant_context
from sequences.matching import newcomer
from tests.making import People, make_contact

pytestmark = pytest.mark.django_db
PHONE, MAIL = "+12125550177", "gone@people.example"
PAIRS = {("sms", PHONE), ("voice", PHONE), ("email", MAIL)}


def forbid(tenant_id: int, now: datetime, reason: str = "opted_out") -> None:
    for address, channels in ((PHONE, ("sms", "voice")), (MAIL, ("email",))):
        suppress(
            tenant_id=tenant_id, address=address, channels=channels, reason=reason, source="sms", quote="Leave Gone Person be",
            now=now, actor="person",
        )  # fmt: skip


@pytest.fixture
def gone(people: People, now: datetime) -> Contact:
    """Somebody who forbade everything and was deleted."""
    person = make_contact(people.acme, now, first_name="Gone", phone=PHONE, email=MAIL)
    forbid(people.acme.pk, now)
    with tenant_context(people.acme.pk):
        assert delete_contact(person, actor="test", now=now)
    return person


def closed(tenant_id: int) -> set[tuple[str, str]]:
    return suppressed(tenant_id, PAIRS)


def test_only_hashes_are_left(people: People, gone: Contact) -> None:
    assert sweep() == 2
    assert not Suppression.objects.all_tenants().exists()
    rows = list(Forgotten.objects.all_tenants())
    assert {(row.channel, row.reason, row.address) for row in rows} == {
        ("sms", "opted_out", ""), ("voice", "opted_out", ""), ("email", "opted_out", ""),
    }  # fmt: skip
    with connection.cursor() as cursor:
        for table in ("contacts_forgotten", "contacts_suppression", "contacts_contact", "tenants_event"):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t")
            text = cursor.fetchone()[0]
            assert PHONE not in text
            assert MAIL not in text
            assert "Leave Gone" not in text
    assert sweep() == 0


def test_a_hash_is_the_tenants_own_and_needs_the_key(people: People, settings: Any) -> None:
    ours = digest(people.acme.pk, PHONE)
    assert ours == digest(people.acme.pk, "(212) 555-0177")
    assert ours != digest(people.charlie.tenant_id, PHONE)
    settings.SUPPRESSION_KEY = "another" * 8
    assert ours != digest(people.acme.pk, PHONE)


@pytest.mark.parametrize("how", ["form", "edit", "inbound"])
@pytest.mark.parametrize("swept", [True, False])
def test_whoever_gets_the_address_again_finds_it_closed(
    people: People, gone: Contact, now: datetime, how: str, swept: bool
) -> None:
    if swept:
        sweep()
        assert closed(people.acme.pk) == set()
    with tenant_context(people.acme.pk):
        if how == "form":
            create_contact({"first_name": "Back", "email": MAIL, "phone": PHONE}, actor="test", now=now)
        elif how == "edit":
            other = make_contact(people.acme, now)
            update_contact(other, {"phone": PHONE, "alternative_email": MAIL}, actor="test", now=now)
        else:
            newcomer(PHONE, "sms", now)
            newcomer(MAIL, "email", now)
    assert closed(people.acme.pk) == PAIRS
    sweep()
    assert closed(people.acme.pk) == PAIRS


def test_another_tenant_is_not_bound(people: People, gone: Contact, now: datetime) -> None:
    sweep()
    with tenant_context(people.charlie.tenant_id):
        create_contact({"email": MAIL, "phone": PHONE}, actor="test", now=now)
    assert closed(people.charlie.tenant_id) == set()


def test_an_address_that_somebody_living_shares_stays_clear_and_closed(people: People, now: datetime) -> None:
    person = make_contact(people.acme, now, phone=PHONE, email=MAIL)
    make_contact(people.acme, now, alternative_phone=PHONE)
    forbid(people.acme.pk, now)
    with tenant_context(people.acme.pk):
        delete_contact(person, actor="test", now=now)
    assert sweep() == 1
    assert closed(people.acme.pk) == {("sms", PHONE), ("voice", PHONE)}


def test_erased_come_back_and_erased_again_they_are_hashes_again(people: People, gone: Contact, now: datetime) -> None:
    sweep()
    with tenant_context(people.acme.pk):
        back = create_contact({"email": MAIL, "phone": PHONE}, actor="test", now=now)
        delete_contact(back, actor="test", now=now)
    assert sweep() == 2
    assert not Suppression.objects.all_tenants().exists()
    assert Forgotten.objects.all_tenants().count() == 3


@pytest.mark.parametrize(("reason", "left"), [("opted_out", 1), ("complaint", 3)])
def test_their_own_start_opens_again_what_it_may(people: People, now: datetime, reason: str, left: int) -> None:
    person = make_contact(people.acme, now, phone=PHONE, email=MAIL)
    forbid(people.acme.pk, now, reason)
    with tenant_context(people.acme.pk):
        delete_contact(person, actor="test", now=now)
    sweep()
    with tenant_context(people.acme.pk):
        newcomer(PHONE, "sms", now)
    lift(tenant_id=people.acme.pk, address=PHONE, channels=("sms", "voice"), source="sms", now=now)
    assert Forgotten.objects.all_tenants().count() == left
    assert closed(people.acme.pk) == (set() if left == 1 else {("sms", PHONE), ("voice", PHONE)})


def test_a_providers_list_does_not_bring_the_address_back(people: People, gone: Contact) -> None:
    sweep()
    with tenant_context(people.acme.pk):
        assert forgotten([MAIL, "other@people.example"], "email") == {MAIL}
        assert forgotten([MAIL], "sms") == set()


@pytest.mark.as_web
def test_pages_delete_and_bring_back_under_the_web_role(people: People, now: datetime, client: Client) -> None:
    person = make_contact(people.acme, now, phone=PHONE, email=MAIL)
    forbid(people.acme.pk, now)
    with tenant_context(people.acme.pk):
        assert delete_contact(person, actor="test", now=now)
        create_contact({"email": MAIL, "phone": PHONE}, actor="test", now=now)
    assert closed(people.acme.pk) == PAIRS


@pytest.mark.django_db(transaction=True)
def test_the_sweep_waits_for_whoever_is_just_getting_the_address(people: People, now: datetime) -> None:
    """Between the look at who has it and the end of its suppression nobody may get it unseen."""
    person = make_contact(people.acme, now, phone=PHONE, email=MAIL)
    forbid(people.acme.pk, now)
    with tenant_context(people.acme.pk):
        delete_contact(person, actor="test", now=now)
    given, go = threading.Event(), threading.Event()

    def give() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET ROLE omnify_system")
            with tenant_context(people.acme.pk), transaction.atomic():
                create_contact({"email": MAIL, "phone": PHONE}, actor="test", now=now)
                given.set()
                go.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=give)
    thread.start()
    try:
        assert given.wait(20)
        assert sweep() == 0
    finally:
        go.set()
        thread.join(20)
    assert sweep() == 0
    assert closed(people.acme.pk) == PAIRS


def test_nothing_forgotten_costs_one_lock_and_one_probe(people: People, django_assert_num_queries: Any) -> None:
    with tenant_context(people.acme.pk), transaction.atomic(), django_assert_num_queries(4):
        assert recall([PHONE, MAIL]) == 0  # a savepoint, the lock, the probe, the savepoint's end
    assert erasing.BATCH > 0


def test_what_is_forbidden_between_the_deletion_and_the_sweep_is_remembered_too(people: People, now: datetime) -> None:
    """They had ended texts alone; asked again before the sweep, they end calls as well."""
    person = make_contact(people.acme, now, first_name="Gone", phone=PHONE)
    given: dict[str, Any] = {"address": PHONE, "source": "sms", "now": now, "actor": "person"}
    suppress(tenant_id=people.acme.pk, channels=("sms",), reason="opted_out", **given)
    with tenant_context(people.acme.pk):
        assert delete_contact(person, actor="test", now=now)
    suppress(tenant_id=people.acme.pk, channels=("voice",), reason="opted_out", **given)
    suppress(tenant_id=people.acme.pk, channels=("sms",), reason="complaint", **given)
    assert sweep() == 1
    assert not Suppression.objects.all_tenants().exists()
    with tenant_context(people.acme.pk):
        assert recall([PHONE]) == 2
    assert closed(people.acme.pk) == {("sms", PHONE), ("voice", PHONE)}
    lift(tenant_id=people.acme.pk, address=PHONE, channels=("sms", "voice"), source="sms", now=now)
    assert closed(people.acme.pk) == {("sms", PHONE)}
