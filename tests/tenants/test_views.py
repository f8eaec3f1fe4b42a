"""Every page of this floor: opens for whom it is for, changes nothing by being opened, and is closed to strangers."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from omnify.tenants.accounts import own_address
from omnify.tenants.actions import create_api_key
from omnify.tenants.context import tenant_context
from omnify.tenants.models import ApiKey, Membership, Notification, Tenant, User
from omnify.tenants.notifications import notify
from tests.making import People, make_contact, make_enrollment, make_sequence

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]

PAGES = [
    "home",
    "tenants:settings",
    "tenants:members",
    "tenants:keys",
    "tenants:audit",
    "tenants:data",
    "usersessions_list",
    "tenants:notifications",
    "tenants:bell",
    "tenants:bell_count",
    "account_change_password",
    "account_email",
    "mfa_index",
]
POSTS = [
    "tenants:switch",
    "tenants:sending",
    "tenants:member_add",
    "tenants:key_create",
    "tenants:data_hold",
    "tenants:data_export",
    "tenants:notifications_read",
]


@pytest.fixture
def as_alice(people: People, client: Client) -> Client:
    client.force_login(people.alice.user)
    own_address(people.alice.user)  # as logging in by hand does
    return client


@pytest.fixture
def as_charlie(people: People) -> Client:
    client = Client()
    client.force_login(people.charlie.user)
    return client


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_for_an_owner_and_changes_nothing(as_alice: Client, name: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = as_alice.get(reverse(name))
    assert response.status_code == 200
    writes = [q["sql"] for q in queries if q["sql"].split(" ", 1)[0] in {"INSERT", "UPDATE", "DELETE"}]
    assert writes == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_inline_script_or_style(as_alice: Client, name: str) -> None:
    html = as_alice.get(reverse(name)).content.decode()
    assert " style=" not in html
    assert " on" not in {part[:3] for part in html.split('"')}
    assert "<style" not in html
    assert "<script>" not in html


@pytest.mark.parametrize("name", PAGES)
def test_a_page_sends_somebody_unknown_to_the_log_in(people: People, client: Client, name: str) -> None:
    response = client.get(reverse(name))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", POSTS)
def test_an_address_that_changes_things_does_not_answer_to_get(as_alice: Client, name: str) -> None:
    assert as_alice.get(reverse(name)).status_code == 405


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_sees_nothing_of_acme(people: People, as_charlie: Client, now: Any, name: str) -> None:
    with tenant_context(people.acme.pk):
        notify(tenant_id=people.acme.pk, type="reply", title="Quokka replied")
        create_api_key(name="Quokka key", role="agent", by=people.alice, now=now)
    html = as_charlie.get(reverse(name)).content.decode()
    assert "Quokka" not in html
    assert "Acme" not in html
    assert "bob@acme.example" not in html


def rows_of(people: People) -> dict[str, Any]:
    """Everything of Acme that these pages could change."""
    with tenant_context(people.acme.pk):
        return {
            "tenant": Tenant.objects.filter(pk=people.acme.pk).values().get(),
            "members": list(Membership.objects.order_by("pk").values("pk", "role")),
            "keys": list(ApiKey.objects.order_by("pk").values()),
            "notes": list(Notification.objects.order_by("pk").values()),
        }


def test_a_stranger_changes_nothing_of_acme(people: People, as_charlie: Client, now: Any) -> None:
    with tenant_context(people.acme.pk):
        note = notify(tenant_id=people.acme.pk, type="reply", title="Ours")
        key, _ = create_api_key(name="Ours", role="agent", by=people.alice, now=now)
    before = rows_of(people)
    bob = people.bob.pk
    attempts = [
        (reverse("tenants:switch"), {"tenant": str(people.acme.public_id)}),
        (reverse("tenants:member_role", args=[bob]), {"role": "owner"}),
        (reverse("tenants:member_invite", args=[bob]), {}),
        (reverse("tenants:member_remove", args=[bob]), {}),
        (reverse("tenants:key_revoke", args=[key.pk]), {}),
    ]
    for address, data in attempts:
        assert as_charlie.post(address, data).status_code == 404, address
    as_charlie.post(reverse("tenants:notification_read", args=[note.public_id]))
    as_charlie.post(reverse("tenants:notifications_read"))
    as_charlie.post(reverse("tenants:sending"), {"enabled": "no"})
    assert rows_of(people) == before


def test_a_forged_tenant_in_the_session_does_not_open_it(people: People, as_charlie: Client) -> None:
    session = as_charlie.session
    session["tenant_id"] = people.acme.pk
    session.save()
    html = as_charlie.get(reverse("tenants:members")).content.decode()
    assert "charlie@stranger.example" in html
    assert "bob@acme.example" not in html


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("tenants:settings", {"name": "Mine"}),
        ("tenants:sending", {"enabled": "no"}),
        ("tenants:member_add", {"email": "x@y.example", "role": "owner"}),
        ("tenants:key_create", {"name": "k", "role": "viewer"}),
    ],
)
def test_an_agent_may_read_settings_but_not_change_them(
    people: People, client: Client, name: str, data: dict[str, str]
) -> None:
    client.force_login(people.bob.user)
    before = rows_of(people)
    response = client.post(reverse(name), data)
    assert response.status_code == 403
    assert "Your role does not allow this" in response.content.decode()
    assert rows_of(people) == before
    assert client.get(reverse("tenants:settings")).status_code == 200


FORM = {
    "name": "Acme Ltd",
    "timezone": "Europe/Berlin",
    "days": ["0", "4"],
    "start": "10:00",
    "end": "16:30",
    "postal_address": "2 Side St",
    "support_contact": "+12125550100",
}


def test_an_owner_saves_the_settings(people: People, as_alice: Client) -> None:
    assert as_alice.post(reverse("tenants:settings"), FORM).status_code == 302
    saved = rows_of(people)["tenant"]
    assert saved["name"] == "Acme Ltd"
    assert saved["timezone"] == "Europe/Berlin"
    assert saved["business_hours"] == {"days": [0, 4], "start": "10:00", "end": "16:30"}
    with tenant_context(people.acme.pk):
        assert last_event(people.acme.pk) == "tenant.updated"


@pytest.mark.parametrize(
    ("field", "value"), [("timezone", "Mars/Olympus"), ("end", "09:00"), ("name", ""), ("days", ["9"])]
)
def test_a_wrong_setting_is_named_beside_its_field_and_nothing_is_saved(
    people: People, as_alice: Client, field: str, value: Any
) -> None:
    before = rows_of(people)
    response = as_alice.post(reverse("tenants:settings"), FORM | {field: value})
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in response.content.decode()
    assert rows_of(people) == before


def last_event(tenant_id: int) -> str:
    from omnify.tenants.models import Event

    return str(Event.objects.filter(tenant_id=tenant_id).order_by("-id").values_list("kind", flat=True).first())


def test_the_kill_switch_goes_off_and_on_and_is_seen_on_every_page(people: People, as_alice: Client) -> None:
    as_alice.post(reverse("tenants:sending"), {"enabled": "no"})
    assert rows_of(people)["tenant"]["sending_enabled"] is False
    assert "Sending is off." in as_alice.get(reverse("tenants:members")).content.decode()
    as_alice.post(reverse("tenants:sending"), {"enabled": "yes"})
    assert rows_of(people)["tenant"]["sending_enabled"] is True


def test_a_member_of_two_tenants_switches_between_them(people: People, as_charlie: Client) -> None:
    with tenant_context(people.acme.pk):
        Membership.objects.create(user=people.charlie.user, role="viewer")
    response = as_charlie.post(reverse("tenants:switch"), {"tenant": str(people.acme.public_id), "next": "/settings/"})
    assert response["Location"] == "/settings/"
    assert as_charlie.get(reverse("home")).context["member"].tenant_id == people.acme.pk


def test_switching_never_leads_to_another_site(people: People, as_alice: Client) -> None:
    response = as_alice.post(
        reverse("tenants:switch"), {"tenant": str(people.acme.public_id), "next": "https://evil.example/"}
    )
    assert response["Location"] == reverse("home")


def test_a_user_of_no_tenant_is_told_so(client: Client) -> None:
    client.force_login(User.objects.create_user("nobody@example.com", "x"))
    response = client.get(reverse("home"), follow=True)
    assert response.status_code == 200
    assert "not a member of any workspace" in response.content.decode()


def test_a_key_is_shown_once_and_never_reaches_above_its_maker(people: People, client: Client) -> None:
    with tenant_context(people.acme.pk):
        Membership.objects.filter(pk=people.bob.pk).update(role="manager")
    client.force_login(people.bob.user)
    assert client.post(reverse("tenants:key_create"), {"name": "k", "role": "owner"}).status_code == 422
    response = client.post(reverse("tenants:key_create"), {"name": "k", "role": "manager"}, follow=True)
    key = response.context["key"]
    assert key in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert key not in client.get(reverse("tenants:keys")).content.decode()


def test_a_notification_for_another_member_is_not_mine(people: People, as_alice: Client) -> None:
    with tenant_context(people.acme.pk):
        Notification.objects.create(type="reply", title="For Bob only", member=people.bob)
    assert "For Bob only" not in as_alice.get(reverse("tenants:notifications")).content.decode()
    as_alice.post(reverse("tenants:notifications_read"))
    assert rows_of(people)["notes"][0]["read_at"] is None


def test_notifications_page_back_without_gaps(people: People, as_alice: Client) -> None:
    with tenant_context(people.acme.pk):
        Notification.objects.bulk_create(
            Notification(tenant=people.acme, type="reply", title=f"Note {n:03d}") for n in range(120)
        )
    seen: list[str] = []
    address = reverse("tenants:notifications")
    while address:
        context = as_alice.get(address).context
        seen += [row.title for row in context["rows"]]
        address = f"{reverse('tenants:notifications')}?before={context['older']}" if context["older"] else ""
    assert seen == [f"Note {n:03d}" for n in reversed(range(120))]


def test_reading_under_the_bell_answers_with_the_new_list(people: People, as_alice: Client) -> None:
    with tenant_context(people.acme.pk):
        note = notify(tenant_id=people.acme.pk, type="reply", title="Once")
    response = as_alice.post(
        reverse("tenants:notification_read", args=[note.public_id]), headers={"HX-Request": "true"}
    )
    assert response["HX-Trigger"] == "live:notifications"
    assert 'aria-label="Unread"' not in response.content.decode()


def test_home_asks_the_same_number_of_questions_however_much_there_is(
    people: People, as_alice: Client, now: Any, django_assert_num_queries: Any
) -> None:
    as_alice.get(reverse("home"))

    def fill(n: int) -> None:
        sequence = make_sequence(people.acme, now, name=f"Sequence {n}")
        make_enrollment(sequence, make_contact(people.acme, now), now, needs_human_intervention=True)
        make_enrollment(sequence, make_contact(people.acme, now), now, status="failed", next_run_at=None)
        with tenant_context(people.acme.pk):
            notify(tenant_id=people.acme.pk, type="reply", title="Hello")

    fill(0)
    with CaptureQueriesContext(connection) as few:
        as_alice.get(reverse("home"))
    for n in range(1, 6):
        fill(n)
    with CaptureQueriesContext(connection) as many:
        html = as_alice.get(reverse("home")).content.decode()
    assert len(many) == len(few)
    assert html.count("in Sequence") >= 12


def test_an_empty_workspace_is_shown_its_first_steps(people: People, as_alice: Client) -> None:
    context = as_alice.get(reverse("home")).context
    assert context["steps"]["next"] == "contacts"
    assert context["quiet"] is True
