"""The tick: what one batch does to enrolments, receipts and messages, and what it costs."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, Suppression
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences import claims, facts, writing
from sequences.definitions import pause_sequence, resume_sequence
from sequences.engine import tick
from sequences.models import Enrollment, Execution, Message, Task
from tests.making import make_contact, make_enrollment, make_senders, make_sequence

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    facts._graphs.clear()


@pytest.fixture
def acme(people):
    make_senders(people.acme)
    return people.acme


def receipts(enrollment: Enrollment) -> list[tuple[str, str]]:
    return list(
        Execution.objects.all_tenants().filter(enrollment=enrollment).order_by("turn").values_list("decision", "reason")
    )


def test_a_due_person_gets_a_message_a_receipt_and_the_next_moment(acme, now) -> None:
    sequence = make_sequence(
        acme, now, {"kind": "sms"}, {"kind": "wait", "config": {"days": 2}}, {"kind": "email", "subject": "Hi"}
    )
    enrollment = make_enrollment(sequence, make_contact(acme, now, first_name="Ada"), now)
    assert tick(now).decided == 1
    enrollment.refresh_from_db()
    message = Message.objects.all_tenants().get(enrollment=enrollment)
    assert (message.state, message.channel, message.body) == ("ready", "sms", "Hello Ada")
    assert enrollment.next_run_at == now + timedelta(days=2)
    assert receipts(enrollment) == [("send", "sent")]
    execution = Execution.objects.all_tenants().get(enrollment=enrollment)
    assert message.execution_id == execution.pk
    assert execution.next_run_at == enrollment.next_run_at


def test_the_walk_goes_on_after_the_wait_and_ends_with_the_last_step(acme, now) -> None:
    sequence = make_sequence(
        acme, now, {"kind": "sms"}, {"kind": "wait", "config": {"hours": 1}}, {"kind": "email", "subject": "Hi"}
    )
    enrollment = make_enrollment(sequence, make_contact(acme, now), now)
    tick(now)
    assert tick(now + timedelta(minutes=59)).decided == 0
    tick(now + timedelta(hours=1))
    enrollment.refresh_from_db()
    assert (enrollment.status, enrollment.next_run_at) == ("completed", None)
    assert receipts(enrollment) == [("send", "sent"), ("send", "sent")]
    assert sorted(Message.objects.all_tenants().filter(enrollment=enrollment).values_list("channel", flat=True)) == [
        "email",
        "sms",
    ]


def test_a_second_tick_at_the_same_moment_finds_nothing(acme, now) -> None:
    make_enrollment(make_sequence(acme, now), make_contact(acme, now), now)
    tick(now)
    assert tick(now).claimed == 0
    assert Message.objects.all_tenants().count() == 1


def test_night_is_a_receipt_not_a_message(acme, now) -> None:
    midnight = now + timedelta(hours=14)  # 01:00 in New York
    enrollment = make_enrollment(make_sequence(acme, now), make_contact(acme, now), midnight)
    tick(midnight)
    enrollment.refresh_from_db()
    assert receipts(enrollment) == [("wait", "quiet_hours")]
    assert Message.objects.all_tenants().count() == 0
    opens = now + timedelta(hours=21)  # 08:00 in New York
    assert opens <= enrollment.next_run_at < opens + timedelta(minutes=10)
    told = Execution.objects.all_tenants().get(enrollment=enrollment)
    assert (told.facts["opens"], told.next_run_at) == (opens.isoformat(), enrollment.next_run_at)


def test_a_suppressed_person_is_skipped_with_the_words_they_used(acme, now) -> None:
    contact = make_contact(acme, now)
    with tenant_context(acme.pk):
        Suppression.objects.create(
            channel="sms",
            address=contact.phone,
            reason="opted_out",
            source="sms",
            quote="please stop texting me",
            created_at=now,
        )
    enrollment = make_enrollment(make_sequence(acme, now), contact, now)
    tick(now)
    assert receipts(enrollment) == [("skip", "suppressed"), ("exit", "finished")]
    assert (
        Execution.objects.all_tenants().filter(enrollment=enrollment).order_by("turn")[0].facts["quote"]
        == "please stop texting me"
    )
    assert Message.objects.all_tenants().count() == 0


def test_another_tenants_suppression_of_the_same_number_changes_nothing(acme, people, now) -> None:
    contact = make_contact(acme, now)
    with tenant_context(people.charlie.tenant_id):
        Suppression.objects.create(
            channel="sms", address=contact.phone, reason="opted_out", source="sms", created_at=now
        )
    enrollment = make_enrollment(make_sequence(acme, now), contact, now)
    tick(now)
    assert receipts(enrollment) == [("send", "sent")]


def test_one_person_is_decided_once_a_tick_in_two_sequences(acme, now) -> None:
    contact = make_contact(acme, now)
    for name in ("One", "Two"):
        make_enrollment(make_sequence(acme, now, name=name), contact, now)
    assert tick(now).decided == 1
    assert tick(now).decided == 1
    assert tick(now).decided == 0


def test_a_missing_word_parks_the_person_and_makes_a_task(acme, now) -> None:
    sequence = make_sequence(acme, now, {"kind": "sms", "body": "Hello {{ company }}"})
    enrollment = make_enrollment(sequence, make_contact(acme, now), now)
    tick(now)
    enrollment.refresh_from_db()
    assert (enrollment.status, enrollment.status_reason) == ("failed", "missing_variable")
    assert Task.objects.all_tenants().filter(enrollment=enrollment).count() == 1


def test_a_row_postgresql_refuses_is_parked_and_the_others_go_on(acme, now) -> None:
    sequence = make_sequence(acme, now, {"kind": "sms", "body": "Hello {{ custom.note }}"})
    poison = make_enrollment(sequence, make_contact(acme, now, custom_fields={"note": "x"}), now)
    # A NUL character is valid JSON and no valid text.
    Enrollment.objects.all_tenants().filter(pk=poison.pk).update(custom_variables={"custom": {"note": "\x07"}})
    fine = [make_enrollment(sequence, make_contact(acme, now, custom_fields={"note": "ok"}), now) for _ in range(9)]
    original = facts.json.loads

    def with_nul(text: str):
        return {"custom": {"note": "\x00"}} if "\\u0007" in text else original(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sequences.facts.json.loads", with_nul)
        for _ in range(10):
            tick(now)
    poison.refresh_from_db()
    assert (poison.status, poison.status_reason) == ("failed", "crashed")
    assert Message.objects.all_tenants().filter(enrollment__in=fine).count() == 9


def test_an_exception_in_the_plan_parks_one_person_only(acme, now, monkeypatch) -> None:
    sequence = make_sequence(acme, now)
    broken = make_enrollment(sequence, make_contact(acme, now, zones=["Mars/Olympus"]), now)
    fine = make_enrollment(sequence, make_contact(acme, now), now)
    tick(now)
    assert receipts(broken) == [("handoff", "crashed")]
    assert receipts(fine) == [("send", "sent")]


def test_a_tick_costs_the_same_queries_for_seven_people_and_for_two_hundred(acme, now) -> None:
    sequence = make_sequence(acme, now, {"kind": "sms"}, {"kind": "wait", "config": {"days": 1}}, {"kind": "sms"})
    counts = []
    for people_due in (1, 7, 200):  # the first tick also fills the cache of versions
        with tenant_context(acme.pk):
            for _ in range(people_due):
                make_enrollment(sequence, make_contact(acme, now), now)
        counts.append(statements_of(lambda: tick(now)))
    assert Message.objects.all_tenants().count() == 208
    savepoint = 2  # the test's own transaction makes atomic() a savepoint
    assert counts[1] == counts[2], counts
    assert counts[2] - savepoint <= 9


def statements_of(work) -> int:
    """Statements PostgreSQL ran, whichever cursor sent them."""
    from psycopg import Cursor

    sent = []
    original = Cursor.execute
    with pytest.MonkeyPatch.context() as patch, CaptureQueriesContext(connection):
        patch.setattr(
            Cursor,
            "execute",
            lambda self, query, *args, **kwargs: sent.append(query) or original(self, query, *args, **kwargs),
        )
        work()
    return len(sent)


def test_two_sequences_share_one_persons_day_and_the_second_waits_with_its_step(acme, now) -> None:
    Tenant.objects.filter(pk=acme.pk).update(caps={"person": {"sms": {"day": 1}}})
    ada = make_contact(acme, now)
    first = make_enrollment(make_sequence(acme, now, {"kind": "sms"}, name="One"), ada, now)
    second = make_enrollment(make_sequence(acme, now, {"kind": "sms"}, name="Two"), ada, now + timedelta(seconds=1))
    tick(now)
    tick(now + timedelta(seconds=1))
    assert (receipts(first), receipts(second)) == ([("send", "sent")], [("wait", "capped")])
    second.refresh_from_db()
    assert (second.status, second.visit, second.next_run_at) == ("active", 0, now + timedelta(seconds=1, hours=24))
    tick(second.next_run_at)
    assert receipts(second)[-1][0] == "wait"  # the first is still in the queue: its day has not begun to count
    Message.objects.all_tenants().update(state="delivered", sending_started_at=now)
    second.refresh_from_db()
    tick(second.next_run_at)
    assert receipts(second)[-1] == ("send", "sent")


@pytest.mark.parametrize("capped", [False, True])
def test_caps_cost_one_query_a_batch_and_only_where_one_binds_somebody(acme, now, capped) -> None:
    if capped:
        Tenant.objects.filter(pk=acme.pk).update(caps={"person": {"all": {"day": 5}}})
    sequence = make_sequence(acme, now, {"kind": "sms"}, {"kind": "wait", "config": {"days": 1}}, {"kind": "sms"})
    counts = []
    for people_due in (1, 7, 30):  # seven and more are stored in three parts
        for _ in range(people_due):
            make_enrollment(sequence, make_contact(acme, now), now)
        counts.append(statements_of(lambda: tick(now)))
    assert counts[1] == counts[2], counts
    assert counts[2] - 2 <= 9 + capped


def test_a_deleted_contact_leaves_the_sequence(acme, now) -> None:
    contact = make_contact(acme, now)
    enrollment = make_enrollment(make_sequence(acme, now), contact, now)
    Contact.objects.all_tenants().filter(pk=contact.pk).update(deleted_at=now)
    tick(now)
    assert receipts(enrollment) == [("exit", "contact_deleted")]


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_never_decide_twice(acme, now) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    from django.db import connections

    sequence = make_sequence(acme, now)
    with transaction.atomic():
        for _ in range(60):
            make_enrollment(sequence, make_contact(acme, now), now)
    barrier = Barrier(4)

    def worker() -> int:
        barrier.wait()
        try:
            return sum(tick(now, 10).decided for _ in range(12))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        decided = sum(future.result() for future in [pool.submit(worker) for _ in range(4)])
    assert decided == 60
    assert Message.objects.all_tenants().count() == 60
    assert Execution.objects.all_tenants().count() == 60


@pytest.mark.parametrize("window", [{"start": "8 o'clock"}, {"days": None}, {"end": 21}])
def test_hours_nobody_can_read_stop_their_own_sequence_and_no_other(acme, now, window) -> None:
    broken = make_enrollment(make_sequence(acme, now, name="Broken", send_window=window), make_contact(acme, now), now)
    fine = make_enrollment(make_sequence(acme, now), make_contact(acme, now), now)
    tick(now)
    assert receipts(broken) == [("handoff", "crashed")]
    assert receipts(fine) == [("send", "sent")]


def test_a_step_nobody_can_read_stops_its_own_sequence_and_no_other(acme, now) -> None:
    odd = make_sequence(acme, now, {"kind": "voice", "config": ["no", "table"]}, name="Odd")
    broken = make_enrollment(odd, make_contact(acme, now), now)
    fine = make_enrollment(make_sequence(acme, now), make_contact(acme, now), now)
    tick(now)
    assert receipts(broken) == [("handoff", "crashed")]
    assert receipts(fine) == [("send", "sent")]


def test_the_row_that_is_parked_is_the_one_that_was_refused(acme, now, monkeypatch) -> None:
    """Another worker may take the refused row up again in the very moment between the refusal and the parking."""
    sequence = make_sequence(acme, now)
    poison = make_enrollment(sequence, make_contact(acme, now), now - timedelta(minutes=1))
    innocent = make_enrollment(sequence, make_contact(acme, now), now)
    claimed, write = claims.due, writing.write
    rounds: list[list[int]] = []

    def due(cursor, moment, limit, since):
        found = claimed(cursor, moment, 500, since)
        # The second claim comes while somebody else holds the refused row.
        found = [row for row in found if row.id != poison.pk] if rounds else found
        rounds.append([row.id for row in found[:limit]])
        return found[:limit]

    def refuse(cursor, turns, windows_json, moment):
        if any(row.id == poison.pk and turn.status != "failed" for row, turn in turns):
            raise IntegrityError
        write(cursor, turns, windows_json, moment)

    monkeypatch.setattr(claims, "due", due)
    monkeypatch.setattr(writing, "write", refuse)
    tick(now, 1)
    poison.refresh_from_db()
    innocent.refresh_from_db()
    assert (poison.status, innocent.status) == ("failed", "active")


@pytest.mark.django_db(transaction=True)
def test_who_is_decided_in_the_moment_of_a_resume_is_woken_all_the_same(acme, people, now) -> None:
    """The tick has read that the sequence is paused and not yet written it down when the sequence goes on."""
    import threading

    from django.db import connections

    sequence = make_sequence(acme, now)
    enrollment = make_enrollment(sequence, make_contact(acme, now), now)
    with tenant_context(acme.pk):
        pause_sequence(sequence, by=people.alice, now=now)

    def resume() -> None:
        try:
            with tenant_context(acme.pk):
                resume_sequence(sequence, by=people.alice, now=now)
        finally:
            connections.close_all()

    thread = threading.Thread(target=resume)
    with transaction.atomic():
        tick(now)
        thread.start()
        thread.join(1)  # it has either finished by now, or waits for this tick
    thread.join(20)
    tick(now)
    enrollment.refresh_from_db()
    assert enrollment.status == "completed"
