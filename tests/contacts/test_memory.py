"""The conversation is written once, and the contact's row remembers what it amounts to."""

from datetime import datetime, timedelta

import pytest

from contacts.memory import histories, record_interaction, update_interaction
from contacts.models import Contact, Interaction
from contacts.variables import COLUMNS, NAMES, template_variables
from omnify.tenants.context import tenant_context
from tests.making import People, make_contact


def touch(contact: Contact, at: datetime, **changes: object) -> Interaction:
    given = {"channel": "sms", "direction": "outbound", "body": "Hello there", "outcome": "sent"}
    return record_interaction(tenant_id=contact.tenant_id, contact_id=contact.pk, at=at, **given | changes)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_the_contact_remembers_counts_times_and_last_words(people: People, now: datetime) -> None:
    contact = make_contact(people.acme, now)
    touch(contact, now)
    reply_at = now + timedelta(hours=1)
    touch(contact, reply_at, direction="inbound", body="Sounds good,\n how much?", outcome="replied", provider_id="SM1")
    contact.refresh_from_db()
    assert (contact.interaction_count, contact.inbound_count) == (2, 1)
    assert (contact.first_contacted_at, contact.last_outbound_at, contact.last_inbound_at) == (now, now, reply_at)
    assert contact.last_sms_reply == "Sounds good, how much?"
    assert contact.last_interaction_summary == "Texted us: Sounds good, how much?"


@pytest.mark.django_db
def test_what_arrives_late_is_counted_but_does_not_replace_later_words(people: People, now: datetime) -> None:
    contact = make_contact(people.acme, now)
    touch(contact, now, direction="inbound", body="the later words", provider_id="SM2")
    touch(contact, now - timedelta(days=2), direction="inbound", body="the earlier words", provider_id="SM1")
    contact.refresh_from_db()
    assert contact.last_sms_reply == "the later words"
    assert contact.last_inbound_at == now
    assert contact.first_contacted_at == now - timedelta(days=2)
    assert contact.inbound_count == 2


@pytest.mark.django_db
def test_the_same_inbound_event_is_stored_and_counted_once(people: People, now: datetime) -> None:
    contact = make_contact(people.acme, now)
    first = touch(contact, now, direction="inbound", provider_id="SM1")
    assert touch(contact, now, direction="inbound", provider_id="SM1") == first
    contact.refresh_from_db()
    assert contact.interaction_count == 1


@pytest.mark.django_db
def test_a_call_is_completed_when_its_report_comes(people: People, now: datetime) -> None:
    contact = make_contact(people.acme, now)
    call = touch(contact, now, channel="voice", body="", outcome="")
    with tenant_context(people.acme.pk):
        assert update_interaction(
            call.pk, outcome="answered", content_summary="Discussed pricing", call_duration_seconds=61
        )
        assert not update_interaction(call.pk + 1, outcome="answered")
    contact.refresh_from_db()
    assert contact.last_call_summary == "Discussed pricing"
    assert contact.last_interaction_summary == "We called: Discussed pricing"


@pytest.mark.django_db
def test_bytes_postgresql_cannot_hold_do_not_lose_the_message(people: People, now: datetime) -> None:
    contact = make_contact(people.acme, now)
    row = touch(contact, now, direction="inbound", body="yes\x00 please \ud800", provider_id="SM9")
    row.refresh_from_db()
    assert row.content_body == "yes  please ?"


@pytest.mark.django_db
def test_histories_of_many_people_cost_one_query(people: People, now: datetime, django_assert_num_queries) -> None:
    contacts = [make_contact(people.acme, now) for _ in range(3)]
    for contact in contacts[:2]:
        touch(contact, now, objections_raised=[{"type": "price"}], key_topics=["warranty"])
    with tenant_context(people.acme.pk), django_assert_num_queries(1):
        found = histories([contact.pk for contact in contacts])
    assert found[contacts[0].pk] == {"objections_history": [{"type": "price"}], "key_topics_history": ["warranty"]}
    assert contacts[2].pk not in found


def test_an_unknown_person_has_every_variable_and_none_is_false_only_by_being_empty(now: datetime) -> None:
    values = template_variables({}, now)
    assert set(values) == set(NAMES)
    # None, not an empty text: Liquid takes an empty text for true, and `{% if company %}` must not.
    assert "" not in values.values()
    assert not any(values[name] for name in NAMES)


def test_the_documents_variables_come_from_plain_columns(now: datetime) -> None:
    values = template_variables(
        {
            "first_name": "Ann",
            "last_name": "Lee",
            "company__name": "Acme",
            "interaction_count": 5,
            "first_contacted_at": now - timedelta(days=7, hours=1),
            "sentiment_trend": "warming",
            "custom_fields": {"roof": "slate"},
            "objections_history": [{"type": "price"}, "timing", {"type": "price"}],
            "key_topics_history": ["pricing"],
        },
        now,
    )
    assert (values["full_name"], values["company"], values["custom"]["roof"]) == ("Ann Lee", "Acme", "slate")
    assert (values["interaction_count"], values["days_since_first_contact"]) == (5, 7)
    assert values["objections_history"] == "price, timing"
    assert values["overall_sentiment"] == "warming"


@pytest.mark.django_db
def test_the_columns_named_for_the_engine_are_columns(people: People, now: datetime) -> None:
    make_contact(people.acme, now)
    with tenant_context(people.acme.pk):
        row = Contact.objects.values(*COLUMNS).get()
    assert template_variables(row, now)["phone"].startswith("+1212")
