"""The Operations page and the held messages: who sees what, what the switches do, and that every page says so."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Tenant, User
from sequences import vitals
from sequences.models import Message, Polling, ProviderEvent, SendEpoch, Sender, Switch
from tests.everything import make_everything
from tests.making import People, make_contact, make_member, make_senders

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]

PAGE = "/operations/"


def client_of(member: Any) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def staff(people: People) -> Client:
    """Bob: an agent of Acme, and staff of the installation."""
    User.objects.filter(pk=people.bob.user_id).update(is_staff=True)
    return client_of(people.bob)


def held_message(people: People, now: datetime, **fields: Any) -> Message:
    contact = make_contact(people.acme, now)
    with tenant_context(people.acme.pk):
        message: Message = Message.objects.create(
            **{
                "contact": contact, "channel": "sms", "to_address": contact.phone, "body": "The very words", "state": "held",
                "state_reason": "no_proof", "state_at": now, "created_at": now, "not_before": now, "sending_started_at": now,
                "expires_at": now + timedelta(days=3650), "provider": "twilio", "lookups": 1,
            } | fields
        )  # fmt: skip
    return message


def state_of(message: Message) -> str:
    with tenant_context(message.tenant_id):
        return str(Message.objects.get(pk=message.pk).state)


def events_of(people: People, kind: str) -> int:
    with tenant_context(people.acme.pk):
        return Event.objects.filter(kind=kind).count()


# Operations


def test_managers_see_their_own_part_and_staff_the_whole(people: People, now: datetime, staff: Client) -> None:
    make_everything(people.alice, now, "Oursword")
    make_everything(people.charlie, now, "Theirsword")
    owner = client_of(people.alice).get(PAGE).content.decode()
    assert "Acme" in owner
    assert "Oursword sender" in owner
    assert "Theirsword" not in owner
    assert "Switches for everybody" not in owner
    whole = staff.get(PAGE).content.decode()
    assert "Switches for everybody" in whole
    assert "The pulse has never beaten here." in whole
    assert "Oursword" not in whole, "an agent who is staff sees no tenant's part"


def test_a_viewer_and_a_stranger_to_the_house_see_nothing(people: People, client: Client) -> None:
    assert client_of(make_member(people.acme, "vera", "viewer")).get(PAGE).status_code == 403
    assert client.get(PAGE).status_code == 302


def test_it_is_renewed_by_htmx_with_its_own_part_alone(staff: Client) -> None:
    renewed = staff.get(PAGE, headers={"HX-Request": "true"})
    assert renewed.status_code == 200
    body = renewed.content.decode()
    assert body.strip().startswith('<div class="stack-wide" id="vitals"')
    assert "every 10s" in body
    assert "<html" not in body
    assert "Switches for everybody" not in body, "a reason that is being typed must not be swapped away"
    assert "no-store" in renewed["Cache-Control"]


def test_the_page_costs_the_same_however_much_there_is(
    people: People, now: datetime, staff: Client, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    owner = client_of(people.alice)
    make_senders(people.acme)
    owner.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        owner.get(PAGE)
    with tenant_context(people.acme.pk):
        for sender in Sender.objects.all():
            Polling.objects.create(sender=sender, kind="status", problem="It said no.")
            Sender.objects.filter(pk=sender.pk).update(paused_until=now + timedelta(days=3650))
    for _ in range(15):
        held_message(people, now)
    with django_assert_num_queries(len(few)):
        body = owner.get(PAGE).content.decode()
    assert "15 held for a decision" in body
    assert "It said no." in body
    assert body.count("cannot send.") == 3


@pytest.mark.parametrize(
    ("key", "says"),
    [("all", "Sending is switched off for everybody: a test."), ("sms", "Texts are off for everybody: a test.")],
)
def test_staff_switch_everybody_off_and_every_page_says_so(
    people: People, now: datetime, staff: Client, key: str, says: str
) -> None:
    visitor = client_of(people.charlie)
    assert says not in visitor.get("/").content.decode()
    answer = staff.post("/operations/switch/", {"key": key, "to": "off", "reason": "a test"}, follow=True)
    assert "sending is off for everybody" in answer.content.decode()
    row = Switch.objects.get(key=key)
    assert (row.off, row.reason, row.by) == (True, "a test", str(people.bob.user))
    assert events_of(people, "switch.moved") == 1
    for path in ("/", "/tasks/", "/contacts/", "/held/"):
        assert says in visitor.get(path).content.decode(), path
    staff.post("/operations/switch/", {"key": key, "to": "on", "reason": "over"})
    assert not Switch.objects.get(key=key).off
    assert says not in visitor.get("/").content.decode()


def test_a_switch_is_moved_by_staff_alone_with_a_reason_and_by_post(people: People, staff: Client) -> None:
    wanted = {"key": "all", "to": "off", "reason": "mine"}
    assert client_of(people.alice).post("/operations/switch/", wanted).status_code == 403
    assert staff.post("/operations/switch/", {**wanted, "reason": "  "}, follow=True).status_code == 200
    assert staff.post("/operations/switch/", {**wanted, "key": "fax"}).status_code == 400
    assert staff.get("/operations/switch/", wanted).status_code == 405
    assert not Switch.objects.filter(off=True).exists()


def test_a_frozen_database_is_told_on_every_page(people: People, settings: Any) -> None:
    settings.SEND_EPOCH = 9
    assert "Sending is frozen" in client_of(people.charlie).get("/").content.decode()


def test_an_owner_switches_their_own_workspace_off_and_nobody_elses(people: People) -> None:
    answer = client_of(people.alice).post("/operations/sending/", {"enabled": "no"}, follow=True)
    assert "Sending is off." in answer.content.decode()
    assert events_of(people, "tenant.sending_stopped") == 1
    with tenant_context(people.acme.pk):
        assert not Tenant.objects.get(pk=people.acme.pk).sending_enabled
    assert "Sending is off." not in client_of(people.charlie).get("/").content.decode()
    assert client_of(people.bob).post("/operations/sending/", {"enabled": "yes"}).status_code == 403


def test_what_the_pulse_measured_is_told_in_sentences(people: People, now: datetime, staff: Client) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET ROLE omnify_system")
        SendEpoch.objects.create(epoch=1)
        vitals.write(now)
        cursor.execute("SET ROLE omnify_web")
    body = staff.get(PAGE).content.decode()
    assert "The pulse beats" in body
    assert "The database answers." in body
    assert "The fate of every message is known." in body


# Held


def test_a_held_message_says_why_what_is_known_and_what_happens_by_itself(people: People, now: datetime) -> None:
    message = held_message(people, now, error_text="Read timed out")
    body = client_of(people.bob).get("/held/").content.decode()
    for part in (
        str(message.contact),
        "could not say whether it went out",
        "Twilio",
        "Read timed out",
        "The very words",
        "old news",
    ):
        assert part in body, part
    assert "Mark as sent" in body
    watched = client_of(make_member(people.acme, "vera", "viewer")).get("/held/").content.decode()
    assert "The very words" in watched
    assert "Mark as sent" not in watched


@pytest.mark.parametrize(("choice", "state"), [("sent", "sent"), ("again", "ready"), ("skip", "cancelled")])
def test_one_is_decided(people: People, now: datetime, choice: str, state: str) -> None:
    message, other = held_message(people, now), held_message(people, now)
    answer = client_of(people.bob).post(
        "/held/decide/", {"decision": f"{choice}:{message.public_id}", "messages": [str(other.public_id)]}
    )
    assert answer["Location"] == "/held/"
    assert (state_of(message), state_of(other)) == (state, "held")
    assert events_of(people, "message.settled") == 1


def test_the_chosen_ones_are_skipped_together_and_nothing_else_can_be_done_to_many(
    people: People, now: datetime
) -> None:
    chosen, other = [held_message(people, now) for _ in range(3)], held_message(people, now)
    ids = [str(each.public_id) for each in chosen]
    bob = client_of(people.bob)
    assert bob.post("/held/decide/", {"decision": "again", "messages": ids}).status_code == 400
    assert bob.post("/held/decide/", {"decision": "", "messages": ids}).status_code == 400
    assert (
        "3 messages skipped."
        in bob.post("/held/decide/", {"decision": "skip", "messages": ids}, follow=True).content.decode()
    )
    assert {state_of(each) for each in chosen} == {"cancelled"}
    assert state_of(other) == "held"


@pytest.mark.parametrize("given", ["sent:nonsense", "sent:00000000-0000-0000-0000-000000000000", "skip"])
def test_a_decision_about_nothing_says_so(people: People, given: str) -> None:
    assert (
        "Nothing changed"
        in client_of(people.bob).post("/held/decide/", {"decision": given}, follow=True).content.decode()
    )


def test_strangers_and_viewers_decide_nothing(people: People, now: datetime) -> None:
    message = held_message(people, now)
    decision = {"decision": f"skip:{message.public_id}"}
    client_of(people.charlie).post("/held/decide/", decision)
    assert client_of(make_member(people.acme, "vera", "viewer")).post("/held/decide/", decision).status_code == 403
    assert state_of(message) == "held"


def test_an_event_that_was_set_aside_is_tried_again_once(people: People, now: datetime) -> None:
    sender = make_senders(people.acme)["sms"]
    with tenant_context(people.acme.pk):
        event = ProviderEvent.objects.create(
            sender=sender, provider="twilio", kind="inbound", event_key="1", body="Canarybody", received_at=now,
            state="parked", tries=2,
        )  # fmt: skip
    bob = client_of(people.bob)
    body = bob.get("/held/").content.decode()
    assert "Twilio" in body
    assert "Canarybody" not in body
    path = reverse("sequences:event_retry", args=[event.pk])
    assert client_of(people.charlie).post(path).status_code == 404
    bob.post(path)
    assert "taken up meanwhile" in bob.post(path, follow=True).content.decode()
    with tenant_context(people.acme.pk):
        event.refresh_from_db()
    assert (event.state, event.tries) == ("new", 0)
    assert events_of(people, "provider_event.retried") == 1


def test_somebody_may_be_done_with_an_event_that_was_set_aside(people: People, now: datetime) -> None:
    sender = make_senders(people.acme)["sms"]
    with tenant_context(people.acme.pk):
        event = ProviderEvent.objects.create(
            sender=sender,
            provider="vapi",
            kind="call",
            event_key="1",
            body="{}",
            received_at=now,
            state="parked",
            tries=2,
        )
    path = reverse("sequences:event_done", args=[event.pk])
    assert client_of(people.charlie).post(path).status_code == 404
    bob = client_of(people.bob)
    bob.post(path)
    assert "taken up meanwhile" in bob.post(path, follow=True).content.decode()
    with tenant_context(people.acme.pk):
        event.refresh_from_db()
    assert event.state == "done"
    assert event.applied_at is not None, "its raw words are kept for the workspace's term from now on"
    assert events_of(people, "provider_event.dismissed") == 1


def test_the_list_costs_the_same_however_long_it_is(
    people: People, now: datetime, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    bob = client_of(people.bob)
    held_message(people, now)
    bob.get("/held/")
    with CaptureQueriesContext(connection) as one:
        bob.get("/held/")
    for _ in range(20):
        held_message(people, now)
    with django_assert_num_queries(len(one)):
        assert bob.get("/held/").status_code == 200


def test_an_empty_list_says_why(people: People) -> None:
    assert "Nothing is held" in client_of(people.bob).get("/held/").content.decode()


def test_staff_who_belong_to_no_workspace_see_the_machine(people: People) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET ROLE omnify_system")
        user = User.objects.create_user("root@house.example", "x", is_staff=True)
        cursor.execute("SET ROLE omnify_web")
    nobody = Client()
    nobody.force_login(user)
    body = nobody.get(PAGE).content.decode()
    assert "Switches for everybody" in body
    nobody.post("/operations/switch/", {"key": "voice", "to": "off", "reason": "a test"})
    assert Switch.objects.get(key="voice").off
