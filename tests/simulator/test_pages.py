"""The page "Phone", as the web role, against a real simulator process."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from contacts.models import Contact
from omnify.simulator import pages
from omnify.simulator.running import RunningSimulator
from omnify.simulator.wiring import simulated_accounts
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences.models import Message, Sender
from tests.making import People, make_contact, make_member, make_senders
from tests.simulator.conftest import Hooks

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


class Wire:
    """A tenant's messages on their way to the simulator."""

    def __init__(self, sim: RunningSimulator, now: datetime) -> None:
        self.sim, self.now = sim, now

    def connect(self, tenant: Tenant) -> dict[str, Sender]:
        senders = make_senders(tenant)
        with tenant_context(tenant.pk):
            Sender.objects.filter(channel="sms").update(address=f"+1500555{tenant.pk % 10000:04d}")
            self.sim.client.configure(simulated_accounts())
            senders["sms"].refresh_from_db()
        return senders

    def text(self, sender: Sender, contact: Contact, body: str) -> None:
        with tenant_context(contact.tenant_id):
            message = Message.objects.create(
                contact=contact, sender=sender, channel="sms", to_address=contact.phone, body=body, state="accepted",
                state_at=self.now, created_at=self.now, not_before=self.now, expires_at=self.now,
            )  # fmt: skip
        sid = sender.config["account_sid"]
        answer = httpx.post(
            f"{self.sim.base_url}/twilio/api.twilio.com/2010-04-01/Accounts/{sid}/Messages.json",
            auth=(sid, sender.credentials["auth_token"]),
            data={
                "To": contact.phone, "From": sender.address, "Body": body,
                "StatusCallback": f"http://127.0.0.1:9/hooks/twilio/{sender.webhook_key}/status/{message.public_id}",
            },
            trust_env=False,
        )  # fmt: skip
        assert answer.status_code == 201, answer.text

    def mail(self, sender: Sender, contact: Contact, subject: str, html: str) -> None:
        with tenant_context(contact.tenant_id):
            message = Message.objects.create(
                contact=contact, sender=sender, channel="email", to_address=contact.email, body=subject,
                state="accepted", state_at=self.now, created_at=self.now, not_before=self.now, expires_at=self.now,
            )  # fmt: skip
        import smtplib
        from email.message import EmailMessage

        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = f"Acme <{sender.address}>", contact.email, subject
        letter["Message-ID"] = f"<{message.public_id}@acme.example>"
        letter.set_content("plain words")
        letter.add_alternative(html, subtype="html")
        with smtplib.SMTP("127.0.0.1", self.sim.smtp_port, timeout=10) as server:
            server.send_message(letter)


@pytest.fixture
def wire(people: People, sim: RunningSimulator, hooks: Hooks, settings: Any, now: datetime) -> Iterator[Wire]:
    settings.SIMULATOR_URL = sim.base_url
    settings.PUBLIC_URL = hooks.url("")
    yield Wire(sim, now)
    assert sim.client.settled()


@pytest.fixture
def alice(people: People, client: Client) -> Client:
    client.force_login(people.alice.user)
    return client


def url(name: str, contact: Contact, **more: Any) -> str:
    return reverse(f"phone:{name}", kwargs={"public_id": contact.public_id, **more})


def test_a_handset_shows_what_arrived_and_says_that_it_is_simulated(wire: Wire, people: People, alice: Client) -> None:
    senders, contact = wire.connect(people.acme), make_contact(people.acme, wire.now, first_name="Maya")
    wire.text(senders["sms"], contact, "Hi Maya, shall we talk?")
    page = alice.get(url("handset", contact)).content.decode()
    assert "Hi Maya, shall we talk?" in page
    assert "simulated handset: nothing leaves this machine" in page
    assert "style=" not in page
    assert "Maya" in alice.get(reverse("phone:list")).content.decode()


def test_an_answer_reaches_omnifys_webhook_and_the_page_says_so(
    wire: Wire, people: People, alice: Client, hooks: Hooks
) -> None:
    senders, contact = wire.connect(people.acme), make_contact(people.acme, wire.now)
    wire.text(senders["sms"], contact, "Hello")
    response = alice.post(url("reply", contact), {"channel": "sms", "body": "sounds good, how much?"}, follow=True)
    assert "Omnify&#x27;s webhook took it (200)" in response.content.decode()
    assert "sounds good, how much?" in response.content.decode()
    (hit,) = hooks.at(f"/hooks/twilio/{senders['sms'].webhook_key}/inbound")
    assert (hit.form["Body"], hit.form["From"], hit.form["To"]) == (
        "sounds good, how much?",
        contact.phone,
        senders["sms"].address,
    )


def test_a_person_may_write_first(wire: Wire, people: People, alice: Client, hooks: Hooks) -> None:
    senders, contact = wire.connect(people.acme), make_contact(people.acme, wire.now)
    alice.post(url("reply", contact), {"channel": "sms", "body": "are you open today?"})
    (hit,) = hooks.at(f"/hooks/twilio/{senders['sms'].webhook_key}/inbound")
    assert hit.form["To"] == senders["sms"].address


def test_a_mail_is_shown_in_a_locked_frame_and_can_be_answered(
    wire: Wire, people: People, alice: Client, hooks: Hooks
) -> None:
    senders, contact = wire.connect(people.acme), make_contact(people.acme, wire.now)
    wire.mail(senders["email"], contact, "The details", "<p>Hello</p><script>alert(1)</script>")
    page = alice.get(url("handset", contact))
    assert "The details" in page.content.decode()
    (bubble,) = page.context["bubbles"]
    frame = alice.get(url("mail", contact, seq=bubble.seq))
    assert "<p>Hello</p>" in frame.content.decode()
    assert frame["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    response = alice.post(url("reply", contact), {"channel": "email", "body": "Who looks after us?"}, follow=True)
    assert "webhook took it" in response.content.decode()
    inbound = [hit for hit in hooks.at(f"/hooks/postmark/{senders['email'].webhook_key}") if "TextBody" in hit.json]
    assert "Who looks after us?" in inbound[0].json["TextBody"]


def test_an_answer_that_nobody_takes_is_said_to_be_lost(
    wire: Wire, people: People, alice: Client, hooks: Hooks
) -> None:
    senders, contact = wire.connect(people.acme), make_contact(people.acme, wire.now)
    hooks.answers[f"/hooks/twilio/{senders['sms'].webhook_key}/inbound"] = [(503, "")]
    response = alice.post(url("reply", contact), {"channel": "sms", "body": "hello?"}, follow=True)
    assert "webhook answered 503" in response.content.decode()


def test_what_the_simulator_cannot_do_is_said_in_its_words(wire: Wire, people: People, alice: Client) -> None:
    wire.connect(people.acme)
    contact = make_contact(people.acme, wire.now)
    response = alice.post(url("reply", contact), {"channel": "email", "body": "Hello"}, follow=True)
    assert "no such mail to answer" in response.content.decode()
    response = alice.post(url("reply", contact), {"channel": "sms", "body": " "})
    assert response.status_code == 422
    assert "Type an answer first." in response.content.decode()


def test_two_tenants_with_the_same_person_never_see_each_others_words(
    wire: Wire, people: People, alice: Client, number: Callable[[], str]
) -> None:
    phone = number()
    ours, theirs = wire.connect(people.acme), wire.connect(people.charlie.tenant)
    contact = make_contact(people.acme, wire.now, phone=phone)
    other = make_contact(people.charlie.tenant, wire.now, phone=phone)
    wire.text(ours["sms"], contact, "from acme")
    wire.text(theirs["sms"], other, "from the stranger")
    wire.sim.client.reply(phone, "sms", "to the stranger", to=theirs["sms"].address)
    page = alice.get(url("handset", contact)).content.decode()
    assert "from acme" in page
    assert "stranger" not in page
    assert "to the stranger" not in page
    listed = alice.get(reverse("phone:list")).content.decode()
    assert "the stranger" not in listed


@pytest.mark.parametrize("name", ["handset", "reply", "temperament", "read"])
def test_a_strangers_handset_does_not_exist(wire: Wire, people: People, alice: Client, name: str) -> None:
    contact = make_contact(people.charlie.tenant, wire.now)
    call = alice.get if name == "handset" else alice.post
    assert call(url(name, contact)).status_code == 404


def test_only_people_of_the_tenant_are_listed(wire: Wire, people: People, alice: Client) -> None:
    make_contact(people.acme, wire.now, first_name="Ours")
    make_contact(people.charlie.tenant, wire.now, first_name="Theirs")
    page = alice.get(reverse("phone:list")).content.decode()
    assert "Ours" in page
    assert "Theirs" not in page
    assert "Ours" not in alice.get(reverse("phone:list"), {"q": "nobody"}).content.decode()


def test_a_temperament_is_set_on_number_and_mailbox(wire: Wire, people: People, alice: Client) -> None:
    contact = make_contact(people.acme, wire.now)
    alice.post(url("temperament", contact), {"temperament": "voicemail"})
    for address in (contact.phone, contact.email):
        assert wire.sim.client.thread(address)["temperament"] == "voicemail"
    alice.post(url("temperament", contact), {"temperament": "saintly"})
    assert wire.sim.client.thread(contact.phone)["temperament"] == "voicemail"


def test_a_handset_without_news_is_not_drawn_again(wire: Wire, people: People, alice: Client) -> None:
    senders, contact = wire.connect(people.acme), make_contact(people.acme, wire.now)
    state = alice.get(url("handset", contact)).context["state"]
    assert alice.get(url("handset", contact), {"have": state}).status_code == 204
    wire.text(senders["sms"], contact, "News")
    fragment = alice.get(url("handset", contact), {"have": state})
    assert "News" in fragment.content.decode()
    assert "<html" not in fragment.content.decode()


def test_looking_changes_nothing_and_reading_is_a_post(wire: Wire, people: People, alice: Client) -> None:
    senders, contact = wire.connect(people.acme), make_contact(people.acme, wire.now)
    wire.text(senders["sms"], contact, "Hello")
    alice.get(url("handset", contact))
    assert wire.sim.client.thread(contact.phone)["unread"] == 1
    assert alice.get(url("read", contact)).status_code == 405
    assert alice.post(url("read", contact)).status_code == 204
    assert wire.sim.client.thread(contact.phone)["unread"] == 0


def test_there_is_no_phone_for_viewers_nor_for_a_tenant_that_sends_for_real(
    wire: Wire, people: People, client: Client
) -> None:
    client.force_login(make_member(people.acme, "vera", "viewer").user)
    assert client.get(reverse("phone:list")).status_code == 403
    client.force_login(people.alice.user)
    with tenant_context(people.acme.pk):
        Tenant.objects.filter(pk=people.acme.pk).update(sending_mode="live")
    assert client.get(reverse("phone:list")).status_code == 404


def test_a_silent_simulator_is_said_to_be_silent(people: People, alice: Client, settings: Any) -> None:
    settings.SIMULATOR_URL = "http://127.0.0.1:9"
    response = alice.get(reverse("phone:list"))
    assert response.status_code == 503
    assert "The simulator does not answer" in response.content.decode()


def test_no_transaction_of_the_request_is_open_while_the_simulator_is_asked(
    wire: Wire, people: People, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    depths = []
    ask = pages.SimulatorClient._ask

    def watching(self: Any, *args: Any, **options: Any) -> Any:
        depths.append(len(connection.savepoint_ids))
        return ask(self, *args, **options)

    before = len(connection.savepoint_ids)
    monkeypatch.setattr(pages.SimulatorClient, "_ask", watching)
    alice.get(reverse("phone:list"))
    alice.post(url("temperament", make_contact(people.acme, wire.now)), {"temperament": "busy"})
    assert depths == [before] * len(depths)
    assert len(depths) == 3
