"""The page behind the second link under a mail: a person sees what is open, stops what they like, and opens only what is theirs."""

import re
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from django.test import Client

from contacts.models import Contact, Suppression
from contacts.permissions import suppress, suppressed
from omnify.tenants.context import tenant_context
from sequences.models import Message
from sequences.unsubscribe import preferences_link_for, token_for
from tests.making import PASSWORD, People, make_contact, make_enrollment, make_senders, make_sequence
from tests.sequences.inbound.told import make_message

pytestmark = pytest.mark.django_db

MAIL, PHONE = "pat@people.example", "+12125550123"
PAIRS = [("email", MAIL), ("sms", PHONE), ("voice", PHONE)]


@pytest.fixture
def mailed(people: People, now: datetime) -> Message:
    contact = make_contact(people.acme, now, email=MAIL, phone=PHONE)
    enrollment = make_enrollment(make_sequence(people.acme, now), contact, now)
    senders = make_senders(people.acme)
    for n, channel in enumerate(("sms", "voice"), 1):
        make_message(
            contact, senders[channel], now, enrollment=enrollment, visit=n, state="ready", provider="", provider_id="", status_rank=0
        )  # fmt: skip
    return make_message(contact, senders["email"], now, enrollment=enrollment, visit=9)


def page_of(message: Message) -> str:
    return f"/p/{token_for(message)}"


def closed(message: Message) -> set[str]:
    return {channel for channel, _ in suppressed(message.tenant_id, PAIRS)}


def close(message: Message, now: datetime, **changes: object) -> None:
    given = {"address": MAIL, "channels": ("email",), "reason": "opted_out", "source": "email", "actor": "person"}
    suppress(tenant_id=message.tenant_id, now=now, **given | changes)  # type: ignore[arg-type]


def test_the_page_shows_what_is_open_and_veils_the_addresses(mailed: Message, client: Client) -> None:
    page = client.get(page_of(mailed)).content.decode()
    assert "p•••@people.example" in page
    assert "•••• 23" in page
    assert MAIL not in page
    assert PHONE not in page
    assert re.findall(r'name="stop" value="(\w+)"', page) == ["email", "sms", "voice", "all"]
    assert not re.search(r"<script|style=|onclick|csrf", page)


@pytest.mark.as_web
@pytest.mark.parametrize("channel", ["email", "sms", "voice"])
def test_one_channel_is_stopped_and_the_others_go_on(mailed: Message, channel: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(page_of(mailed), {"stop": channel})
    assert answer.status_code == 200
    assert "set-cookie" not in {name.lower() for name in answer.headers}
    assert closed(mailed) == {channel}
    with tenant_context(mailed.tenant_id):
        mailed.enrollment.refresh_from_db()
        waiting = dict(Message.objects.filter(visit__lt=9).values_list("channel", "state"))
    assert mailed.enrollment.status == "active"
    assert waiting == {each: "cancelled" if each == channel else "ready" for each in ("sms", "voice")}


def test_stopping_everything_ends_the_sequences_too(mailed: Message, client: Client) -> None:
    page = client.post(page_of(mailed), {"stop": "all"}).content.decode()
    assert closed(mailed) == {"email", "sms", "voice"}
    assert "Everything has stopped." in page
    assert 'value="all"' not in page
    with tenant_context(mailed.tenant_id):
        mailed.enrollment.refresh_from_db()
        assert set(Message.objects.filter(visit__lt=9).values_list("state", "state_reason")) == {
            ("cancelled", "opted_out")
        }
    assert mailed.enrollment.status_reason == "opted_out"


def test_what_they_closed_themselves_they_open_again_and_only_this_mailbox(mailed: Message, client: Client) -> None:
    client.post(page_of(mailed), {"stop": "all"})
    page = client.post(page_of(mailed), {"open": "email"}).content.decode()
    assert "You will get mail again." in page
    assert closed(mailed) == {"sms", "voice"}
    assert "Text START from this phone" in page
    with tenant_context(mailed.tenant_id):
        mailed.enrollment.refresh_from_db()
    assert mailed.enrollment.status_reason == "opted_out"


@pytest.mark.parametrize("channel", ["sms", "voice", "all", "nonsense", ""])
def test_no_telephone_is_opened_from_a_mail(mailed: Message, client: Client, channel: str) -> None:
    client.post(page_of(mailed), {"stop": "all"})
    client.post(page_of(mailed), {"open": channel})
    assert closed(mailed) == {"email", "sms", "voice"}


@pytest.mark.parametrize(
    ("changes", "opens"),
    [
        ({}, True),
        ({"source": "sms"}, True),
        ({"source": "preferences"}, True),
        ({"reason": "complaint"}, False),
        ({"source": "member", "reason": "asked_us"}, False),
        ({"source": "import"}, False),
        ({"source": "provider"}, False),
    ],
)
def test_only_their_own_words_can_be_taken_back(
    mailed: Message, client: Client, now: datetime, changes: dict[str, str], opens: bool
) -> None:
    close(mailed, now, **changes)
    assert ('name="open"' in client.get(page_of(mailed)).content.decode()) is opens
    client.post(page_of(mailed), {"open": "email"})
    assert (closed(mailed) == set()) is opens


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete", "patch"])
@pytest.mark.parametrize("path", ["/p/", "/u/"])
def test_whatever_is_no_post_changes_nothing_on_either_page(
    mailed: Message, client: Client, now: datetime, method: str, path: str
) -> None:
    close(mailed, now)
    before = list(Suppression.objects.all_tenants().values())
    for query in ("", "?stop=all", "?open=email", "?List-Unsubscribe=One-Click"):
        answer = getattr(client, method)(f"{path}{token_for(mailed)}{query}")
        assert answer.status_code == (200 if method in ("get", "head") else 405)
    assert list(Suppression.objects.all_tenants().values()) == before


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Barracuda Sentinel)",
        "SafeLinks",
        "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
        "curl/8",
    ],
)
def test_a_scanner_that_follows_every_link_of_a_mail_changes_nothing(mailed: Message, agent: str) -> None:
    scanner = Client(headers={"user-agent": agent})
    page = scanner.get(urlsplit(preferences_link_for(mailed)).path)
    links = re.findall(r'href="(/[^"]*)"', page.content.decode())
    links += re.findall(r'href="(/[^"]*)"', scanner.get(f"/u/{token_for(mailed)}").content.decode())
    for link in [*links, f"/u/{token_for(mailed)}", page_of(mailed)]:
        scanner.head(link)
        scanner.get(link, follow=True)
    assert closed(mailed) == set()


@pytest.mark.parametrize("token", ["nonsense", "x.y.z", "W10:abc"])
def test_a_link_that_is_none_is_answered_kindly(client: Client, token: str) -> None:
    for ask in (client.get, client.post):
        answer = ask(f"/p/{token}/")
        assert answer.status_code == 404
        assert "This link does not work" in answer.content.decode()


def test_a_link_of_a_mail_that_is_gone_is_answered_kindly(mailed: Message, client: Client) -> None:
    gone = Message(tenant_id=mailed.tenant_id)
    assert client.post(page_of(gone), {"stop": "all"}).status_code == 404
    assert Suppression.objects.all_tenants().count() == 0


def test_a_deleted_persons_link_still_stops_the_mail(mailed: Message, client: Client, now: datetime) -> None:
    with tenant_context(mailed.tenant_id):
        Contact.objects.filter(pk=mailed.contact_id).update(deleted_at=now, phone="", email="")
    page = client.post(page_of(mailed), {"stop": "email"}).content.decode()
    assert "Texts" not in page
    assert "email" in closed(mailed)


@pytest.mark.as_web
def test_it_works_for_somebody_logged_in_at_another_tenant(people: People, mailed: Message, client: Client) -> None:
    assert client.login(email=people.charlie.user.email, password=PASSWORD)
    assert client.post(page_of(mailed), {"stop": "sms"}).status_code == 200
    assert closed(mailed) == {"sms"}
