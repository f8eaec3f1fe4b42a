"""Who works for a tenant: added, invited, promoted, removed, and never without an owner."""

import threading
from typing import Any

import pytest
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from omnify.tenants.context import tenant_context
from omnify.tenants.members import LastOwner, add_member, change_role, remove_member
from omnify.tenants.models import Event, Membership, Notification, User
from omnify.tenants.tasks import send_invitation
from tests.making import People, make_member

pytestmark = pytest.mark.django_db


def test_a_new_member_gets_in_by_the_link_in_the_mail(people: People, now: Any, client: Client) -> None:
    with tenant_context(people.acme.pk):
        member = add_member(email=" New@Person.example ", role="agent", by=people.alice, now=now)
    assert member is not None
    assert not member.user.has_usable_password()
    assert send_invitation(member.pk, people.acme.pk) is True
    (letter,) = mail.outbox
    assert letter.to == ["new@person.example"]
    address = next(line for line in letter.body.splitlines() if line.startswith("http"))
    path = "/" + address.split("/", 3)[3]
    form = client.get(path, follow=True)
    done = client.post(
        form.redirect_chain[-1][0],
        {"password1": "a long and odd phrase", "password2": "a long and odd phrase"},
        follow=True,
    )
    assert done.status_code == 200
    assert client.login(email="new@person.example", password="a long and odd phrase")
    assert "no longer works" in Client().get(path, follow=True).content.decode()


def test_somebody_with_an_account_is_sent_to_the_log_in(people: People, now: Any) -> None:
    with tenant_context(people.acme.pk):
        member = add_member(email=people.charlie.user.email, role="viewer", by=people.alice, now=now)
    assert member is not None
    assert member.user == people.charlie.user
    send_invitation(member.pk, people.acme.pk)
    assert reverse("account_login") in mail.outbox[0].body


def test_adding_somebody_twice_changes_nothing(people: People, now: Any) -> None:
    with tenant_context(people.acme.pk):
        assert add_member(email=people.bob.user.email.upper(), role="owner", by=people.alice, now=now) is None
        assert Membership.objects.get(pk=people.bob.pk).role == "agent"


def test_a_member_is_removed_once_and_said_to_be_once(people: People, now: Any) -> None:
    with tenant_context(people.acme.pk):
        assert remove_member(people.bob, by=people.alice, now=now)
        gone = Membership(pk=people.bob.pk, tenant_id=people.acme.pk, user_id=people.bob.user_id, role="agent")
        assert not remove_member(gone, by=people.alice, now=now)
        assert not change_role(gone, role="owner", by=people.alice, now=now)
        assert Event.objects.filter(kind="member.removed").count() == 1


def test_a_refused_invitation_is_told_to_the_tenant(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("omnify.tenants.invitations.send_mail", refuse)
    assert send_invitation(people.bob.pk, people.acme.pk) is False
    with tenant_context(people.acme.pk):
        note = Notification.objects.get()
    assert people.bob.user.email in note.title
    assert note.url == reverse("tenants:members")


def test_an_invitation_to_somebody_removed_meanwhile_is_not_sent(people: People) -> None:
    assert send_invitation(10**12, people.acme.pk) is False
    assert mail.outbox == []


def test_a_role_changes_once_and_is_recorded(people: People, now: Any) -> None:
    with tenant_context(people.acme.pk):
        assert change_role(people.bob, role="manager", by=people.alice, now=now) is True
        assert change_role(people.bob, role="manager", by=people.alice, now=now) is False
        assert Event.objects.filter(kind="member.role_changed").count() == 1


def test_the_last_owner_can_neither_step_down_nor_leave(people: People, now: Any) -> None:
    with tenant_context(people.acme.pk):
        with pytest.raises(LastOwner):
            change_role(people.alice, role="agent", by=people.alice, now=now)
        with pytest.raises(LastOwner):
            remove_member(people.alice, by=people.alice, now=now)
        assert Membership.objects.get(pk=people.alice.pk).role == "owner"


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_each_other_at_once_leave_one(people: People, now: Any) -> None:
    dora = make_member(people.acme, "dora", "owner")
    barrier = threading.Barrier(2, timeout=20)
    outcomes: list[str] = []

    def demote(target: Membership, by: Membership) -> None:
        try:
            barrier.wait()
            with tenant_context(people.acme.pk):
                change_role(target, role="viewer", by=by, now=now)
            outcomes.append("done")
        except LastOwner:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=demote, args=pair) for pair in ((dora, people.alice), (people.alice, dora))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["done", "refused"]
    with tenant_context(people.acme.pk):
        assert Membership.objects.filter(role="owner").count() == 1


@pytest.mark.as_web
def test_an_owner_adds_changes_and_removes_on_the_page(people: People, client: Client) -> None:
    client.force_login(people.alice.user)
    response = client.post(reverse("tenants:member_add"), {"email": "eve@acme.example", "role": "agent"}, follow=True)
    assert "an invitation is on its way" in response.content.decode()
    with tenant_context(people.acme.pk):
        eve = Membership.objects.select_related("user").get(user__email="eve@acme.example")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_q_ormq")
        assert cursor.fetchone()[0] == 1
    client.post(reverse("tenants:member_role", args=[eve.pk]), {"role": "manager"})
    with tenant_context(people.acme.pk):
        assert Membership.objects.get(pk=eve.pk).role == "manager"
    client.post(reverse("tenants:member_remove", args=[eve.pk]))
    with tenant_context(people.acme.pk):
        assert not Membership.objects.filter(pk=eve.pk).exists()
    assert User.objects.filter(email="eve@acme.example").exists()


@pytest.mark.as_web
def test_the_last_owner_is_told_why_not(people: People, client: Client) -> None:
    client.force_login(people.alice.user)
    response = client.post(reverse("tenants:member_remove", args=[people.alice.pk]), follow=True)
    assert "at least one owner" in response.content.decode()
