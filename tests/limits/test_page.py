"""The page Limits: what an empty field and a 0 mean, who may change it, and what is kept of the change."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from omnify.lib import clock
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Tenant
from sequences.models import Sender
from tests.making import People, make_senders, signed

pytestmark = pytest.mark.django_db

PAGE = "/settings/limits/"


@pytest.fixture
def senders(people: People) -> dict[str, Sender]:
    return make_senders(people.acme)


def client_of(member: Any) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def field(sender: Sender, name: str) -> str:
    return f"s{sender.public_id.hex}_{name}"


def test_a_manager_sets_limits_and_the_ledger_keeps_what_was_and_is(people: People, senders: dict[str, Sender]) -> None:
    sms, voice = senders["sms"], senders["voice"]
    given = {
        "all_day": "3", "sms_week": "0", "money_per_day": "12.50",
        field(sms, "per_second"): "0.5", field(sms, "per_day"): "0", field(voice, "max_concurrent"): "4",
    }  # fmt: skip
    assert client_of(people.alice).post(PAGE, given).status_code == 302
    tenant = Tenant.objects.get(pk=people.acme.pk)
    assert tenant.caps == {"person": {"all": {"day": 3}, "sms": {"week": 0}}, "money_per_day": "12.50"}
    rows = {row.channel: row for row in Sender.objects.all_tenants().filter(tenant=people.acme)}
    assert (rows["sms"].per_second, rows["sms"].per_day, rows["sms"].max_concurrent) == (0.5, 0, None)
    assert (rows["voice"].max_concurrent, rows["email"].per_second) == (4, None)
    event = Event.objects.all_tenants().get(kind="limits.changed")
    assert event.actor == f"member:{people.alice.pk}"
    assert event.data["changes"]["caps"] == [{}, tenant.caps]
    assert event.data["changes"][sms.name] == {"per_second": [None, 0.5], "per_day": [None, 0]}
    page = client_of(people.alice).get(PAGE).content.decode()
    assert 'value="12.50"' in page
    assert 'value="0"' in page


def test_emptied_fields_take_limits_away_and_the_same_twice_is_no_change(
    people: People, senders: dict[str, Sender]
) -> None:
    alice = client_of(people.alice)
    for given in ({"all_day": "3"}, {"all_day": "3"}, {}):
        assert alice.post(PAGE, given).status_code == 302
    assert Tenant.objects.get(pk=people.acme.pk).caps  # taking a limit away is raising it: it waits to be signed
    signed(None, clock.now(), by=people.alice)
    assert Tenant.objects.get(pk=people.acme.pk).caps == {}
    assert Event.objects.all_tenants().filter(kind="limits.changed").count() == 2


@pytest.mark.parametrize(
    "given", [{"all_day": "-1"}, {"sms_day": "2.5"}, {"money_per_day": "NaN"}, {"email_week": "x"}]
)
def test_nonsense_is_refused_in_words(people: People, senders: dict[str, Sender], given: dict[str, str]) -> None:
    answer = client_of(people.alice).post(PAGE, given)
    assert answer.status_code == 422
    assert "needs your attention" in answer.content.decode()
    assert Tenant.objects.get(pk=people.acme.pk).caps == {}


def test_an_agent_reads_and_changes_nothing(people: People, senders: dict[str, Sender]) -> None:
    bob = client_of(people.bob)
    assert "Managers and owners can change this" in bob.get(PAGE).content.decode()
    assert bob.post(PAGE, {"all_day": "0"}).status_code == 403
    assert Tenant.objects.get(pk=people.acme.pk).caps == {}


def test_a_strangers_sender_is_not_on_the_form(people: People, senders: dict[str, Sender], now: datetime) -> None:
    theirs = make_senders(people.charlie.tenant)["sms"]
    assert client_of(people.alice).post(PAGE, {field(theirs, "per_day"): "0"}).status_code == 302
    with tenant_context(people.charlie.tenant_id):
        assert Sender.objects.get(pk=theirs.pk).per_day is None
