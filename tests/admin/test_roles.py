"""A role reaches in the admin no further than on the pages, whatever Django's own permissions say of a superuser."""

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from contacts.models import Contact
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Membership, User
from omnify.tenants.models.people import Role
from sequences.models import Sender
from tests.everything import make_everything
from tests.making import People, make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


def staff_as(client: Client, member: Membership, role: str) -> Client:
    User.objects.filter(pk=member.user_id).update(is_staff=True, is_superuser=True)
    with tenant_context(member.tenant_id):
        Membership.objects.filter(pk=member.pk).update(role=role)
    client.force_login(User.objects.get(pk=member.user_id))
    return client


@pytest.mark.parametrize(
    ("role", "contact", "settings"),
    [(Role.VIEWER, 403, 403), (Role.AGENT, 200, 403), (Role.MANAGER, 200, 200), (Role.OWNER, 200, 200)],
)
def test_pages_that_change_something_ask_for_the_role_that_the_change_needs(
    people: People, now: datetime, client: Client, role: str, contact: int, settings: int
) -> None:
    rows = make_everything(people.alice, now, "Word")
    staff = staff_as(client, people.bob, role)
    person, sender, acme = rows[Contact].pk, rows[Sender].pk, people.acme.pk
    assert staff.get(reverse("admin:contacts_contact_add")).status_code == contact
    assert staff.get(reverse("admin:contacts_contact_delete", args=[person])).status_code == contact
    assert staff.post(reverse("admin:contacts_contact_change", args=[person]), {}).status_code == contact
    assert staff.get(reverse("admin:sequences_sender_add")).status_code == settings
    assert staff.post(reverse("admin:sequences_sender_change", args=[sender]), {}).status_code == settings
    assert staff.post(reverse("admin:tenants_tenant_change", args=[acme]), {}).status_code == settings
    for name, pk in (("contacts_contact", person), ("sequences_sender", sender), ("tenants_tenant", acme)):
        assert staff.get(reverse(f"admin:{name}_change", args=[pk])).status_code == 200  # looking is for every member


@pytest.mark.parametrize(("role", "status", "left"), [(Role.MANAGER, 403, True), (Role.OWNER, 302, False)])
def test_only_an_owner_removes_members(
    people: People, now: datetime, client: Client, role: str, status: int, left: bool
) -> None:
    staff = staff_as(client, people.bob, role)
    with tenant_context(people.acme.pk):
        Membership.objects.create(user=people.charlie.user, role=Role.OWNER)
    data = {"action": "remove_from_the_workspace", "_selected_action": [people.alice.pk]}
    assert staff.post(reverse("admin:tenants_membership_changelist"), data).status_code == status
    with tenant_context(people.acme.pk):
        assert Membership.objects.filter(pk=people.alice.pk).exists() is left


def test_a_viewer_deletes_nobody_by_the_action_of_the_list(people: People, now: datetime, client: Client) -> None:
    person = make_contact(people.acme, now)
    staff = staff_as(client, people.bob, Role.VIEWER)
    data = {"action": "delete_selected", "_selected_action": [person.pk], "post": "yes"}
    staff.post(reverse("admin:contacts_contact_changelist"), data)
    with tenant_context(people.acme.pk):
        assert Contact.objects.alive().filter(pk=person.pk).exists()
