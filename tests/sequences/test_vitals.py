"""What the pulse measures, what it keeps of it, and what may read and write it."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences import tally, vitals
from sequences.models import Message, ProviderEvent, Tally, Vitals
from sequences.pulse import Pulse
from tests.everything import make_everything
from tests.making import make_contact, make_enrollment, make_senders, make_sequence

pytestmark = pytest.mark.django_db


def make_message(tenant, now, **fields) -> Message:
    contact = make_contact(tenant, now)
    with tenant_context(tenant.pk):
        return Message.objects.create(
            **{
                "contact": contact,
                "channel": "sms",
                "to_address": contact.phone,
                "body": "Hello",
                "state_at": now,
                "created_at": now,
                "not_before": now,
                "expires_at": now + timedelta(hours=4),
            }
            | fields
        )


def test_nothing_is_told_of_nothing(now) -> None:
    facts = vitals.measure(now)
    assert facts["channels"] == {name: {"ready": 0, "oldest": None} for name in ("sms", "email", "voice")}
    assert (facts["due"], facts["unknown"], facts["held"], facts["parked"]) == (0, 0, 0, 0)
    assert facts["oldest_due"] is facts["oldest_unknown"] is None
    assert facts["clusters"] is None
    assert abs(facts["drift"]) < 2


def test_what_waits_is_counted_with_its_oldest(people, now) -> None:
    acme = people.acme
    make_senders(acme)
    make_enrollment(
        make_sequence(acme, now),
        make_contact(acme, now),
        now - timedelta(minutes=3),
        next_run_at=now - timedelta(minutes=3),
    )
    make_message(acme, now, not_before=now - timedelta(minutes=7))
    make_message(acme, now, not_before=now + timedelta(minutes=7))
    make_message(acme, now, state="unknown", state_at=now - timedelta(minutes=5))
    make_message(acme, now, state="held")
    facts = vitals.measure(now)
    assert facts["channels"]["sms"]["ready"] == 1
    assert facts["channels"]["sms"]["oldest"].startswith((now - timedelta(minutes=7)).isoformat()[:19])
    assert facts["due"] == 1
    assert facts["oldest_due"] == (now - timedelta(minutes=3)).isoformat()
    assert (facts["unknown"], facts["held"]) == (1, 1)
    assert facts["oldest_unknown"] == (now - timedelta(minutes=5)).isoformat()


def test_what_a_tenant_has_switched_off_does_not_grow_old(people, now) -> None:
    make_message(people.acme, now, not_before=now - timedelta(hours=3))
    Tenant.objects.filter(pk=people.acme.pk).update(sending_enabled=False)
    channel = vitals.measure(now)["channels"]["sms"]
    assert (channel["ready"], channel["oldest"]) == (1, None)


def test_events_are_counted_by_what_they_wait_for(people, now) -> None:
    sender = make_senders(people.acme)["sms"]
    with tenant_context(people.acme.pk):
        for n, state in enumerate(("new", "new", "unmatched", "parked", "done")):
            ProviderEvent.objects.create(
                sender=sender, provider="twilio", kind="status", event_key=str(n), body="", state=state,
                received_at=now - timedelta(minutes=10 - n),
            )  # fmt: skip
    facts = vitals.measure(now)
    assert (facts["events"]["new"], facts["events"]["unmatched"], facts["parked"]) == (2, 1, 1)
    assert facts["events"]["oldest"].startswith((now - timedelta(minutes=10)).isoformat()[:19])


def test_measuring_costs_the_same_few_statements_however_much_there_is(people, now, django_assert_num_queries) -> None:
    with django_assert_num_queries(2):  # the facts, and the clock
        vitals.measure(now)
    make_everything(people.alice, now, "Oursword")
    for _ in range(20):
        make_message(people.acme, now)
    with django_assert_num_queries(2):
        vitals.measure(now)


def test_no_fact_names_anybody(people, now) -> None:
    make_everything(people.alice, now, "Oursword")
    vitals.write(now)
    kept = str(Vitals.objects.get().facts)
    assert "Oursword" not in kept
    assert people.acme.name not in kept
    assert "people.example" not in kept


def test_the_beat_keeps_one_row_and_renews_it(tmp_path, now) -> None:
    pulse = Pulse(tmp_path)
    pulse.beat(now)
    first = Vitals.objects.get()
    pulse.beat(now + timedelta(seconds=1))
    assert Vitals.objects.get().beat_at == first.beat_at
    pulse.beat(now + timedelta(seconds=6))
    assert Vitals.objects.get().beat_at > first.beat_at
    assert Vitals.objects.count() == 1


def test_the_heart_beats_on_when_the_facts_cannot_be_read(now, monkeypatch) -> None:
    vitals.write(now)
    before = Vitals.objects.get()
    monkeypatch.setattr(vitals, "MEASURE", "SELECT pg_sleep(2), %(now)s, %(limit)s")
    monkeypatch.setattr(vitals, "TIMEOUT", "20ms")
    assert vitals.write(now) is False
    after = Vitals.objects.get()
    assert after.beat_at > before.beat_at
    assert (after.measured_at, after.facts) == (before.measured_at, before.facts)


@pytest.mark.as_web
def test_the_web_reads_vitals_and_writes_none(people) -> None:
    for statement in (
        "INSERT INTO sequences_vitals (id, beat_at, facts) VALUES (1, now(), '{}')",
        "DELETE FROM sequences_tally",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert Vitals.objects.count() == 0


@pytest.fixture
def nothing_waits() -> None:
    """What earlier tests of this process counted and had no task to write down."""
    tally._waiting.clear()


@pytest.mark.usefixtures("nothing_waits")
def test_counts_are_added_up_across_writers() -> None:
    for _ in range(2):
        tally.count("sends", "sms", "accepted")
        tally.count("sends", "sms", "accepted")
        tally.count("sends", "email", "rejected")
        assert tally.write_down() == 2
    assert tally.write_down() == 0
    assert dict(Tally.objects.values_list("key", "value")) == {"sends|sms|accepted": 4, "sends|email|rejected": 2}


@pytest.mark.usefixtures("nothing_waits")
def test_a_duration_falls_into_one_bucket() -> None:
    tally.took("tick_seconds", 0.02)
    tally.took("tick_seconds", 99)
    tally.write_down()
    assert dict(Tally.objects.values_list("key", "value")) == {
        "tick_seconds|le|0.025": 1,
        "tick_seconds|le|+Inf": 1,
        "tick_seconds|sum": 99.02,
    }


def test_what_could_not_be_written_is_written_the_next_time(monkeypatch) -> None:
    tally.count("sends", "sms", "accepted")
    with monkeypatch.context() as broken:
        broken.setattr(tally, "ADD", "SELECT nonsense")
        with pytest.raises(DatabaseError), transaction.atomic():
            tally.write_down()
    assert tally.write_down() == 1
    assert Tally.objects.get().value == 1
