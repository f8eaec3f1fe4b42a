"""Contacts over the API."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from contacts.models import Company, Contact
from contacts.serializers import ContactIn
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from tests.api.conftest import Caller
from tests.making import People, make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]

WRITABLE = set(ContactIn().fields)
MODEL_FIELDS = sorted(
    {field.name for field in Contact._meta.get_fields() if not field.auto_created} | {"id", "tenant_id", "public_id"}
)
# A value of the right type for every column, so that a refusal is about the field and not about its value.
SMUGGLED: dict[str, Any] = {
    "tenant": 1, "tenant_id": 1, "id": 1, "public_id": str(uuid4()), "company": "Smuggled Ltd", "owner": 1,
    "engagement_score": 99, "interaction_count": 99, "inbound_count": 99, "lead_score": 99, "zones": ["Asia/Tokyo"],
    "tags": ["smuggled"], "custom_fields": {"smuggled": True}, "email_valid": True, "phone_valid": True,
}  # fmt: skip


def everything(contact: Contact) -> dict[str, Any]:
    with tenant_context(contact.tenant_id):
        return Contact.objects.filter(pk=contact.pk).values().get()


def test_a_contact_is_added_cleaned_and_recorded(people: People, api: Caller) -> None:
    response = api.post(
        "/contacts/",
        {
            "first_name": " Ann ", "email": "ANN@People.example", "phone": "(212) 555-0142", "country": "United States",
            "company": "Acme Supplies", "tags": ["vip", "web"], "custom_fields": {"size": 12}, "lead_score": 70,
        },
    )  # fmt: skip
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["first_name"], body["email"], body["phone"]) == ("Ann", "ann@people.example", "+12125550142")
    assert (body["company"], body["country"], body["zones"]) == ("Acme Supplies", "US", ["America/New_York"])
    assert (body["tags"], body["custom_fields"], body["lead_score"], body["source"]) == (
        ["vip", "web"],
        {"size": 12},
        70,
        "api",
    )
    assert response["Location"].endswith(f"/api/v1/contacts/{body['id']}/")
    with tenant_context(people.acme.pk):
        contact = Contact.objects.get(public_id=body["id"])
        event = Event.objects.get(kind="contact.created", subject_id=contact.pk)
    assert event.actor == f"key:{api.row.pk}"
    assert api.get(f"/contacts/{body['id']}/").json() == body


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "not an address"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"email": "a@people.example", "timezone": "Middle/Earth"}, "timezone"),
        ({"email": "a@people.example", "country": "Atlantis"}, "country"),
        ({"email": "a@people.example", "first_name": "x" * 101}, "first_name"),
        ({"email": "a@people.example", "first_name": ["x"]}, "first_name"),
        ({"email": "a@people.example", "first_name": "a\u0000b"}, "first_name"),
        ({"email": "a@people.example", "lead_score": 1000}, "lead_score"),
        ({"email": "a@people.example", "tags": "vip"}, "tags"),
        ({"email": "a@people.example", "custom_fields": {"a": {"deep": 1}}}, "custom_fields"),
        ({"email": "a@people.example", "custom_fields": {"a": "x" * 1001}}, "custom_fields"),
        ({"first_name": "Ann"}, ""),
    ],
)
def test_what_is_not_right_is_said_by_field_and_nothing_is_kept(
    people: People, api: Caller, given: dict[str, Any], field: str
) -> None:
    response = api.post("/contacts/", given)
    assert response.status_code == 400
    assert field in response.json()["errors"]
    assert response.json()["detail"] == "Nothing was changed."
    with tenant_context(people.acme.pk):
        assert Contact.objects.count() == 0


def test_a_list_is_no_contact(api: Caller) -> None:
    response = api.post("/contacts/", [1, 2])
    assert response.status_code == 400


def test_a_mail_address_has_one_contact(people: People, api: Caller, now: datetime) -> None:
    known = make_contact(people.acme, now, email="ann@people.example")
    response = api.post("/contacts/", {"email": "ann@people.example"})
    assert response.status_code == 409
    assert str(known.public_id) in response.json()["detail"]
    other = make_contact(people.acme, now)
    assert api.patch(f"/contacts/{other.public_id}/", {"email": "ann@people.example"}).status_code == 409


def test_another_tenants_mail_address_is_free(people: People, api: Caller, now: datetime) -> None:
    make_contact(people.charlie.tenant, now, email="ann@people.example")
    assert api.post("/contacts/", {"email": "ann@people.example"}).status_code == 201


def test_a_change_writes_what_was_given_and_nothing_else(people: People, api: Caller, now: datetime) -> None:
    contact = make_contact(people.acme, now, first_name="Ann", last_name="Lee", tags=["vip"])
    before = everything(contact)
    response = api.patch(f"/contacts/{contact.public_id}/", {"last_name": "Smith", "tags": ["gold"]})
    assert response.status_code == 200, response.content
    after = everything(contact)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"last_name", "tags", "updated_at"}
    assert (after["last_name"], after["tags"]) == ("Smith", ["gold"])


def test_an_unreadable_value_of_old_does_not_keep_another_from_being_changed(
    people: People, api: Caller, now: datetime
) -> None:
    contact = make_contact(people.acme, now, phone="12", country="US")
    assert api.patch(f"/contacts/{contact.public_id}/", {"first_name": "New"}).status_code == 200
    assert everything(contact)["phone"] == "12"


@pytest.mark.parametrize("field", [name for name in MODEL_FIELDS if name not in WRITABLE])
def test_no_other_column_can_be_written(people: People, api: Caller, now: datetime, field: str) -> None:
    contact = make_contact(people.acme, now)
    before = everything(contact)
    value = SMUGGLED.get(field, "2020-01-01T00:00:00Z")
    response = api.patch(f"/contacts/{contact.public_id}/", {field: value})
    assert response.status_code == 400
    assert response.json()["errors"] == {field: ["This field cannot be written."]}
    assert everything(contact) == before
    assert api.post("/contacts/", {"email": "new@people.example", field: value}).status_code == 400
    with tenant_context(people.acme.pk):
        assert Contact.objects.count() == 1


def test_a_company_of_another_tenant_is_not_joined_but_made_anew(people: People, api: Caller, now: datetime) -> None:
    with tenant_context(people.charlie.tenant_id):
        Company.objects.create(name="Globex")
    assert api.post("/contacts/", {"email": "a@people.example", "company": "Globex"}).status_code == 201
    with tenant_context(people.acme.pk):
        assert Company.objects.get(name="Globex").tenant_id == people.acme.pk


def test_a_deleted_contact_is_gone_and_forgotten(people: People, api: Caller, now: datetime) -> None:
    contact = make_contact(people.acme, now)
    address = f"/contacts/{contact.public_id}/"
    assert api.delete(address).status_code == 204
    assert [
        api.get(address).status_code,
        api.patch(address, {"city": "X"}).status_code,
        api.delete(address).status_code,
    ] == [404] * 3
    assert everything(contact)["email"] == ""


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_a_stranger_finds_no_contact_and_changes_none(
    people: People, stranger: Caller, now: datetime, method: str
) -> None:
    contact = make_contact(people.acme, now)
    before = everything(contact)
    path = f"/contacts/{contact.public_id}/"
    response = stranger.patch(path, {"first_name": "Mine"}) if method == "patch" else getattr(stranger, method)(path)
    assert response.status_code == 404
    assert response.json()["title"] == "Not found."
    assert everything(contact) == before
    assert stranger.get("/contacts/").json()["results"] == []


def test_the_list_can_be_filtered(people: People, api: Caller, now: datetime) -> None:
    ann = make_contact(people.acme, now, first_name="Ann", tags=["vip"])
    make_contact(people.acme, now, first_name="Bert", consents=())
    for query in ({"q": "ann"}, {"tag": "vip"}, {"consent": "sms"}):
        assert [row["id"] for row in api.get("/contacts/", **query).json()["results"]] == [str(ann.public_id)]
    assert len(api.get("/contacts/", replied="never").json()["results"]) == 2


def test_a_page_of_contacts_costs_the_same_for_one_and_for_many(
    people: People, api: Caller, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with tenant_context(people.acme.pk):
        company = Company.objects.create(name="Globex")
    make_contact(people.acme, now, company=company, owner=people.bob)
    api.get("/contacts/")  # the key's last use is kept now
    with CaptureQueriesContext(
        connection,
    ) as one:
        api.get("/contacts/")
    for _ in range(20):
        make_contact(people.acme, now, company=company, owner=people.bob)
    with django_assert_num_queries(len(one)):
        assert len(api.get("/contacts/").json()["results"]) == 21
