"""The numbers on a sequence's pages: small ones counted when looked at, large ones by a worker, both the same."""

from datetime import timedelta

import pytest
from django.urls import reverse

from omnify.tenants.context import tenant_context
from sequences import counting
from sequences.models import Enrollment, Execution, Message, SequenceNumbers
from tests.making import make_contact, make_enrollment, make_senders, make_sequence

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(people, now):
    """A sequence with six people in four states, who got five messages."""
    make_senders(people.acme)
    sequence = make_sequence(people.acme, now, {"kind": "sms", "key": "hello"}, {"kind": "sms", "key": "again"})
    states = [("active", ""), ("active", ""), ("paused", "replied"), ("exited", "opted_out"), ("exited", "goal")]
    with tenant_context(people.acme.pk):
        for n, (status, reason) in enumerate(states):
            contact = make_contact(people.acme, now)
            enrolled = make_enrollment(sequence, contact, now)
            Enrollment.objects.filter(pk=enrolled.pk).update(status=status, status_reason=reason)
            done = Execution.objects.create(
                enrollment=enrolled, sequence_id=sequence.pk, step_id=enrolled.step_id, turn=1, visit=0, at=now,
                decision="send" if n else "skip", reason="sent", channel="sms",
            )  # fmt: skip
            Message.objects.create(
                contact=contact, enrollment=enrolled, execution_id=done.pk, step_id=enrolled.step_id, channel="sms",
                to_address=contact.phone, body="Hi", state="delivered" if n % 2 else "sent", state_at=now, created_at=now,
                not_before=now, expires_at=now,
            )  # fmt: skip
    return sequence


def numbers(sequence):
    with tenant_context(sequence.tenant_id):
        return counting.numbers_of(sequence)


def recount(now):
    return counting.count_large(lambda: now, budget_seconds=5)


def test_the_counts_say_who_is_where_and_what_was_sent(busy):
    found = numbers(busy)
    assert found.states == {"active": {"": 2}, "paused": {"replied": 1}, "exited": {"opted_out": 1, "goal": 1}}
    assert found.steps == {"hello": {"here": 3, "skip": 1, "send": 4}}
    assert (found.messages, found.people, found.as_of) == ({"sent": 3, "delivered": 2}, 5, None)


def test_a_large_sequence_shows_what_the_worker_counted_and_its_pages_count_nothing(busy, now, monkeypatch):
    monkeypatch.setattr(counting, "LARGE", 5)
    live = numbers(busy)
    assert recount(now) == 1
    with tenant_context(busy.tenant_id):
        Message.objects.update(state="undelivered")
    kept = numbers(busy)
    assert kept.as_of == now
    assert (kept.states, kept.steps, kept.messages) == (live.states, live.steps, live.messages)
    with tenant_context(busy.tenant_id):
        monkeypatch.setattr(counting, "_counted", None)  # a page that counted would call nothing
        assert counting.states_of(busy) == (live.states, now)
        assert counting.people_by_status([busy.pk]) == {busy.pk: {"active": 2, "paused": 1, "exited": 2}}
        assert counting.numbers_of(busy) == kept


def test_a_small_sequence_is_never_kept(busy, now):
    assert recount(now) == 0
    assert not SequenceNumbers.objects.all_tenants().exists()


def test_a_count_is_made_anew_once_it_is_old_enough_and_less_often_the_longer_it_took(busy, now, monkeypatch):
    monkeypatch.setattr(counting, "LARGE", 5)
    recount(now)
    assert recount(now + timedelta(seconds=59)) == 0
    assert recount(now + timedelta(seconds=61)) == 1
    SequenceNumbers.objects.all_tenants().update(counted_at=now, took_ms=4_000)
    assert recount(now + timedelta(seconds=199)) == 0
    assert recount(now + timedelta(seconds=201)) == 1


def test_a_sequence_that_became_small_again_is_counted_when_looked_at(busy, now, monkeypatch):
    monkeypatch.setattr(counting, "LARGE", 5)
    recount(now)
    monkeypatch.setattr(counting, "LARGE", 6)
    with tenant_context(busy.tenant_id):
        Enrollment.objects.filter(status="active").update(status="completed")
    assert recount(now + timedelta(minutes=2)) == 1
    assert numbers(busy).as_of is None
    assert numbers(busy).states["completed"] == {"": 2}


def test_the_pages_of_a_large_sequence_say_when_it_was_counted(client, busy, people, now, monkeypatch):
    monkeypatch.setattr(counting, "LARGE", 5)
    recount(now)
    client.force_login(people.alice.user)
    for name in ("sequence", "people"):
        page = client.get(reverse(f"sequences:{name}", args=[busy.public_id])).content.decode()
        assert "Counted" in page
    assert ">2<" in client.get(reverse("sequences:sequence", args=[busy.public_id])).content.decode()
