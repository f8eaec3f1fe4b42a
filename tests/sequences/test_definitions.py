"""The verbs that change sequences and their drafts."""

import itertools

import pytest

from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences import definitions
from sequences.definitions import NameTaken, NoSuchStep, StaleDraft, StaleSettings
from sequences.models import Edge, Sequence, Step, Version
from sequences.publishing import publish
from tests.making import make_contact, make_enrollment, make_sequence

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(people):
    with tenant_context(people.acme.pk):
        yield people


@pytest.fixture
def draft(acme, now):
    sequence = definitions.create_sequence(name="Spring", by=acme.alice, now=now)
    return definitions.ensure_draft(sequence, by=acme.alice, now=now)


def add(draft, by, now, kind="sms", **content):
    draft.refresh_from_db()
    return definitions.add_step(draft, kind=kind, revision=draft.revision, by=by, now=now, **content)


def keys(version):
    return list(Step.objects.filter(version=version).values_list("key", flat=True))


def line(version):
    return [
        (edge.source.key, edge.target.key)
        for edge in Edge.objects.filter(version=version).select_related("source", "target").order_by("source__position")
    ]


def test_a_new_sequence_is_an_empty_draft_owned_by_its_maker(acme, now):
    sequence = definitions.create_sequence(name="  Spring ", by=acme.bob, now=now)
    assert (sequence.name, sequence.status, sequence.owner, sequence.published) == ("Spring", "draft", acme.bob, None)
    assert Version.objects.get(sequence=sequence).published_at is None
    assert Event.objects.get(kind="sequence.created").actor == f"member:{acme.bob.pk}"


def test_two_sequences_cannot_have_one_name_however_it_is_spelt(acme, now):
    definitions.create_sequence(name="Spring", by=acme.bob, now=now)
    with pytest.raises(NameTaken):
        definitions.create_sequence(name="SPRING", by=acme.bob, now=now)
    assert Sequence.objects.count() == 1


def test_steps_stand_where_they_were_put_and_the_line_joins_them(acme, draft, now):
    first = add(draft, acme.alice, now)
    last = add(draft, acme.alice, now, after=first.key)
    middle = add(draft, acme.alice, now, kind="wait", after=first.key)
    top = add(draft, acme.alice, now, kind="email")
    assert keys(draft) == [top.key, first.key, middle.key, last.key]
    assert line(draft) == [(top.key, first.key), (first.key, middle.key), (middle.key, last.key)]
    assert middle.config["days"] == 2


def test_a_stale_revision_changes_nothing_and_says_the_present_one(acme, draft, now):
    step = add(draft, acme.alice, now, body="Hello")
    changes = (
        lambda: definitions.update_step(draft, step.key, revision=0, by=acme.bob, now=now, body="Mine"),
        lambda: definitions.move_step(draft, step.key, "down", revision=0, by=acme.bob, now=now),
        lambda: definitions.delete_step(draft, step.key, revision=0, by=acme.bob, now=now),
        lambda: definitions.add_step(draft, kind="sms", revision=0, by=acme.bob, now=now),
        lambda: definitions.duplicate_step(draft, step.key, revision=0, by=acme.bob, now=now),
        lambda: definitions.disable_step(draft, step.key, revision=0, by=acme.bob, now=now),
    )
    for change in changes:
        with pytest.raises(StaleDraft) as caught:
            change()
        assert caught.value.revision == 1
    assert list(Step.objects.filter(version=draft).values_list("body", "enabled")) == [("Hello", True)]
    assert not Event.objects.filter(actor=f"member:{acme.bob.pk}").exists()


def test_every_change_counts_the_revision_up_and_leaves_one_event(acme, draft, now):
    step = add(draft, acme.alice, now)
    definitions.update_step(draft, step.key, revision=1, by=acme.alice, now=now, body="Hi")
    definitions.disable_step(draft, step.key, revision=2, by=acme.alice, now=now)
    definitions.enable_step(draft, step.key, revision=3, by=acme.alice, now=now)
    definitions.duplicate_step(draft, step.key, revision=4, by=acme.alice, now=now)
    definitions.move_step(draft, step.key, "down", revision=5, by=acme.alice, now=now)
    definitions.delete_step(draft, step.key, revision=6, by=acme.alice, now=now)
    draft.refresh_from_db()
    assert draft.revision == 7
    assert list(Event.objects.order_by("id").values_list("kind", flat=True))[-7:] == [
        "sequence.step_added",
        *["sequence.step_changed"] * 3,
        "sequence.step_added",
        "sequence.step_moved",
        "sequence.step_deleted",
    ]


@pytest.mark.parametrize(
    ("key", "to", "order"),
    [
        ("b", "up", "bacd"),
        ("b", "down", "acbd"),
        ("a", "up", "abcd"),
        ("d", "down", "abcd"),
        ("d", 0, "dabc"),
        ("a", 99, "bcda"),
        ("a", 2, "bcad"),
    ],
)
def test_a_step_moves_and_stops_at_the_ends(acme, draft, now, key, to, order):
    for letter in "dcba":
        add(draft, acme.alice, now, key=letter)
    definitions.move_step(draft, key, to, revision=4, by=acme.alice, now=now)
    assert "".join(keys(draft)) == order
    assert line(draft) == list(itertools.pairwise(order))


def test_nothing_follows_an_exit_unless_it_is_switched_off(acme, draft, now):
    for key, kind in (("c", "sms"), ("b", "exit"), ("a", "sms")):
        add(draft, acme.alice, now, kind=kind, key=key)
    assert line(draft) == [("a", "b")]
    definitions.disable_step(draft, "b", revision=3, by=acme.alice, now=now)
    assert line(draft) == [("a", "b"), ("b", "c")]


def test_a_deleted_step_can_be_put_back_exactly_where_it_was(acme, draft, now):
    for letter in "cba":
        add(draft, acme.alice, now, key=letter, body=f"text {letter}")
    kept = definitions.delete_step(draft, "b", revision=3, by=acme.alice, now=now)
    assert keys(draft) == ["a", "c"]
    back = definitions.restore_step(draft, kept, revision=4, by=acme.alice, now=now)
    assert keys(draft) == ["a", "b", "c"]
    assert back.body == "text b"


def test_a_step_put_back_after_its_neighbour_went_too_stands_last(acme, draft, now):
    for letter in "cba":
        add(draft, acme.alice, now, key=letter)
    kept = definitions.delete_step(draft, "b", revision=3, by=acme.alice, now=now)
    definitions.delete_step(draft, "a", revision=4, by=acme.alice, now=now)
    definitions.restore_step(draft, kept, revision=5, by=acme.alice, now=now)
    assert keys(draft) == ["c", "b"]


def test_a_step_that_is_gone_is_named(acme, draft, now):
    add(draft, acme.alice, now)
    with pytest.raises(NoSuchStep, match="nothere"):
        definitions.update_step(draft, "nothere", revision=1, by=acme.alice, now=now, body="x")
    draft.refresh_from_db()
    assert draft.revision == 1


def test_only_content_can_be_changed_through_the_content_verb(acme, draft, now):
    step = add(draft, acme.alice, now)
    with pytest.raises(ValueError, match="version_id"):
        definitions.update_step(draft, step.key, revision=1, by=acme.alice, now=now, version_id=1)
    assert Step.objects.get(pk=step.pk).version_id == draft.pk


def test_a_draft_of_a_published_version_keeps_the_step_keys(acme, now):
    sequence = make_sequence(acme.acme, now, {"kind": "sms"}, {"kind": "wait"}, {"kind": "email", "subject": "Hi"})
    draft = definitions.ensure_draft(sequence, by=acme.alice, now=now)
    assert draft.number == 2
    assert keys(draft) == keys(sequence.published)
    assert len(line(draft)) == 2
    assert definitions.ensure_draft(sequence, by=acme.alice, now=now) == draft


def test_a_draft_is_made_of_what_is_published_now_whatever_the_caller_read_before(acme, now):
    sequence = make_sequence(acme.acme, now, {"kind": "sms", "body": "One"})
    read_before = Sequence.objects.get(pk=sequence.pk)
    first = definitions.ensure_draft(sequence, by=acme.alice, now=now)
    add(first, acme.bob, now, kind="wait")
    add(first, acme.bob, now, kind="sms", body="Two")
    publish(sequence, by=acme.bob, now=now)
    second = definitions.ensure_draft(read_before, by=acme.alice, now=now)
    assert keys(second) == keys(first)
    assert len(keys(second)) == 3


def test_a_published_version_cannot_be_changed_by_any_verb(acme, now):
    sequence = make_sequence(acme.acme, now, {"kind": "sms", "key": "one"})
    version = sequence.published
    for change in (
        lambda: definitions.update_step(version, "one", revision=0, by=acme.alice, now=now, body="Rewritten"),
        lambda: definitions.delete_step(version, "one", revision=0, by=acme.alice, now=now),
        lambda: definitions.add_step(version, kind="sms", revision=0, by=acme.alice, now=now),
    ):
        with pytest.raises(StaleDraft) as caught:
            change()
        assert caught.value.revision is None
    assert Step.objects.get(version=version).body == "Hello {{ first_name }}"


def test_a_copy_has_the_steps_under_keys_of_its_own_and_nobody_in_it(acme, now):
    sequence = make_sequence(acme.acme, now, {"kind": "sms", "body": "One"}, {"kind": "sms", "body": "Two"})
    first = definitions.duplicate_sequence(sequence, by=acme.bob, now=now)
    second = definitions.duplicate_sequence(sequence, by=acme.bob, now=now)
    assert (first.name, second.name) == ("Welcome (copy)", "Welcome (copy 2)")
    assert (first.status, first.owner, first.send_window) == ("draft", acme.bob, sequence.send_window)
    steps = Step.objects.filter(version__sequence=first)
    assert [step.body for step in steps] == ["One", "Two"]
    assert not {step.key for step in steps} & set(keys(sequence.published))


def test_pausing_resuming_and_archiving_happen_once(acme, now):
    sequence = make_sequence(acme.acme, now)
    by = {"by": acme.alice, "now": now}
    assert definitions.pause_sequence(sequence, **by) is True
    assert definitions.pause_sequence(sequence, **by) is False
    assert definitions.resume_sequence(sequence, **by) is True
    assert definitions.resume_sequence(sequence, **by) is False
    assert definitions.archive_sequence(sequence, **by) is True
    assert definitions.archive_sequence(sequence, **by) is False
    assert definitions.resume_sequence(sequence, **by) is False
    assert definitions.restore_sequence(sequence, **by) is True
    sequence.refresh_from_db()
    assert sequence.status == "paused"
    assert Event.objects.filter(subject_id=sequence.pk, subject_type="sequence").count() == 4


def test_resuming_makes_everybody_due_whom_the_pause_had_stopped(acme, now):
    sequence = make_sequence(acme.acme, now)
    definitions.pause_sequence(sequence, by=acme.alice, now=now)
    stopped = make_enrollment(
        sequence, make_contact(acme.acme, now), now, next_run_at=None, status_reason="sequence_paused"
    )
    waiting = make_enrollment(sequence, make_contact(acme.acme, now), now, next_run_at=None)
    definitions.resume_sequence(sequence, by=acme.alice, now=now)
    stopped.refresh_from_db()
    waiting.refresh_from_db()
    assert (stopped.next_run_at, waiting.next_run_at) == (now, None)


def test_an_archived_name_is_free_and_bringing_it_back_then_says_so(acme, now):
    old = make_sequence(acme.acme, now)
    definitions.archive_sequence(old, by=acme.alice, now=now)
    make_sequence(acme.acme, now)
    with pytest.raises(NameTaken):
        definitions.restore_sequence(old, by=acme.alice, now=now)
    assert Sequence.objects.get(pk=old.pk).status == "archived"


def test_settings_of_two_people_do_not_overwrite_each_other(acme, now):
    sequence = make_sequence(acme.acme, now)
    seen = definitions.settings_digest(sequence)
    definitions.update_settings(sequence, seen=seen, by=acme.alice, now=now, name="Hello", allow_reentry=True)
    with pytest.raises(StaleSettings):
        definitions.update_settings(sequence, seen=seen, by=acme.bob, now=now, name="Goodbye")
    sequence.refresh_from_db()
    assert (sequence.name, sequence.allow_reentry) == ("Hello", True)


def test_a_setting_cannot_take_another_sequences_name(acme, now):
    make_sequence(acme.acme, now, name="Taken")
    sequence = make_sequence(acme.acme, now)
    seen = definitions.settings_digest(sequence)
    with pytest.raises(NameTaken):
        definitions.update_settings(sequence, seen=seen, by=acme.alice, now=now, name="taken")
    assert Sequence.objects.get(pk=sequence.pk).name == "Welcome"
