"""Consents over the API: with their evidence, for the contact's own addresses, and never more than the person said."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts.models import Consent, Contact
from contacts.permissions import suppress, suppressed
from omnify.lib.clock import now as clock
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences.enrolling import enrollment_checks
from tests.api.conftest import Caller, caller
from tests.making import People, make_contact, make_sequence

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]

PHONE = "+12125550123"
AGREED: dict[str, Any] = {
    "channel": "sms", "kind": "pewc_text", "text_shown": "Yes, text me offers.", "source": "Web form",
    "source_url": "https://acme.example/offers", "ip": "192.0.2.7", "given_at": "2026-11-01T10:00:00Z",
}  # fmt: skip


@pytest.fixture
def pat(people: People, now: datetime) -> Contact:
    return make_contact(people.acme, now, phone=PHONE, email="pat@people.example", consents=())


def path_of(contact: Contact) -> str:
    return f"/contacts/{contact.public_id}/consents/"


def test_a_contact_made_by_the_api_can_be_texted_once_its_consent_is_noted(
    people: People, now: datetime, api: Caller
) -> None:
    made = api.post("/contacts/", {"first_name": "Ann", "phone": "(212) 555-0142"}).json()
    sequence = make_sequence(people.acme, now)
    with tenant_context(people.acme.pk):
        contact = Contact.objects.get(public_id=made["id"])
        assert enrollment_checks(sequence, [contact.pk]) == {"no_consent": [contact.pk]}
    answer = api.post(path_of(contact), AGREED)
    assert answer.status_code == 201, answer.content
    with tenant_context(people.acme.pk):
        assert enrollment_checks(sequence, [contact.pk]) == {"ready": [contact.pk]}
        row = Consent.objects.get()
        event = Event.objects.get(kind="consent.given")
    assert (row.address, row.text_shown, row.ip, row.source_url) == (
        "+12125550142", AGREED["text_shown"], AGREED["ip"], AGREED["source_url"],
    )  # fmt: skip
    assert row.given_at.isoformat() == "2026-11-01T10:00:00+00:00"
    assert len(row.evidence_hash) == 64
    assert event.actor == f"key:{api.row.pk}"
    (listed,) = api.get(path_of(contact)).json()["results"]
    assert (listed["kind"], listed["address"], listed["revoked_at"]) == ("pewc_text", "+12125550142", None)
    assert not set(listed) & {"id", "tenant", "tenant_id", "contact", "contact_id"}


def test_the_same_consent_twice_is_one(people: People, api: Caller, pat: Contact) -> None:
    assert [api.post(path_of(pat), AGREED).status_code for _ in range(2)] == [201, 201]
    with tenant_context(people.acme.pk):
        assert Consent.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "none"}, "kind"),
        ({"kind": "email_optin"}, "kind"),
        ({"channel": "fax"}, "channel"),
        ({"text_shown": " "}, "text_shown"),
        ({"text_shown": None}, "text_shown"),
        ({"source": ""}, "source"),
        ({"source_url": "javascript:alert(1)"}, "source_url"),
        ({"given_at": "2999-01-01T00:00:00Z"}, "given_at"),
        ({"given_at": "yesterday"}, "given_at"),
        ({"address": "+12125559999"}, "address"),
        ({"address": "pat@people.example"}, "address"),
        ({"ip": "not an ip"}, "ip"),
        ({"contact": 1}, "contact"),
        ({"tenant_id": 1}, "tenant_id"),
        ({"revoked_at": None}, "revoked_at"),
        ({"evidence_hash": "x"}, "evidence_hash"),
    ],
)
def test_what_is_no_evidence_is_refused_by_name(
    people: People, api: Caller, pat: Contact, changes: dict[str, Any], field: str
) -> None:
    answer = api.post(path_of(pat), AGREED | changes)
    assert answer.status_code == 400, answer.content
    assert field in str(answer.json())
    with tenant_context(people.acme.pk):
        assert Consent.objects.count() == 0


def test_taking_back_ends_it_and_an_older_paper_does_not_bring_it_back(
    people: People, api: Caller, pat: Contact
) -> None:
    api.post(path_of(pat), AGREED)
    answer = api.delete(f"{path_of(pat)}?channel=sms")
    assert (answer.status_code, answer.json()["ended"]) == (200, 1)
    assert api.delete(f"{path_of(pat)}?channel=sms").json()["ended"] == 0
    assert api.post(path_of(pat), AGREED).status_code == 409
    newer = (clock() - timedelta(milliseconds=1)).isoformat()
    assert api.post(path_of(pat), AGREED | {"given_at": newer}).status_code in (201, 409)
    assert (
        api.post(path_of(pat), {name: value for name, value in AGREED.items() if name != "given_at"}).status_code == 201
    )
    assert api.delete(path_of(pat)).status_code == 400


def test_a_consent_does_not_end_an_opt_out(people: People, now: datetime, api: Caller, pat: Contact) -> None:
    with tenant_context(people.acme.pk):
        suppress(
            tenant_id=people.acme.pk, address=PHONE, channels=("sms",), reason="opted_out", source="sms", now=now, actor="person"
        )  # fmt: skip
    assert api.post(path_of(pat), AGREED).status_code == 201
    with tenant_context(people.acme.pk):
        assert suppressed(people.acme.pk, [("sms", PHONE)])


def test_a_viewers_key_reads_and_a_strangers_finds_nobody(
    people: People, now: datetime, pat: Contact, stranger: Caller
) -> None:
    viewer = caller(people.alice, now, "viewer")
    assert viewer.get(path_of(pat)).status_code == 200
    assert viewer.post(path_of(pat), AGREED).status_code == 403
    assert viewer.delete(f"{path_of(pat)}?channel=sms").status_code == 403
    assert [stranger.get(path_of(pat)).status_code, stranger.post(path_of(pat), AGREED).status_code] == [404, 404]
    assert stranger.delete(f"{path_of(pat)}?channel=sms").status_code == 404
