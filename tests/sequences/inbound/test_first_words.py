"""Two first texts from one unknown number, read by two workers at the same moment: one contact, both texts."""

import threading
from datetime import datetime

import pytest
from django.db import connections

from contacts.models import Contact, Interaction
from sequences import inbound, matching
from tests.making import People, make_senders
from tests.sequences.inbound.told import mail, text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_two_first_words_at_once_make_one_contact(
    people: People, now: datetime, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    senders = make_senders(people.acme)
    make = {
        "sms": lambda n: text(senders["sms"], now, "+13105550199", f"hello {n}"),
        "email": lambda n: mail(senders["email"], now, "new@people.example", f"hello {n}"),
    }[channel]
    events = [make(n) for n in range(4)]
    together = threading.Barrier(4)
    known = matching.newcomer

    def at_once(*args: object, **given: object) -> object:
        together.wait(10)  # all four have found nobody
        return known(*args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(matching, "newcomer", at_once)
    states: list[str | None] = []

    def work(event_id: int) -> None:
        states.append(inbound.apply(event_id, now, tenant_id=people.acme.pk))
        connections.close_all()

    threads = [threading.Thread(target=work, args=(event.pk,)) for event in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert states == ["done"] * 4
    contact = Contact.objects.all_tenants().get()
    assert Interaction.objects.all_tenants().filter(contact=contact, direction="inbound").count() == 4
    assert contact.inbound_count == 4
