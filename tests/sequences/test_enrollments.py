"""The verbs on enrolments, and what the lost race answers."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from contacts.actions import delete_contact
from contacts.models import Suppression
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences.decisions import Reason
from sequences.definitions import archive_sequence, pause_sequence
from sequences.engine import tick
from sequences.enrolling import NotEnrollable, enroll, enrollment_checks
from sequences.enrollments import exit_enrollment, pause_enrollment, resume_enrollment, wake_sequence
from sequences.models import Enrollment, Execution, Message, Sequence
from sequences.optouts import hold_for_a_person, pause_for_reply
from sequences.tasks import contact_deleted
from tests.making import make_contact, make_enrollment, make_senders, make_sequence

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(people):
    make_senders(people.acme)
    with tenant_context(people.acme.pk):
        yield people.acme


def test_enrolling_takes_whom_it_can_reach_and_says_why_not_the_others(acme, now) -> None:
    sequence = make_sequence(acme, now, {"kind": "sms"})
    ready, silent, no_phone, stopped = (
        make_contact(acme, now),
        make_contact(acme, now, consents=()),
        make_contact(acme, now, phone=""),
        make_contact(acme, now),
    )
    Suppression.objects.create(channel="sms", address=stopped.phone, reason="opted_out", source="sms", created_at=now)
    result = enroll(sequence, [each.pk for each in (ready, silent, no_phone, stopped)], by="member:1", now=now)
    assert (result.enrolled, dict(result.skipped)) == (1, {"no_consent": 1, "no_address": 1, "suppressed": 1})
    assert Enrollment.objects.get().contact_id == ready.pk
    assert Event.objects.get(kind="sequence.enrolled").data["enrolled"] == 1


def test_enrolling_twice_enrols_once(acme, now) -> None:
    sequence, contact = make_sequence(acme, now), make_contact(acme, now)
    assert enroll(sequence, [contact.pk], by="member:1", now=now).enrolled == 1
    again = enroll(sequence, [contact.pk], by="member:1", now=now)
    assert (again.enrolled, dict(again.skipped)) == (0, {"already_in": 1})


def test_who_went_through_comes_back_only_where_the_sequence_allows_it(acme, now) -> None:
    contact = make_contact(acme, now)
    once, often = make_sequence(acme, now, name="Once"), make_sequence(acme, now, name="Often", allow_reentry=True)
    for sequence in (once, often):
        enroll(sequence, [contact.pk], by="member:1", now=now)
    tick(now)
    tick(now)
    assert set(Enrollment.objects.values_list("status", flat=True)) == {"completed"}
    assert dict(enroll(once, [contact.pk], by="member:1", now=now).skipped) == {"been_through": 1}
    assert enroll(often, [contact.pk], by="member:1", now=now).enrolled == 1
    tick(now)
    assert Message.objects.filter(enrollment__sequence=often).count() == 2


def test_who_opted_out_never_comes_back_by_enrolling(acme, now) -> None:
    sequence, contact = make_sequence(acme, now, allow_reentry=True), make_contact(acme, now)
    make_enrollment(sequence, contact, now, status="exited", status_reason="opted_out", next_run_at=None)
    assert dict(enroll(sequence, [contact.pk], by="member:1", now=now, force=True).skipped) == {"opted_out": 1}


def test_another_tenants_contacts_cannot_be_enrolled(acme, people, now) -> None:
    stranger = make_contact(people.charlie.tenant, now)
    result = enroll(make_sequence(acme, now), [stranger.pk], by="member:1", now=now)
    assert (result.enrolled, Enrollment.objects.count()) == (0, 0)


def test_a_draft_takes_nobody_and_says_what_to_do(acme, now) -> None:
    draft = Sequence.objects.create(name="Draft")
    with pytest.raises(NotEnrollable, match="Publish it"):
        enroll(draft, [make_contact(acme, now).pk], by="member:1", now=now)


def test_checks_and_enrolling_cost_the_same_queries_for_one_and_for_thirty(
    acme, now, django_assert_num_queries
) -> None:
    sequence = make_sequence(acme, now)
    with django_assert_num_queries(2):
        enrollment_checks(sequence, [make_contact(acme, now).pk for _ in range(0)] or [1])
    ids = [make_contact(acme, now).pk for _ in range(30)]
    with django_assert_num_queries(2):
        assert len(enrollment_checks(sequence, ids)["ready"]) == 30


def test_a_pause_cancels_what_waits_and_a_resume_goes_on(acme, now) -> None:
    enrollment = make_enrollment(
        make_sequence(acme, now, {"kind": "sms"}, {"kind": "email", "subject": "Hi"}), make_contact(acme, now), now
    )
    tick(now)
    assert pause_enrollment(enrollment, by="member:1", now=now) is True
    assert pause_enrollment(enrollment, by="member:1", now=now) is False
    assert Message.objects.get().state == "cancelled"
    assert tick(now).claimed == 0
    assert resume_enrollment(enrollment, by="member:1", now=now) is True
    tick(now)
    assert list(Message.objects.order_by("pk").values_list("channel", "state")) == [
        ("sms", "cancelled"),
        ("email", "ready"),
    ]


def test_nobody_resumes_a_person_who_opted_out(acme, now) -> None:
    enrollment = make_enrollment(
        make_sequence(acme, now), make_contact(acme, now), now, status="paused", status_reason="opted_out"
    )
    assert resume_enrollment(enrollment, by="member:1", now=now) is False


def test_an_opted_out_person_is_taken_out_by_the_engine_with_a_receipt(acme, now) -> None:
    contact = make_contact(acme, now)
    enrollment = make_enrollment(make_sequence(acme, now), contact, now, status="paused", status_reason="opted_out")
    Suppression.objects.create(
        channel="sms",
        address=contact.phone,
        reason="opted_out",
        source="sms",
        quote="please stop texting me",
        created_at=now,
    )
    tick(now)
    receipt = Execution.objects.get(enrollment=enrollment)
    assert (receipt.decision, receipt.reason) == ("exit", Reason.OPTED_OUT)
    assert receipt.facts["suppressed"]["sms"]["quote"] == "please stop texting me"
    assert Message.objects.count() == 0


def test_leaving_by_hand_has_its_receipt_too(acme, now) -> None:
    enrollment = make_enrollment(make_sequence(acme, now), make_contact(acme, now), now)
    assert exit_enrollment(enrollment, by="member:1", now=now) is True
    assert exit_enrollment(enrollment, by="member:1", now=now) is False
    assert Execution.objects.get().decision == "exit"


def test_a_paused_sequence_holds_people_and_wakes_them_again(acme, now) -> None:
    sequence = make_sequence(acme, now)
    enrollment = make_enrollment(sequence, make_contact(acme, now), now)
    Sequence.objects.filter(pk=sequence.pk).update(status="paused")
    tick(now)
    enrollment.refresh_from_db()
    assert (enrollment.status, enrollment.status_reason, enrollment.next_run_at) == ("active", "sequence_paused", None)
    Sequence.objects.filter(pk=sequence.pk).update(status="active")
    assert wake_sequence(sequence, now=now) == 1
    tick(now)
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("rules", "status", "decisions"), [({}, "paused", []), ({"on_reply": "exit"}, "exited", ["exit"])]
)
def test_a_reply_pauses_or_ends_as_the_sequence_says(acme, now, rules, status, decisions) -> None:
    sequence = make_sequence(
        acme, now, {"kind": "sms"}, {"kind": "wait", "config": {"days": 1}}, {"kind": "sms"}, exit_rules=rules
    )
    contact = make_contact(acme, now)
    enrollment = make_enrollment(sequence, contact, now, next_run_at=now.replace(year=2027))
    assert pause_for_reply([contact.pk], now=now) == 1
    tick(now)
    enrollment.refresh_from_db()
    assert (enrollment.status, enrollment.status_reason, enrollment.next_run_at) == (status, "replied", None)
    assert list(Execution.objects.values_list("decision", flat=True)) == decisions


def test_a_pause_in_the_middle_of_a_wait_does_not_shorten_it(acme, now) -> None:
    sequence = make_sequence(acme, now, {"kind": "sms"}, {"kind": "wait", "config": {"days": 7}}, {"kind": "sms"})
    enrollment = make_enrollment(sequence, make_contact(acme, now), now)
    tick(now)
    enrollment.refresh_from_db()
    over = enrollment.next_run_at
    assert over == now + timedelta(days=7)
    pause_enrollment(enrollment, by="member:1", now=now)
    resume_enrollment(enrollment, by="member:1", now=now + timedelta(hours=1))
    enrollment.refresh_from_db()
    assert (enrollment.waited, enrollment.next_run_at) == (True, over)
    pause_enrollment(enrollment, by="member:1", now=now)
    later = now + timedelta(days=9)
    resume_enrollment(enrollment, by="member:1", now=later)
    enrollment.refresh_from_db()
    assert enrollment.next_run_at == later


def test_a_person_held_for_a_human_is_let_go_by_a_resume(acme, now) -> None:
    contact = make_contact(acme, now)
    enrollment = make_enrollment(make_sequence(acme, now), contact, now)
    hold_for_a_person([contact.pk])
    tick(now)
    enrollment.refresh_from_db()
    assert (enrollment.status, enrollment.status_reason, enrollment.next_run_at) == ("active", "human_hold", None)
    assert resume_enrollment(enrollment, by="member:1", now=now) is True
    assert resume_enrollment(enrollment, by="member:1", now=now) is False
    tick(now)
    assert Message.objects.count() == 1


def test_archiving_a_paused_sequence_lets_its_people_finish(acme, people, now) -> None:
    sequence = make_sequence(acme, now)
    enrollment = make_enrollment(sequence, make_contact(acme, now), now)
    pause_sequence(sequence, by=people.alice, now=now)
    tick(now)
    archive_sequence(sequence, by=people.alice, now=now)
    tick(now)
    enrollment.refresh_from_db()
    assert enrollment.status == "completed"


def test_resuming_during_a_wait_does_not_rush_the_next_step(acme, now) -> None:
    contact = make_contact(acme, now)
    sequence = make_sequence(acme, now, {"kind": "sms"}, {"kind": "wait", "config": {"days": 2}}, {"kind": "sms"})
    enrollment = make_enrollment(sequence, contact, now)
    tick(now)
    pause_for_reply([contact.pk], now=now)
    resume_enrollment(enrollment, by="member:1", now=now + timedelta(hours=1))
    enrollment.refresh_from_db()
    assert enrollment.next_run_at == now + timedelta(days=2)
    pause_for_reply([contact.pk], now=now)
    late = now + timedelta(days=5)
    resume_enrollment(enrollment, by="member:1", now=late)
    enrollment.refresh_from_db()
    assert enrollment.next_run_at == late


def test_a_deleted_person_leaves_every_sequence_even_where_they_were_held(acme, now) -> None:
    contact = make_contact(acme, now)
    enrollment = make_enrollment(
        make_sequence(acme, now), contact, now, status="paused", status_reason="replied", next_run_at=None
    )
    delete_contact(contact, actor="member:1", now=now)
    event = Event.objects.get(kind="contact.deleted")
    assert [task.name() is not None for task in OrmQ.objects.all()] == [True]
    assert contact_deleted(event.pk, acme.pk) == 1
    tick(now + timedelta(days=30))
    enrollment.refresh_from_db()
    assert (enrollment.status, enrollment.status_reason) == ("exited", "contact_deleted")
