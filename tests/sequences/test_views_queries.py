"""A page asks the same number of questions for one row and for thirty."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from omnify.tenants.context import tenant_context
from sequences.drafting import add_step, ensure_draft
from sequences.models import Execution, Message, Sender, Task
from tests.making import make_contact, make_enrollment, make_senders, make_sequence

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


@pytest.fixture
def acme(client, people):
    make_senders(people.acme)
    client.force_login(people.alice.user)
    return people


def person_with_history(people, sequence, now, turn=1):
    contact = make_contact(people.acme, now)
    with tenant_context(people.acme.pk):
        enrollment = make_enrollment(sequence, contact, now)
        execution = Execution.objects.create(
            enrollment=enrollment, sequence_id=sequence.pk, step_id=enrollment.step_id, turn=turn, visit=0, at=now,
            decision="send", reason="sent", channel="sms",
        )  # fmt: skip
        Message.objects.create(
            contact=contact, enrollment=enrollment, execution_id=execution.pk, step_id=enrollment.step_id, channel="sms",
            to_address=contact.phone, body="Hi", state="delivered", state_at=now, created_at=now, not_before=now,
            expires_at=now, sender=Sender.objects.get(channel="sms"),
        )  # fmt: skip
        Task.objects.create(contact=contact, enrollment=enrollment, title="Call", created_at=now)
    return contact


def asked(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert response.status_code == 200
    return len(queries), response.content.decode()


@pytest.mark.parametrize("name", ["sequence", "people", "log", "tasks", "enroll", "publish"])
def test_a_page_of_thirty_people_asks_no_more_than_a_page_of_one(client, acme, now, name):
    sequence = make_sequence(acme.acme, now)
    with tenant_context(acme.acme.pk):
        ensure_draft(sequence, by=acme.alice, now=now)
    url = reverse(f"sequences:{name}", args=[] if name == "tasks" else [sequence.public_id])
    url += "?who=all" if name == "enroll" else ""
    person_with_history(acme, sequence, now)
    one, _ = asked(client, url)
    for _ in range(29):
        person_with_history(acme, sequence, now)
    thirty, page = asked(client, url)
    assert one == thirty
    assert name not in ("people", "log", "tasks") or page.count("Pat") >= 30


def test_thirty_sequences_ask_no_more_than_one(client, acme, now):
    make_sequence(acme.acme, now, name="Number 0")
    one, _ = asked(client, reverse("sequences:list"))
    for number in range(1, 30):
        make_sequence(acme.acme, now, name=f"Number {number}")
    thirty, page = asked(client, reverse("sequences:list"))
    assert one == thirty
    assert all(f"Number {number}" in page for number in range(30))


def test_an_editor_of_thirty_steps_asks_no_more_than_one_of_two(client, acme, now):
    sequence = make_sequence(acme.acme, now, {"kind": "sms", "key": "aaa"}, {"kind": "sms"})
    make_contact(acme.acme, now)
    with tenant_context(acme.acme.pk):
        draft = ensure_draft(sequence, by=acme.alice, now=now)
    url = reverse("sequences:edit", args=[sequence.public_id]) + "?step=aaa"
    two, _ = asked(client, url)
    with tenant_context(acme.acme.pk):
        for revision in range(28):
            add_step(draft, kind="sms", revision=revision, by=acme.alice, now=now, body=f"Text {revision}")
    thirty, page = asked(client, url)
    assert two == thirty
    assert "Text 27" in page


def test_a_persons_panel_with_thirty_decisions_asks_no_more_than_with_one(client, acme, now):
    sequence = make_sequence(acme.acme, now)
    contact = person_with_history(acme, sequence, now)
    url = reverse("sequences:contact_panel", args=[contact.public_id])
    one, _ = asked(client, url)
    with tenant_context(acme.acme.pk):
        enrollment = contact.enrollments.get()
        Execution.objects.bulk_create(
            Execution(
                tenant=acme.acme, enrollment=enrollment, sequence_id=sequence.pk, step_id=enrollment.step_id, turn=turn,
                visit=turn, at=now, decision="skip", reason="no_consent", facts={"channel": "sms"},
            )
            for turn in range(2, 32)
        )  # fmt: skip
    thirty, page = asked(client, url)
    assert thirty <= one  # nothing was sent in the latest decisions, so the messages need not be asked for
    assert "no consent to texts" in page
