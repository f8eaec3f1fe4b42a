"""What a person forbade holds for every contact with the address, at once and until they say otherwise themselves."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection, connections, transaction

from contacts.addresses import normalised, spellings
from contacts.locks import lock_contacts
from contacts.models import Consent, Suppression
from contacts.permissions import give_consent, lift, revoke_consent, suppress, suppressed
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from tests.making import People, make_contact

NUMBER = "+12125550123"


def stop(people: People, now: datetime, **changes: object) -> int:
    given = {"address": NUMBER, "channels": ("sms", "voice"), "reason": "opted_out", "source": "sms", "actor": "person"}
    return len(suppress(tenant_id=people.acme.pk, now=now, **given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("(212) 555-0123", NUMBER),
        ("212.555.0123", NUMBER),
        ("1 212 555 0123", NUMBER),
        (NUMBER, NUMBER),
        (" Pat@People.Example ", "pat@people.example"),
        ("+44 20 7946 0018", "+442079460018"),
        ("not a number", "notanumber"),
        ("+1２１２５５５０１２３", NUMBER),
        ("+١٢١٢٥٥٥٠١٢٣", NUMBER),
        ("+1 212 555 0123 ext. 7", NUMBER),
        ("Ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"),
        ("ann+news@people.example", "ann+news@people.example"),
        ("a.n.n@people.example", "a.n.n@people.example"),
        ("ann@STRASSE.example", "ann@strasse.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@i❤.example", "ann@xn--i-7iq.example"),
        ("+4402079460018", "+442079460018"),
        ("+390655501234", "+390655501234"),
        ("no@such..domain.ü", "no@such..domain.ü"),
    ],
)
def test_an_address_has_one_spelling(written: str, stored: str) -> None:
    assert normalised(written) == stored


@pytest.mark.parametrize("way", ["(212) 555-0123", "212-555-0123", "2125550123", "12125550123", "+1 212-555-0123"])
def test_the_common_ways_to_write_a_number_are_looked_for(way: str) -> None:
    assert way in spellings(NUMBER)


@pytest.mark.django_db
def test_a_stop_holds_for_three_contacts_with_the_number_in_two_formats(people: People, now: datetime) -> None:
    contacts = [
        make_contact(people.acme, now, phone=NUMBER),
        make_contact(people.acme, now, phone="(212) 555-0123"),
        make_contact(people.acme, now, alternative_phone=NUMBER),
    ]
    assert stop(people, now, address="212-555-0123") == 2
    told = Event.objects.all_tenants().filter(kind="contact.opted_out").values_list("subject_id", flat=True)
    assert set(told) == {contact.pk for contact in contacts}
    pairs = [("sms", NUMBER), ("voice", "(212) 555-0123"), ("sms", "+12125550199"), ("email", "pat@people.example")]
    assert suppressed(people.acme.pk, pairs) == set(pairs[:2])


@pytest.mark.django_db
def test_a_second_stop_changes_nothing_and_is_not_recorded_twice(people: People, now: datetime) -> None:
    make_contact(people.acme, now, phone=NUMBER)
    assert stop(people, now) == 2
    assert stop(people, now, channels=("sms",)) == 0
    assert Event.objects.all_tenants().filter(kind="contact.opted_out").count() == 1


@pytest.mark.django_db
def test_a_stop_to_one_tenant_is_none_of_anothers_business(people: People, now: datetime) -> None:
    stop(people, now)
    assert suppressed(people.charlie.tenant_id, [("sms", NUMBER)]) == set()


@pytest.mark.django_db
def test_start_lifts_an_opt_out_but_not_a_complaint(people: People, now: datetime) -> None:
    stop(people, now, channels=("sms",))
    stop(people, now, channels=("voice",), reason="complaint")
    assert lift(tenant_id=people.acme.pk, address=NUMBER, channels=("sms", "voice"), source="sms", now=now) == 1
    assert suppressed(people.acme.pk, [("sms", NUMBER), ("voice", NUMBER)]) == {("voice", NUMBER)}
    assert stop(people, now + timedelta(days=1), channels=("sms",)) == 1
    with tenant_context(people.acme.pk):
        assert Suppression.objects.filter(channel="sms").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 30])
def test_suppressions_of_many_cost_one_query(
    people: People, now: datetime, count: int, django_assert_num_queries
) -> None:
    stop(people, now)
    pairs = [("sms", f"+1212555{n:04d}") for n in range(count)] + [("sms", NUMBER)]
    with tenant_context(people.acme.pk), django_assert_num_queries(1):
        assert suppressed(people.acme.pk, pairs) == {("sms", NUMBER)}


@pytest.mark.django_db
def test_a_quote_with_a_nul_byte_is_stored_without_it(people: People, now: datetime) -> None:
    stop(people, now, quote="stop\x00 it " + "x" * 400)
    with tenant_context(people.acme.pk):
        quote = Suppression.objects.first().quote
    assert quote.startswith("stop  it")
    assert len(quote) == 300


@pytest.mark.django_db
def test_consent_is_given_once_and_revoked_by_channel(people: People, now: datetime) -> None:
    contact = make_contact(people.acme, now, consents=())
    with tenant_context(people.acme.pk):
        given = {"contact_id": contact.pk, "address": contact.phone, "channel": "sms", "kind": "pewc_text"}
        first = give_consent(**given, source="web form", now=now, actor="import")
        assert give_consent(**given, source="web form", now=now, actor="import") == first
        assert revoke_consent(contact_id=contact.pk, channel="voice", now=now, actor="person") == 0
        assert revoke_consent(contact_id=contact.pk, channel="sms", now=now, actor="person") == 1
        assert Consent.objects.get().revoked_at == now
        assert give_consent(**given, source="web form", now=now, actor="import") != first


@pytest.mark.django_db(transaction=True)
def test_a_stop_waits_for_a_claim_that_holds_the_person_and_then_wins(people: People, now: datetime) -> None:
    """The claim and the opt-out take the same row lock: whoever comes second sees what the first has done."""
    contact = make_contact(people.acme, now, phone=NUMBER)
    claimed, done = threading.Event(), []

    def opt_out() -> None:
        claimed.wait(10)
        done.append(stop(people, now))
        connections.close_all()

    thread = threading.Thread(target=opt_out)
    thread.start()
    with transaction.atomic(), tenant_context(people.acme.pk):
        lock_contacts([contact.pk])
        claimed.set()
        deadline = datetime.now() + timedelta(seconds=10)
        waiting = 0
        while not waiting and datetime.now() < deadline:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"
                )
                waiting = cursor.fetchone()[0]
        assert waiting
        assert done == []
        assert suppressed(people.acme.pk, [("sms", NUMBER)]) == set()
    thread.join(10)
    assert done == [2]
    assert suppressed(people.acme.pk, [("sms", NUMBER)]) == {("sms", NUMBER)}


@pytest.mark.django_db
def test_a_complaint_after_a_stop_is_no_longer_lifted_by_start(people: People, now: datetime) -> None:
    assert stop(people, now) == 2
    assert stop(people, now, reason="complaint", channels=("sms", "voice", "email")) == 1
    later = now + timedelta(hours=1)
    assert lift(tenant_id=people.acme.pk, address=NUMBER, channels=("sms", "voice"), source="sms", now=later) == 0
    assert suppressed(people.acme.pk, [("sms", NUMBER), ("voice", NUMBER)]) == {("sms", NUMBER), ("voice", NUMBER)}
    assert stop(people, now) == 0
    kept = Suppression.objects.all_tenants().filter(channel="sms").values_list("reason", "lifted_by").order_by("pk")
    assert list(kept) == [("opted_out", "complaint"), ("complaint", "")]


@pytest.mark.django_db
def test_nothing_is_forbidden_to_an_address_that_is_none(people: People, now: datetime) -> None:
    make_contact(people.acme, now, phone="")
    assert stop(people, now, address=" ") == 0
    assert not Suppression.objects.all_tenants().exists()


@pytest.mark.django_db
def test_what_was_forbidden_in_letters_holds_for_the_same_mailbox_in_ascii(people: People, now: datetime) -> None:
    """A list's cleaned address and the address as the person's own mail program writes it are one mailbox."""
    stop(people, now, address="ann@bücher.example", channels=("email",))
    asked = ("email", "ann@xn--bcher-kva.example")
    assert suppressed(people.acme.pk, [asked]) == {asked}
