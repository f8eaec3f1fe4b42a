"""A sweep: batch after batch, each where the one before ended, until nothing is due."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from sequences import claims, engine, facts
from sequences import plan as plan_module
from sequences.engine import drain
from sequences.models import Enrollment, Execution, Message
from tests.making import make_contact, make_enrollment, make_senders, make_sequence

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    facts.forget()


@pytest.fixture
def acme(people):
    make_senders(people.acme)
    return people.acme


def receipts(enrollment: Enrollment) -> list[tuple[str, str]]:
    return list(
        Execution.objects.all_tenants().filter(enrollment=enrollment).order_by("turn").values_list("decision", "reason")
    )


def due_order(acme, now, *minutes: int) -> list[Enrollment]:
    sequence = make_sequence(acme, now, name=f"Due {minutes}")
    return [make_enrollment(sequence, make_contact(acme, now), now - timedelta(minutes=each)) for each in minutes]


def test_each_batch_of_a_sweep_begins_where_the_one_before_ended(acme, now, monkeypatch) -> None:
    due_order(acme, now, 50, 40, 30, 20, 10)
    claimed, begun = claims.due, []
    monkeypatch.setattr(
        claims, "due", lambda cursor, at, limit, since: begun.append(since) or claimed(cursor, at, limit, since)
    )
    assert drain(lambda: now, seconds=20, monotonic=time.monotonic, limit=2, hands=1) == 5
    reached = [now - timedelta(minutes=each) for each in (40, 20, 10)]
    assert begun == [claims.BEGINNING, *reached, claims.BEGINNING]


def test_what_comes_to_be_due_behind_a_sweep_is_found_by_the_next(acme, now, monkeypatch) -> None:
    due_order(acme, now, 10, 10, 5)
    claimed, late = claims.due, []

    def due(cursor, at, limit, since):
        found = claimed(cursor, at, limit, since)
        if not late:
            late.extend(due_order(acme, now, 60))
        return found

    monkeypatch.setattr(claims, "due", due)
    assert drain(lambda: now, seconds=20, monotonic=time.monotonic, limit=2, hands=1) == 4
    assert receipts(late[0]) == [("send", "sent")]


def test_a_second_enrolment_of_one_person_is_not_lost_behind_the_sweep(acme, now) -> None:
    contact = make_contact(acme, now)
    for name, ago in (("One", 10), ("Two", 10)):
        make_enrollment(make_sequence(acme, now, name=name), contact, now - timedelta(minutes=ago))
    due_order(acme, now, 5, 5, 5)
    assert drain(lambda: now, seconds=20, monotonic=time.monotonic, limit=3, hands=1) == 5


def test_a_refused_row_is_parked_in_a_sweep_and_the_others_go_on(acme, now) -> None:
    poison, *fine = due_order(acme, now, 30, 20, 10, 5)
    longest = "x" * 2000  # more than the column of the subject, or of any address, holds
    with pytest.MonkeyPatch.context() as patch:
        original = plan_module.plan

        def odd(standing, person, sequence, graph, at):
            turn = original(standing, person, sequence, graph, at)
            if person.phone == poison.contact.phone:
                entry = replace(turn.entries[-1], decision=replace(turn.entries[-1].decision, to=longest))
                return replace(turn, entries=(*turn.entries[:-1], entry))
            return turn

        patch.setattr(engine, "plan", odd)
        assert drain(lambda: now, seconds=20, monotonic=time.monotonic, limit=4, hands=1) == 4
    poison.refresh_from_db()
    assert (poison.status, poison.status_reason) == ("failed", "crashed")
    assert Message.objects.all_tenants().filter(enrollment__in=fine).count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_two_hands_of_one_process_never_decide_twice(acme, now) -> None:
    sequence = make_sequence(acme, now)
    with transaction.atomic():
        for _ in range(60):
            make_enrollment(sequence, make_contact(acme, now), now)
    assert drain(lambda: now, seconds=60, monotonic=time.monotonic, limit=7) == 60
    assert Message.objects.all_tenants().count() == 60
    assert Execution.objects.all_tenants().count() == 60
