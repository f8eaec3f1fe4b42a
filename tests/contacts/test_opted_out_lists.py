"""A list neither opens what a person closed, nor closes anything while a text to them is being claimed."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from contacts.importing import passes
from contacts.locks import lock_addresses, until_it_is_done
from contacts.models import Contact, ImportJob
from contacts.permissions import suppress, suppressed
from omnify.tenants.context import tenant_context
from sequences.claiming import Claim, claim_one
from sequences.models import Message
from tests.making import People, make_contact, make_senders

NUMBER = "+12125550123"
LIST = "First name,Email,Phone,SMS consent\nPat,pat@people.example,(212) 555-0123,yes\n"
STATED = {"basis": "column", "source": "Sign-up form"}
PAIRS = [("sms", NUMBER), ("voice", NUMBER), ("email", "pat@people.example")]


@pytest.mark.django_db
@pytest.mark.parametrize("known", [True, False])
def test_a_list_with_everybodys_consent_opens_nothing(
    people: People, now: datetime, imported: Callable[..., ImportJob], known: bool
) -> None:
    if known:
        make_contact(people.acme, now, phone=NUMBER, email="pat@people.example", consents=())
    for channel, address in PAIRS:
        suppress(
            tenant_id=people.acme.pk, address=address, channels=(channel,), reason="opted_out", source="sms", now=now, actor="person"
        )  # fmt: skip
    assert imported(LIST, consent=STATED).state == "done"
    assert suppressed(people.acme.pk, PAIRS) == set(PAIRS)


def ready(people: People, now: datetime, **fields: Any) -> Message:
    contact = make_contact(people.acme, now, phone=NUMBER)
    with tenant_context(people.acme.pk):
        return Message.objects.create(
            contact=contact, channel="sms", sender=make_senders(people.acme)["sms"], to_address=NUMBER, body="Hello",
            state_at=now, created_at=now, not_before=now, expires_at=now.replace(hour=20), **fields,
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("many", [False, True])
def test_no_text_is_claimed_to_an_address_that_is_being_closed(people: People, now: datetime, many: bool) -> None:
    message = ready(people, now)
    addresses = [NUMBER] if not many else [f"+1212556{n:04d}" for n in range(300)]
    closing, over = threading.Event(), threading.Event()

    def close() -> None:
        with tenant_context(people.acme.pk), transaction.atomic():
            lock_addresses(addresses)
            closing.set()
            over.wait(10)
        connections.close_all()

    thread = threading.Thread(target=close)
    thread.start()
    assert closing.wait(10)
    assert claim_one("sms", people.acme.pk, now) is None
    over.set()
    thread.join(10)
    found = claim_one("sms", people.acme.pk, now)
    assert isinstance(found, Claim)
    assert found.id == message.pk


@pytest.mark.django_db(transaction=True)
def test_closing_an_address_waits_for_the_claim_under_way(people: People, now: datetime) -> None:
    """Even where nobody has the address any more when the opt-out looks for its holders."""
    message = ready(people, now)
    closed: list[list[str]] = []

    def stop() -> None:
        closed.append(
            suppress(
                tenant_id=people.acme.pk, address=NUMBER, channels=("sms",), reason="opted_out", source="sms", now=now, actor="person"
            )
        )  # fmt: skip
        connections.close_all()

    with tenant_context(people.acme.pk):
        Contact.objects.filter(pk=message.contact_id).update(phone="+12125550199")
    with transaction.atomic():
        assert isinstance(claim_one("sms", people.acme.pk, now), Claim)
        thread = threading.Thread(target=stop)
        thread.start()
        waiting = 0
        for _ in range(2_000):
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
                waiting = cursor.fetchone()[0]
            if waiting:
                break
        assert waiting
        assert closed == []
    thread.join(10)
    assert closed == [["sms"]]


@pytest.mark.django_db
def test_an_import_at_work_is_not_somebody_closing_addresses(
    people: People, now: datetime, imported: Callable[..., ImportJob]
) -> None:
    imported(LIST, consent=STATED)
    assert passes.import_at_work() is False
    message = ready(people, now)
    found = claim_one("sms", people.acme.pk, now)
    assert isinstance(found, Claim)
    assert found.id == message.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("lost", "tries"), [(0, 3), (2, 3), (3, 3)])
def test_a_request_that_lost_a_deadlock_is_done_again(people: People, lost: int, tries: int) -> None:
    done: list[int] = []

    def work() -> str:
        done.append(1)
        if len(done) <= lost:
            raise OperationalError("deadlock detected")
        return "done"

    if lost < tries:
        assert until_it_is_done(work, tries=tries) == "done"
    else:
        with pytest.raises(OperationalError):
            until_it_is_done(work, tries=tries)
    assert len(done) == min(lost + 1, tries)


@pytest.mark.django_db
def test_inside_a_transaction_nothing_is_done_again(people: People) -> None:
    done: list[int] = []

    def work() -> None:
        done.append(1)
        raise OperationalError("deadlock detected")

    with pytest.raises(OperationalError):
        until_it_is_done(work)
    assert len(done) == 1
