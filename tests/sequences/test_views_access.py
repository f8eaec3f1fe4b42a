"""Who may open the pages of sequences: every address, for the owner, an agent, a viewer, a stranger and nobody."""

import pytest
from django.urls import reverse

from omnify.tenants.context import tenant_context
from sequences.definitions import ensure_draft
from sequences.models import Enrollment, Message, ProviderEvent, Sender, Sequence, Step, Task
from sequences.urls import urlpatterns
from tests.making import make_contact, make_enrollment, make_member, make_senders, make_sequence

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]

PAGES = {pattern.name: sorted(pattern.pattern.converters) for pattern in urlpatterns}
NO_TENANT_ROW = {
    "list", "create", "demo", "enrollment_action", "tasks", "choose", "rules", "limits", "held", "held_decide",
}  # fmt: skip
GETS = {
    "sequence",
    "people",
    "log",
    "steps",
    "settings",
    "enroll",
    "publish",
    "edit",
    "preview",
    "mail",
    "contact_panel",
}


@pytest.fixture
def world(people, now, settings):
    """Acme's sequence with everything in it that an address can name."""
    make_senders(people.acme)
    sequence = make_sequence(people.acme, now, {"kind": "sms", "key": "aaa"}, {"kind": "wait", "key": "www"})
    contact = make_contact(people.acme, now)
    enrollment = make_enrollment(sequence, contact, now)
    with tenant_context(people.acme.pk):
        ensure_draft(sequence, by=people.alice, now=now)
        task = Task.objects.create(contact=contact, enrollment=enrollment, title="Call", created_at=now)
        message = Message.objects.create(
            contact=contact, enrollment=enrollment, channel="sms", to_address=contact.phone, body="Hi", state="held",
            state_at=now, created_at=now, not_before=now, expires_at=now, sender=Sender.objects.get(channel="sms"),
        )  # fmt: skip
        event = ProviderEvent.objects.create(
            sender=Sender.objects.get(channel="sms"), provider="twilio", kind="inbound", event_key="SM1", body="",
            received_at=now, state="parked",
        )  # fmt: skip
    ids = {
        "event_retry": event.pk,
        "event_done": event.pk,
        "contact_panel": contact.public_id,
        "reply": contact.public_id,
        "settle": message.public_id,
        "task_done": task.public_id,
    }
    return {"people": people, "sequence": sequence, "ids": ids}


def address(world, name):
    args = {"key": "aaa"} if "key" in PAGES[name] else {}
    if "public_id" in PAGES[name]:
        args["public_id"] = world["ids"].get(name, world["sequence"].public_id)
    if "pk" in PAGES[name]:
        args["pk"] = world["ids"][name]
    return reverse(f"sequences:{name}", kwargs=args)


def everything(people):
    with tenant_context(people.acme.pk):
        return [
            list(model.objects.order_by("id").values())
            for model in (Sequence, Step, Enrollment, Message, ProviderEvent, Task)
        ]


POST_DATA = {
    "status": {"action": "archive"},
    "step_add": {"kind": "sms", "revision": 0},
    "step": {"body": "Stolen", "revision": 0},
    "settle": {"answer": "skip"},
    "reply": {"channel": "sms", "body": "Hello"},
    "settings": {"name": "Stolen", "on_reply": "exit"},
    "enroll": {"who": "all"},
    "publish": {"revision": 0},
    "step_move": {"to": "down", "revision": 0},
    "step_delete": {"revision": 0},
    "step_switch": {"revision": 0},
    "step_duplicate": {"revision": 0},
}


@pytest.mark.parametrize("name", sorted(set(PAGES) - NO_TENANT_ROW))
def test_a_stranger_finds_nothing_at_any_address_and_changes_nothing(client, world, name):
    client.force_login(world["people"].charlie.user)
    before = everything(world["people"])
    methods = [client.post(address(world, name), POST_DATA.get(name, {}))]
    if name in GETS:
        methods.append(client.get(address(world, name)))
    assert {response.status_code for response in methods} <= {404, 405}
    assert everything(world["people"]) == before


@pytest.mark.parametrize("name", sorted(PAGES))
def test_looking_changes_nothing(client, world, name):
    client.force_login(world["people"].alice.user)
    before = everything(world["people"])
    response = client.get(address(world, name))
    assert response.status_code in (200, 302, 405)
    assert client.head(address(world, name)).status_code in (200, 302, 405)
    assert everything(world["people"]) == before


@pytest.mark.parametrize("name", sorted(GETS | {"list", "tasks", "create"}))
def test_every_page_opens_for_the_owner(client, world, name):
    client.force_login(world["people"].alice.user)
    query = {"step": "aaa"} if name == "edit" else {}
    headers = {"HX-Request": "true"} if name == "preview" else {}
    response = client.get(address(world, name), query, headers=headers)
    assert response.status_code == 200
    assert b"Welcome" in response.content or name in {"create", "tasks", "mail", "preview", "settings"}


@pytest.mark.parametrize(
    "name", sorted(set(POST_DATA) | {"demo", "duplicate", "start", "step_undo", "task_done", "enrollment_action"})
)
def test_a_viewer_can_change_nothing(client, world, name, now):
    viewer = make_viewer(world)
    client.force_login(viewer.user)
    before = everything(world["people"])
    assert client.post(address(world, name), POST_DATA.get(name, {})).status_code == 403
    assert everything(world["people"]) == before


def make_viewer(world):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET ROLE omnify_system")
        viewer = make_member(world["people"].acme, "vera", "viewer")
        cursor.execute("SET ROLE omnify_web")
    return viewer


@pytest.mark.parametrize("name", ["list", "sequence", "people", "log", "steps", "settings", "tasks", "contact_panel"])
def test_a_viewer_can_look(client, world, name):
    client.force_login(make_viewer(world).user)
    assert client.get(address(world, name)).status_code == 200


@pytest.mark.parametrize("name", ["status", "publish", "settings"])
def test_an_agent_edits_but_does_not_publish_pause_or_set(client, world, name):
    client.force_login(world["people"].bob.user)
    before = everything(world["people"])
    assert client.post(address(world, name), POST_DATA[name]).status_code == 403
    assert everything(world["people"]) == before
    assert client.get(address(world, "edit")).status_code == 200


@pytest.mark.parametrize("name", sorted(PAGES))
def test_nobody_gets_in_without_logging_in(client, world, name):
    response = client.get(address(world, name))
    assert response.status_code == 302
    assert "/accounts/login/" in response.url
