"""Requests that no page of ours makes get an answer in words, not an error of the database."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from contacts import exporting
from contacts.actions import delete_contact
from contacts.exporting import contact_lines
from contacts.finding import Filters
from contacts.models import Consent
from omnify.lib.clock import now as real_now
from omnify.tenants.context import tenant_context
from tests.making import People, make_contact

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "found"),
    [("owner=99999999999999999999", 0), ("tag=%00", 1), ("tag=vip%00", 1), ("q=%00ann", 1), ("after=%00", 1)],
)
def test_filters_that_mean_nothing_do_no_harm(
    people: People, now: datetime, as_member: Any, query: str, found: int
) -> None:
    make_contact(people.acme, now, first_name="Ann", tags=["vip"])
    page = as_member(people.bob).get(f"{reverse('contacts:list')}?{query}")
    assert page.status_code == 200
    assert len(page.context["rows"]) == found


@pytest.mark.parametrize(("channel", "kind"), [("email", "pewc_text"), ("sms", "email_optin"), ("voice", "pewc_text")])
def test_a_kind_of_consent_that_a_channel_does_not_have_is_not_noted(
    people: People, now: datetime, as_member: Any, channel: str, kind: str
) -> None:
    contact = make_contact(people.acme, now, consents=())
    as_member(people.bob).post(
        reverse("contacts:permission", args=[contact.public_id]),
        {"action": "give", "channel": channel, "kind": kind, "source": "by hand"},
    )
    assert not Consent.objects.all_tenants().exists()


@pytest.mark.parametrize("sort", ["name", "replied", "newest", "oldest"])
def test_an_export_goes_on_where_it_was_though_its_last_person_is_gone(
    people: People, now: datetime, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(exporting, "CHUNK", 2)
    made = [
        make_contact(people.acme, now, first_name=f"P{n}", email=f"p{n}@people.example", last_inbound_at=now)
        for n in range(5)
    ]
    pieces = contact_lines(people.acme.pk, Filters(sort=sort), now=now)
    text = next(pieces) + next(pieces)
    last = next(each for each in made if each.email == text.strip().splitlines()[-1].split(",")[3])
    with tenant_context(people.acme.pk):
        delete_contact(last, actor="test", now=now)
    text += "".join(pieces)
    assert [text.count(each.email) for each in made] == [1] * 5


@pytest.mark.parametrize("name", ['a"; filename="evil.exe', "Käufer „neu“", "plain"])
def test_a_file_is_named_as_its_list_whatever_signs_it_has(people: People, as_member: Any, name: str) -> None:
    from email.message import Message

    from tests.contacts.conftest import make_job

    job = make_job(people, file_name=f"{name}.csv", state="done")
    answer = as_member(people.bob).get(reverse("contacts:import_errors", args=[job.public_id]))
    told = Message()
    told["Content-Disposition"] = answer["Content-Disposition"]
    assert told.get_filename() == f"{name}-refused.csv"


def test_the_page_offers_for_each_channel_only_what_it_has(people: People, now: datetime, as_member: Any) -> None:
    contact = make_contact(people.acme, now, consents=())
    page = as_member(people.bob).get(contact.get_absolute_url())
    offered = {each.channel: [value for value, _ in each.kinds] for each in page.context["reach"]}
    assert offered == {
        "sms": ["inquiry", "prior_express", "pewc_text"],
        "email": ["inquiry", "prior_express", "email_optin"],
        "voice": ["inquiry", "prior_express", "pewc_artificial_voice"],
    }
    assert page.content.decode().count('value="pewc_text"') == 1


def test_a_consent_that_has_expired_is_not_shown_as_one_in_force(people: People, now: datetime, as_member: Any) -> None:
    contact = make_contact(people.acme, now, first_name="Ann", consents=("sms",))
    client, listed = as_member(people.bob), f"{reverse('contacts:list')}?consent=sms"
    for ends, state, found in ((real_now() + timedelta(days=1), "open", 1), (real_now(), "no_consent", 0)):
        Consent.objects.all_tenants().update(expires_at=ends)
        page = client.get(contact.get_absolute_url())
        assert {each.channel: each.state for each in page.context["reach"]}["sms"] == state
        assert len(client.get(listed).context["rows"]) == found
