"""Publishing: what is refused, what becomes immutable, and where the people under way go."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Tenant
from sequences import definitions
from sequences.definitions import StaleDraft
from sequences.models import Enrollment, Sequence, Step, Version
from sequences.publishing import NotPublishable, known_variables, publish
from sequences.review import review
from tests.making import make_contact, make_enrollment, make_senders, make_sequence

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(people):
    with tenant_context(people.acme.pk):
        make_senders(people.acme)
        yield people


def edited(sequence, people, now):
    return definitions.ensure_draft(sequence, by=people.alice, now=now)


def steps_of(version):
    return {step.key: step for step in Step.objects.filter(version=version)}


def three(people, now):
    return make_sequence(
        people.acme,
        now,
        {"kind": "sms", "key": "A"},
        {"kind": "wait", "key": "w", "config": {"days": 2}},
        {"kind": "sms", "key": "B"},
        {"kind": "sms", "key": "C"},
    )


def standing(sequence, people, now, key, **fields):
    row = make_enrollment(sequence, make_contact(people.acme, now), now)
    step = Step.objects.get(version_id=sequence.published_id, key=key)
    Enrollment.objects.filter(pk=row.pk).update(step=step, **fields)
    return row.pk


def test_a_first_publication_makes_the_sequence_active_and_keeps_the_version(acme, now):
    sequence = definitions.create_sequence(name="Spring", by=acme.alice, now=now)
    draft = edited(sequence, acme, now)
    definitions.add_step(draft, kind="sms", body="Hi {{ first_name }}", revision=0, by=acme.alice, now=now)
    version = publish(sequence, by=acme.alice, now=now, revision=1)
    assert (version.number, version.published_at, version.published_by) == (1, now, acme.alice)
    assert (sequence.status, sequence.published) == ("active", version)
    assert Event.objects.get(kind="sequence.published").data == {"number": 1, "moved": 0}


def test_a_draft_with_problems_stays_a_draft(acme, now):
    sequence = definitions.create_sequence(name="Spring", by=acme.alice, now=now)
    draft = edited(sequence, acme, now)
    definitions.add_step(draft, kind="sms", body="Hi {{ first_nam }}", revision=0, by=acme.alice, now=now)
    with pytest.raises(NotPublishable) as caught:
        publish(sequence, by=acme.alice, now=now)
    assert "Did you mean “first_name”?" in caught.value.problems[0].message
    assert Version.objects.get(pk=draft.pk).published_at is None
    assert Sequence.objects.get(pk=sequence.pk).status == "draft"


def test_a_missing_postal_address_stops_mail_and_a_missing_account_only_warns(acme, now):
    sequence = make_sequence(acme.acme, now, {"kind": "email", "subject": "Hi"})
    edited(sequence, acme, now)
    Tenant.objects.filter(pk=acme.acme.pk).update(postal_address="")
    with pytest.raises(NotPublishable):
        publish(sequence, by=acme.alice, now=now)
    Tenant.objects.filter(pk=acme.acme.pk).update(postal_address="1 Main St")
    assert publish(sequence, by=acme.alice, now=now).number == 2


def test_publishing_what_somebody_else_changed_meanwhile_is_refused(acme, now):
    sequence = three(acme, now)
    draft = edited(sequence, acme, now)
    definitions.update_step(draft, "A", revision=0, by=acme.bob, now=now, body="Changed behind your back")
    with pytest.raises(StaleDraft) as caught:
        publish(sequence, by=acme.alice, now=now, revision=0)
    assert caught.value.revision == 1
    assert Sequence.objects.get(pk=sequence.pk).published_id == sequence.published_id


def test_a_sequence_without_a_draft_cannot_be_published_again(acme, now):
    with pytest.raises(StaleDraft):
        publish(three(acme, now), by=acme.alice, now=now)
    assert Version.objects.count() == 1


def test_later_edits_go_to_a_new_draft_and_never_into_the_published_version(acme, now):
    sequence = three(acme, now)
    draft = edited(sequence, acme, now)
    version = publish(sequence, by=acme.alice, now=now)
    with pytest.raises(StaleDraft):
        definitions.update_step(draft, "A", revision=version.revision, by=acme.alice, now=now, body="Too late")
    newer = edited(sequence, acme, now)
    definitions.update_step(newer, "A", revision=0, by=acme.alice, now=now, body="In time")
    assert (newer.number, steps_of(newer)["A"].body) == (3, "In time")
    assert steps_of(version)["A"].body == "Hello {{ first_name }}"


def test_people_under_way_stand_on_the_same_step_of_the_new_version(acme, now):
    sequence = three(acme, now)
    at_a = standing(sequence, acme, now, "A")
    waiting = standing(sequence, acme, now, "w", waited=True)
    paused = standing(sequence, acme, now, "C", status="paused", next_run_at=None)
    edited(sequence, acme, now)
    version = publish(sequence, by=acme.alice, now=now)
    new = steps_of(version)
    rows = {row.pk: row for row in Enrollment.objects.all()}
    assert {rows[at_a].step, rows[waiting].step, rows[paused].step} == {new["A"], new["w"], new["C"]}
    assert {row.version_id for row in rows.values()} == {version.pk}
    assert (rows[waiting].waited, rows[waiting].next_run_at) == (True, now)
    assert (rows[paused].status, rows[paused].next_run_at) == ("paused", None)


def test_people_on_a_removed_step_go_to_the_next_that_is_left_and_the_rest_stay(acme, now):
    sequence = three(acme, now)
    on_wait = standing(sequence, acme, now, "w", waited=True)
    on_c = standing(sequence, acme, now, "C")
    draft = edited(sequence, acme, now)
    definitions.delete_step(draft, "w", revision=0, by=acme.alice, now=now)
    definitions.delete_step(draft, "C", revision=1, by=acme.alice, now=now)
    told = review(sequence, draft)
    version = publish(sequence, by=acme.alice, now=now)
    assert (told.under_way, told.staying, told.moving, told.finishing) == (2, 0, 1, 1)
    moved, done = Enrollment.objects.get(pk=on_wait), Enrollment.objects.get(pk=on_c)
    assert (moved.step, moved.waited, moved.status) == (steps_of(version)["B"], False, "active")
    assert (done.step, done.status, done.next_run_at, done.finished_at) == (None, "completed", None, now)


def test_whoever_has_left_stays_in_the_version_they_left(acme, now):
    sequence = three(acme, now)
    gone = standing(sequence, acme, now, "B", status="exited", next_run_at=None)
    edited(sequence, acme, now)
    publish(sequence, by=acme.alice, now=now)
    assert Enrollment.objects.get(pk=gone).version_id == Version.objects.get(number=1).pk


def test_moving_thirty_people_takes_no_more_queries_than_moving_one(acme, now):
    counts = []
    for name, people in (("One", 1), ("Thirty", 30)):
        sequence = make_sequence(acme.acme, now, {"kind": "sms", "key": "A"}, {"kind": "sms", "key": "B"}, name=name)
        for _ in range(people):
            standing(sequence, acme, now, "B")
        edited(sequence, acme, now)
        with CaptureQueriesContext(connection) as queries:
            publish(sequence, by=acme.alice, now=now)
        counts.append(len(queries))
        assert set(sequence.enrollments.values_list("version__number", flat=True)) == {2}
    assert counts[0] == counts[1]


def test_a_paused_sequence_stays_paused_when_a_new_version_comes(acme, now):
    sequence = three(acme, now)
    definitions.pause_sequence(sequence, by=acme.alice, now=now)
    edited(sequence, acme, now)
    publish(sequence, by=acme.alice, now=now)
    assert sequence.status == "paused"


def test_a_custom_field_is_known_once_a_contact_has_it(acme, now):
    assert "custom.size" not in known_variables()
    make_contact(acme.acme, now, custom_fields={"size": 9, "shoe size": 9})
    assert {"custom.size", "custom['shoe size']", "first_name", "last_sms_reply"} <= set(known_variables())


def test_a_strangers_custom_field_is_not_known(acme, now):
    make_contact(acme.charlie.tenant, now, custom_fields={"secret": 1})
    assert "custom.secret" not in known_variables()


def test_a_review_names_what_was_added_removed_moved_and_edited(acme, now):
    sequence = three(acme, now)
    draft = edited(sequence, acme, now)
    by = {"by": acme.alice, "now": now}
    definitions.update_step(draft, "A", revision=0, body="Hello dear {{ first_name }}", **by)
    definitions.delete_step(draft, "w", revision=1, **by)
    definitions.move_step(draft, "C", "up", revision=2, **by)
    definitions.add_step(draft, kind="task", name="Call", key="T", after="B", revision=3, **by)
    told = review(sequence, draft)
    assert sorted((each.what, each.step.key) for each in told.changes) == [
        ("added", "T"),
        ("edited", "A"),
        ("moved", "C"),
        ("removed", "w"),
    ]
    edit = next(each for each in told.changes if each.what == "edited")
    assert ("ins", " dear") in edit.changes[0].pieces
    assert told.blocked is False
