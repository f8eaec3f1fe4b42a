"""New, changed, tagged and deleted contacts, and what they allowed, through the pages."""

import pytest
from django.urls import reverse

from contacts.models import Consent, Contact, Suppression
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from tests.making import make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


def test_a_new_contact_is_cleaned_placed_and_recorded(people, as_member) -> None:
    form = {
        "first_name": " Ann ",
        "email": "ANN@x.example",
        "phone": "(212) 555-0100",
        "state": "NY",
        "company": "Acme",
        "tags": "a, b",
    }
    response = as_member(people.bob).post(reverse("contacts:create"), form)
    with tenant_context(people.acme.pk):
        contact = Contact.objects.get()
        assert response.url == contact.get_absolute_url()
        assert (contact.first_name, contact.email, contact.phone, contact.zones, contact.tags) == (
            "Ann", "ann@x.example", "+12125550100", ["America/New_York"], ["a", "b"],
        )  # fmt: skip
        assert contact.company is not None
        assert (
            Event.objects.filter(kind="contact.created", subject_id=contact.pk, actor=f"member:{people.bob.pk}").count()
            == 1
        )


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"first_name": "Ann"}, b"otherwise nobody can be reached"), ({"email": "nope"}, b"There is no @ in it."), ({"phone": "12"}, b"Too few digits"),
        ({"email": "a@x.example", "timezone": "Mars"}, b"no time zone we know"), ({"email": "a@x.example", "country": "Narnia"}, b"no country we know"),
        ({"email": "taken@x.example"}, b"has this email address already"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_taken_says_why_beside_the_field(people, now, as_member, form, words) -> None:
    make_contact(people.acme, now, email="taken@x.example")
    response = as_member(people.bob).post(reverse("contacts:create"), form)
    assert response.status_code == 422
    assert words in response.content
    with tenant_context(people.acme.pk):
        assert Contact.objects.count() == 1


def test_editing_forgets_what_was_known_of_the_old_number(people, now, as_member) -> None:
    contact = make_contact(
        people.acme, now, phone_type="mobile", phone_valid=True, zones=["America/New_York"], state="", country=""
    )
    client, url = as_member(people.bob), reverse("contacts:edit", args=[contact.public_id])
    form = {name: value for name, value in client.get(url).context["form"].initial.items() if value is not None}
    client.post(url, form | {"phone": "415 555 0101"})
    with tenant_context(people.acme.pk):
        contact.refresh_from_db()
    assert (contact.phone, contact.phone_type, contact.phone_valid, contact.zones) == (
        "+14155550101",
        "unknown",
        None,
        ["America/Los_Angeles"],
    )
    with tenant_context(people.acme.pk):
        assert "phone" in Event.objects.get(kind="contact.updated").data["fields"]
    client.post(url, form | {"phone": "415 555 0101"})
    with tenant_context(people.acme.pk):
        assert Event.objects.filter(kind="contact.updated").count() == 1


def test_deleting_needs_the_name_erases_the_person_and_keeps_what_they_forbade(people, now, as_member) -> None:
    contact = make_contact(people.acme, now, first_name="Ann", last_name="Lee", phone="+12125550100")
    with tenant_context(people.acme.pk):
        Suppression.objects.create(
            channel="sms", address="+12125550100", reason="opted_out", source="sms", created_at=now
        )
    client, url = as_member(people.bob), reverse("contacts:delete", args=[contact.public_id])
    assert client.post(url, {"name": "Bob"}).status_code == 422
    assert client.post(url, {"name": "ann lee"}).status_code == 302
    assert client.get(contact.get_absolute_url()).status_code == 404
    with tenant_context(people.acme.pk):
        row = Contact.objects.get()
        assert (row.first_name, row.email, row.phone, row.deleted_at is not None) == ("", "", "", True)
        assert Suppression.objects.get().lifted_at is None
        assert Event.objects.filter(kind="contact.deleted", subject_id=row.pk).count() == 1


def test_several_contacts_are_tagged_untagged_and_deleted_at_once(people, now, as_member) -> None:
    rows = [make_contact(people.acme, now) for _ in range(3)]
    client, ids = as_member(people.bob), [row.public_id for row in rows]
    url = reverse("contacts:bulk")
    client.post(url, {"action": "tag", "tag": "vip", "contact": ids[:2]})
    client.post(url, {"action": "untag", "tag": "vip", "contact": ids[:1]})
    with tenant_context(people.acme.pk):
        assert list(Contact.objects.order_by("id").values_list("tags", flat=True)) == [[], ["vip"], []]
    client.post(url, {"action": "delete", "contact": [ids[2], "nonsense"]})
    with tenant_context(people.acme.pk):
        assert Contact.objects.alive().count() == 2
    assert client.post(url, {"action": "explode", "contact": ids[:1]}).status_code == 400


def test_chosen_contacts_are_handed_on_to_be_enrolled(people, now, as_member) -> None:
    contact = make_contact(people.acme, now)
    response = as_member(people.bob).post(
        reverse("contacts:bulk"), {"action": "enroll", "contact": [contact.public_id]}
    )
    assert response.url == f"{reverse('sequences:choose')}?who=selected&ids={contact.public_id}"


def test_going_back_never_leads_to_another_site(people, now, as_member) -> None:
    contact = make_contact(people.acme, now)
    form = {"action": "tag", "tag": "x", "contact": [contact.public_id], "next": "https://evil.example/"}
    assert as_member(people.bob).post(reverse("contacts:bulk"), form).url == reverse("contacts:list")


def test_members_note_what_a_person_agreed_to_took_back_or_forbade(people, now, as_member) -> None:
    contact = make_contact(people.acme, now, consents=())
    client, url = as_member(people.bob), reverse("contacts:permission", args=[contact.public_id])
    client.post(url, {"action": "give", "channel": "sms", "kind": "pewc_text"})
    with tenant_context(people.acme.pk):
        assert not Consent.objects.exists()
    client.post(url, {"action": "give", "channel": "sms", "kind": "pewc_text", "source": "Phone call"})
    with tenant_context(people.acme.pk):
        assert Consent.objects.get().source == "Phone call"
    client.post(url, {"action": "revoke", "channel": "sms"})
    client.post(url, {"action": "suppress", "channel": "sms", "source": "Please stop"})
    with tenant_context(people.acme.pk):
        assert Consent.objects.get().revoked_at is not None
        assert Suppression.objects.get().quote == "Please stop"
    assert b"Suppressed" in client.get(contact.get_absolute_url()).content
