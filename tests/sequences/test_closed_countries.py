"""Before people are enrolled they are told how many of them no message would ever go to, because their country has no rules."""

import pytest
from django.urls import reverse

from omnify.tenants.context import tenant_context
from sequences.closedplaces import Closed, Place, closed_to
from tests.making import make_contact, make_sequence

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("uses", "places", "expected"),
    [
        (("sms",), ["DE"], ["DE"]),
        (("email",), ["DE"], ["DE"]),
        (("sms", "email", "voice"), ["DE"], ["DE"]),
        (("sms",), ["US-NY"], []),
        (("sms", "email"), ["GB"], []),
        (("sms",), [], []),  # nobody knows where: the strictest hours, but hours
        (("sms",), ["US-NY", "DE"], ["DE"]),  # may be in either, so both must be open
        (("sms",), ["DE", "FR"], ["DE", "FR"]),
        (("voice",), ["US-ME"], ["US-ME"]),  # forbids the artificial voice
        (("voice", "email"), ["US-ME"], []),
        (("task",), ["DE"], []),
    ],
)
def test_a_place_is_closed_when_no_channel_of_the_sequence_is_open_there(people, now, uses, places, expected) -> None:
    sequence = make_sequence(people.acme, now, *({"kind": kind, "name": "Do"} for kind in uses))
    contact = make_contact(people.acme, now, places=places)
    with tenant_context(people.acme.pk):
        found = closed_to(sequence, [contact.pk], now)
    assert sorted(place.code for place in found.places) == expected
    assert found.people == bool(expected)


def test_people_are_counted_by_country_the_most_first(people, now, django_assert_num_queries) -> None:
    sequence = make_sequence(people.acme, now)
    wanted = ["DE", "FR", "DE", "US-NY", "DE"]
    ids = [make_contact(people.acme, now, places=[place]).pk for place in wanted]
    make_contact(people.acme, now, places=["ES"])  # not chosen
    with tenant_context(people.acme.pk):
        with django_assert_num_queries(2):
            found = closed_to(sequence, ids, now)
        with django_assert_num_queries(0):
            nobody = closed_to(sequence, [], now)
    assert found == Closed(4, (Place("DE", "Germany", 3), Place("FR", "France", 1)))
    assert nobody == Closed(0, ())


def test_the_page_says_how_many_before_anybody_is_enrolled(people, client, now) -> None:
    sequence = make_sequence(people.acme, now)
    for place in ("DE", "DE", "US-NY"):
        make_contact(people.acme, now, places=[place], tags=["all"])
    client.force_login(people.alice.user)
    text = client.get(
        reverse("sequences:enroll", args=[sequence.public_id]), {"who": "tag", "tag": "all"}
    ).content.decode()
    assert "Nothing will be sent to 2 of those who are ready." in text
    assert f'href="{reverse("sequences:rules")}?place=DE">Germany</a> 2' in text


def test_the_page_says_nothing_where_everybody_can_be_reached(people, client, now) -> None:
    sequence = make_sequence(people.acme, now)
    make_contact(people.acme, now, places=["US-NY"], tags=["all"])
    client.force_login(people.alice.user)
    text = client.get(
        reverse("sequences:enroll", args=[sequence.public_id]), {"who": "tag", "tag": "all"}
    ).content.decode()
    assert "Ready" in text
    assert "Nothing will be sent" not in text
