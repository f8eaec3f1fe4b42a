"""The admin, as the web role: every page opens, shows the chosen tenant's rows alone, and changes through verbs."""

from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Contact
from omnify.lib import clock
from omnify.tenants.context import tenant_context
from omnify.tenants.models import ApiKey, Event, Membership, SealState, Tenant, User
from sequences.models import Enrollment, SendEpoch, Sender, Sequence, Switch, Tally, Vitals, Wakeup
from tests.everything import Rows, make_everything
from tests.making import People, make_contact, make_enrollment, make_member, signed

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]

OURS, THEIRS = "Oursword", "Theirsword"
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
LEDGERS = {
    "Event", "Execution", "Interaction", "ProviderEvent", "Message", "Consent", "Suppression", "Enrollment", "Version",
    "Step", "Edge", "ImportJob", "ImportProblem", "Wakeup",
    "Spending", "Pace", "VoiceSlot", "Polling", "Switch", "SendEpoch", "Vitals", "Tally",
    "Seal", "SealHead", "SealState", "Forgotten",
}  # fmt: skip
NOBODYS = {Wakeup, Switch, SendEpoch, Vitals, Tally, SealState}


def label(model: type[Model]) -> str:
    return model._meta.label


def url(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def ours(people: People, now: datetime) -> Rows:
    return make_everything(people.alice, now, OURS)


@pytest.fixture
def theirs(people: People, now: datetime) -> Rows:
    return make_everything(people.charlie, now, THEIRS)


@pytest.fixture
def staff(people: People, client: Client) -> Client:
    User.objects.filter(pk=people.alice.user_id).update(is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=people.alice.user_id))
    return client


def test_every_model_of_ours_is_in_the_admin_and_no_other() -> None:
    wanted = {model for model in apps.get_models() if model._meta.app_label in {"tenants", "contacts", "sequences"}}
    assert set(MODELS) == wanted


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_every_list_opens_and_shows_no_other_tenants_row(
    staff: Client, ours: Rows, theirs: Rows, model: type[Model]
) -> None:
    response = staff.get(url(model, "changelist"))
    assert response.status_code == 200
    text = response.content.decode()
    assert THEIRS not in text
    assert "charlie@" not in text
    if model not in NOBODYS:
        assert str(ours[model].pk) in {str(row.pk) for row in response.context["cl"].result_list}
    search = staff.get(url(model, "changelist"), {"q": "x"})
    assert search.status_code == 200


@pytest.mark.parametrize("model", [model for model in MODELS if model not in NOBODYS], ids=label)
def test_every_row_opens_for_its_tenant_and_for_no_other(
    staff: Client, ours: Rows, theirs: Rows, model: type[Model]
) -> None:
    response = staff.get(url(model, "change", ours[model].pk))
    assert response.status_code == 200
    assert THEIRS not in response.content.decode()
    stranger = staff.get(url(model, "change", theirs[model].pk), follow=True)
    assert THEIRS not in stranger.content.decode()
    assert stranger.redirect_chain[0][0] == reverse("admin:index")


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_row_is_added_where_that_makes_sense_and_nowhere_else(staff: Client, ours: Rows, model: type[Model]) -> None:
    addable = {"Company", "Contact", "Sender"}
    expected = 200 if model.__name__ in addable else 403
    response = staff.get(url(model, "add"))
    assert response.status_code == expected
    assert THEIRS not in response.content.decode()


@pytest.mark.parametrize("model", [model for model in MODELS if model.__name__ in LEDGERS], ids=label)
def test_ledgers_can_only_be_read(staff: Client, ours: Rows, model: type[Model]) -> None:
    page = admin.site._registry[model]
    assert model.__name__ not in {"Company", "Contact", "Sender"}
    if model in NOBODYS:
        assert staff.post(url(model, "add"), {"kind": "x"}).status_code == 403
        return
    row = ours[model]
    assert staff.post(url(model, "change", row.pk), {"x": "y"}).status_code == 403
    assert staff.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in page.get_actions(staff.get(url(model, "changelist")).wsgi_request)


@pytest.mark.parametrize("model", [Contact, Enrollment, Sequence, Membership, ApiKey], ids=label)
def test_a_list_costs_the_same_for_one_row_and_for_many(
    staff: Client, ours: Rows, people: People, now: datetime, model: type[Model]
) -> None:
    staff.get(url(model, "changelist"))
    with CaptureQueriesContext(connection) as one:
        staff.get(url(model, "changelist"))
    for number in range(5):
        contact = make_contact(people.acme, now, company=ours[Contact].company, owner=people.bob)
        make_enrollment(ours[Sequence], contact, now)
        make_member(people.acme, f"more{number}", "agent")
        with tenant_context(people.acme.pk):
            Sequence.objects.create(name=f"More {number}", owner=people.bob)
            ApiKey.objects.create(name=f"k{number}", prefix="omk_", digest=str(number), created_by=people.bob.user)
    with CaptureQueriesContext(connection) as many:
        response = staff.get(url(model, "changelist"))
    assert len(response.context["cl"].result_list) >= 6
    assert len(many) == len(one)


@pytest.mark.parametrize("model", [Contact, Membership], ids=label)
def test_autocomplete_offers_the_tenants_own_rows(staff: Client, ours: Rows, theirs: Rows, model: type[Model]) -> None:
    field = {"Contact": "company", "Membership": "owner"}[model.__name__]
    query = {"app_label": "contacts", "model_name": "contact", "field_name": field, "term": ""}
    answer = staff.get(reverse("admin:autocomplete"), query)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert THEIRS not in text
    assert "Charlie" not in text
    assert (f"{OURS} Ltd" if field == "company" else "Alice") in text


def test_a_contact_is_changed_and_deleted_by_the_verbs(staff: Client, ours: Rows, people: People) -> None:
    contact = ours[Contact]
    form = staff.get(url(Contact, "change", contact.pk)).context["adminform"].form
    values = {name: form.initial.get(name) or "" for name in form.fields}
    values |= {"first_name": " Ann ", "phone": "(415) 555-0199", "tags": "", "custom_fields": "{}"}
    response = staff.post(url(Contact, "change", contact.pk), values)
    assert response.status_code == 302, response.context["adminform"].form.errors
    with tenant_context(people.acme.pk):
        found = Contact.objects.get(pk=contact.pk)
        kinds = set(Event.objects.filter(subject_id=contact.pk, subject_type="contact").values_list("kind", flat=True))
    assert (found.first_name, found.phone, found.phone_type) == ("Ann", "+14155550199", "unknown")
    assert {"contact.updated", "admin.changed"} <= kinds
    staff.post(url(Contact, "delete", contact.pk), {"post": "yes"})
    with tenant_context(people.acme.pk):
        assert Contact.objects.get(pk=contact.pk).deleted_at is not None
    assert LogEntry.objects.count() == 0


def test_a_contact_may_be_added_and_a_taken_address_is_an_error_of_the_form(
    staff: Client, ours: Rows, people: People
) -> None:
    values = {"first_name": "New", "email": "NEW@people.example", "tags": "", "custom_fields": "{}"}
    assert staff.post(url(Contact, "add"), values).status_code == 302
    with tenant_context(people.acme.pk):
        made = Contact.objects.get(email="new@people.example")
    assert made.tenant_id == people.acme.pk
    again = staff.post(url(Contact, "add"), values)
    assert again.status_code == 200
    assert again.context["adminform"].form.errors


def test_another_tenants_company_cannot_be_chosen(staff: Client, ours: Rows, theirs: Rows) -> None:
    values = {"email": "x@people.example", "company": theirs[Contact].company_id, "tags": "", "custom_fields": "{}"}
    response = staff.post(url(Contact, "add"), values)
    assert response.status_code == 200
    assert "company" in response.context["adminform"].form.errors


def sender_values(sender: Sender, **changes: Any) -> dict[str, Any]:
    return {
        "name": sender.name, "channel": sender.channel, "provider": sender.provider, "address": sender.address,
        "config": '{"account_sid": "AC1"}', "is_default": "on", "secrets": "", **changes,
    }  # fmt: skip


def test_a_senders_secrets_go_in_and_never_come_out(staff: Client, ours: Rows, people: People) -> None:
    sender = ours[Sender]
    page = staff.get(url(Sender, "change", sender.pk)).content.decode()
    assert "token-acme" not in page
    assert "auth_token" in page
    assert f"/hooks/twilio/{sender.webhook_key}/inbound" in page
    staff.post(url(Sender, "change", sender.pk), sender_values(sender, name="Renamed"))
    with tenant_context(people.acme.pk):
        assert Sender.objects.get(pk=sender.pk).credentials == {"auth_token": "token-acme"}
    changed = staff.post(
        url(Sender, "change", sender.pk),
        sender_values(sender, secrets='{"auth_token": null, "api_key_sid": "SK-secret"}'),
    )
    assert changed.status_code == 302
    with tenant_context(people.acme.pk):
        found = Sender.objects.get(pk=sender.pk)
        ledger = str(list(Event.objects.values_list("data", flat=True)))
    assert found.credentials == {"api_key_sid": "SK-secret"}
    assert "SK-secret" not in found.sealed_credentials
    assert "SK-secret" not in ledger


@pytest.mark.parametrize(("field", "value"), [("secrets", "[1]"), ("secrets", "{"), ("config", '"x"')])
def test_what_is_no_object_is_refused(staff: Client, ours: Rows, field: str, value: str) -> None:
    response = staff.post(url(Sender, "change", ours[Sender].pk), sender_values(ours[Sender], **{field: value}))
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors


def test_a_second_default_sender_is_an_error_of_the_form(staff: Client, ours: Rows) -> None:
    response = staff.post(url(Sender, "add"), sender_values(ours[Sender], address="+15005550009"))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors


@pytest.mark.parametrize(
    ("model", "action", "field", "value"),
    [
        (Enrollment, "pause", "status", "paused"),
        (Enrollment, "take_out", "status", "exited"),
        (Sequence, "archive", "status", "archived"),
        (Tenant, "stop_sending", "sending_enabled", False),
    ],
)
def test_actions_call_the_verbs(
    staff: Client, ours: Rows, people: People, model: Any, action: str, field: str, value: Any
) -> None:
    row = ours[model]
    response = staff.post(url(model, "changelist"), {"action": action, "_selected_action": [row.pk]}, follow=True)
    assert "1 " in str([str(each) for each in response.context["messages"]])
    with tenant_context(people.acme.pk):
        assert getattr(model.objects.get(pk=row.pk), field) == value
        assert Event.objects.filter(subject_id=row.pk, actor=f"member:{people.alice.pk}").exists()


def test_an_action_cannot_reach_another_tenants_row(staff: Client, ours: Rows, theirs: Rows, people: People) -> None:
    row = theirs[Enrollment]
    staff.post(url(Enrollment, "changelist"), {"action": "pause", "_selected_action": [row.pk]})
    with tenant_context(people.charlie.tenant_id):
        assert Enrollment.objects.get(pk=row.pk).status == "active"


def test_staff_with_a_low_role_may_look_but_not_act(ours: Rows, people: People, client: Client) -> None:
    User.objects.filter(pk=people.bob.user_id).update(is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=people.bob.user_id))
    assert client.get(url(Enrollment, "changelist")).status_code == 200
    data = {"action": "pause", "_selected_action": [ours[Enrollment].pk]}
    assert client.post(url(Enrollment, "changelist"), data).status_code == 403


def test_the_admin_is_for_staff_who_are_members(people: People, client: Client) -> None:
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/")
    client.force_login(people.alice.user)
    assert client.get("/admin/", follow=True).status_code == 403
    nobody = User.objects.create_superuser("nobody@omnify.example", "x")
    client.force_login(nobody)
    assert client.get("/admin/", follow=True).status_code == 403


def test_the_index_names_no_other_tenants_rows(staff: Client, ours: Rows, theirs: Rows) -> None:
    for page in ("/admin/", "/admin/tenants/", "/admin/sequences/"):
        response = staff.get(page)
        assert response.status_code == 200
        assert THEIRS not in response.content.decode()


def test_a_workspace_is_switched_to_live_by_its_verb(staff: Client, ours: Rows, people: People) -> None:
    form = staff.get(url(Tenant, "change", people.acme.pk)).context["adminform"].form
    values = {name: form.initial.get(name) for name in form.fields}
    for name in ("business_hours", "brand_profile", "approved_facts"):
        values[name] = {"approved_facts": "[]"}.get(name, "{}")
    values |= {"sending_mode": "live", "support_contact": "x@acme.example"}
    response = staff.post(url(Tenant, "change", people.acme.pk), values)
    assert response.status_code == 302, response.context["adminform"].form.errors
    signed(None, clock.now(), by=people.alice)  # real sending waits for a signature
    with tenant_context(people.acme.pk):
        assert Tenant.objects.get(pk=people.acme.pk).sending_mode == "live"
        assert "sending_mode" in Event.objects.get(kind="tenant.updated").data["fields"]
