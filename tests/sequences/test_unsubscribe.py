"""The link under a mail: looking changes nothing, one POST without cookies ends the mail."""

import re
from datetime import datetime

import pytest
from django.test import Client

from contacts.models import Contact, Suppression
from contacts.permissions import suppressed
from omnify.tenants.context import tenant_context
from sequences.models import Message
from sequences.unsubscribe import token_for
from sequences.views.unsubscribe import veiled
from tests.making import PASSWORD, People, make_contact, make_enrollment, make_senders, make_sequence
from tests.sequences.inbound.told import make_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailed(people: People, now: datetime) -> Message:
    contact = make_contact(people.acme, now, email="pat@people.example")
    enrollment = make_enrollment(make_sequence(people.acme, now), contact, now)
    return make_message(contact, make_senders(people.acme)["email"], now, enrollment=enrollment)


def closed(message: Message) -> bool:
    with tenant_context(message.tenant_id):
        return bool(suppressed(message.tenant_id, [("email", "pat@people.example")]))


@pytest.mark.as_web
def test_a_mail_program_unsubscribes_with_one_post_and_no_cookie(mailed: Message) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(f"/u/{token_for(mailed)}", {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "set-cookie" not in {name.lower() for name in answer.headers}
    assert closed(mailed)
    with tenant_context(mailed.tenant_id):
        mailed.enrollment.refresh_from_db()
    assert mailed.enrollment.status_reason == "opted_out"


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete", "patch"])
def test_whatever_is_no_post_changes_nothing(mailed: Message, client: Client, method: str) -> None:
    answer = getattr(client, method)(f"/u/{token_for(mailed)}")
    assert answer.status_code == (200 if method in ("get", "head") else 405)
    assert not closed(mailed)


def test_the_page_asks_names_the_sender_and_veils_the_mailbox(mailed: Message, client: Client) -> None:
    page = client.get(f"/u/{token_for(mailed)}").content.decode()
    assert "Acme will send no more mail to p•••@people.example." in page
    assert "pat@people.example" not in page
    assert '<form method="post"' in page
    assert not re.search(r"<script|style=|onclick", page)
    after = client.post(f"/u/{token_for(mailed)}").content.decode()
    assert "You are unsubscribed" in after
    assert "<form" not in client.get(f"/u/{token_for(mailed)}").content.decode()


def test_a_second_click_finds_it_done(mailed: Message, client: Client) -> None:
    for _ in range(2):
        assert client.post(f"/u/{token_for(mailed)}/").status_code == 200
    assert Suppression.objects.all_tenants().count() == 1


@pytest.mark.parametrize("spoil", [lambda token: token[:-1], lambda token: "x" + token, lambda token: "nonsense"])
def test_a_link_that_was_cut_or_changed_says_so_and_does_nothing(mailed: Message, client: Client, spoil) -> None:
    for ask in (client.get, client.post):
        answer = ask(f"/u/{spoil(token_for(mailed))}")
        assert answer.status_code == 404
        assert "This link does not work" in answer.content.decode()
    assert not closed(mailed)


def test_a_link_of_a_mail_that_is_gone_says_so(mailed: Message, client: Client) -> None:
    gone = Message(tenant_id=mailed.tenant_id)
    assert client.post(f"/u/{token_for(gone)}").status_code == 404


@pytest.mark.as_web
def test_it_works_for_somebody_logged_in_at_another_tenant(people: People, mailed: Message, client: Client) -> None:
    assert client.login(email=people.charlie.user.email, password=PASSWORD)
    assert client.post(f"/u/{token_for(mailed)}").status_code == 200
    assert closed(mailed)


def test_nobody_can_be_unsubscribed_with_the_token_of_another_purpose(mailed: Message, client: Client) -> None:
    from django.core import signing

    forged = signing.Signer(salt="something else").sign_object([mailed.tenant_id, mailed.public_id.hex])
    assert client.post(f"/u/{forged}").status_code == 404
    assert not closed(mailed)


@pytest.mark.parametrize(("address", "shown"), [("pat@a.example", "p•••@a.example"), ("@odd", "•••@odd")])
def test_a_mailbox_is_veiled(address: str, shown: str) -> None:
    assert veiled(address) == shown


def test_a_person_whose_mailbox_was_changed_since_is_taken_off_with_the_new_one(
    mailed: Message, client: Client
) -> None:
    with tenant_context(mailed.tenant_id):
        Contact.objects.filter(pk=mailed.contact_id).update(email="pat@new.example")
    client.post(f"/u/{token_for(mailed)}")
    with tenant_context(mailed.tenant_id):
        mailed.enrollment.refresh_from_db()
        pairs = [("email", "pat@people.example"), ("email", "pat@new.example")]
        assert suppressed(mailed.tenant_id, pairs) == set(pairs)
    assert mailed.enrollment.status_reason == "opted_out"
