"""What has been kept long enough goes, and nothing else does: not a day early, not another's, not what is evidence."""

from datetime import datetime

import pytest
from django.db import DatabaseError, transaction

from contacts.models import Contact, ImportJob, ImportProblem, Suppression
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Notification, RetentionMark, Tenant
from sequences import clearing as messages
from sequences.models import Enrollment, Execution, ProviderEvent, Task
from tests.everything import fingerprint
from tests.making import People, make_contact, make_enrollment, make_senders, make_sequence
from tests.retention.aged import DAY, YEAR, clear, fresh, sent, told, touch, words

pytestmark = pytest.mark.django_db


def test_old_words_go_and_the_record_stays(acme: Tenant, pat: Contact, now: datetime) -> None:
    old, young = sent(pat, now - 3 * YEAR, provider_id="a", permit={"rules": ["US-hours"]}), sent(pat, now - YEAR)
    said, called, lately = (
        touch(pat, now - 3 * YEAR),
        touch(pat, now - 4 * YEAR, channel="voice"),
        touch(pat, now - YEAR),
    )
    assert clear() == 3
    assert words(old) == ("", "")
    assert words(young) == ("Hello", "Hello Pat, about your roof.")
    row = fresh(old)
    assert (row.to_address, row.state, row.provider_id, row.permit) == (
        pat.email,
        "delivered",
        "a",
        {"rules": ["US-hours"]},
    )
    for each in (fresh(said), fresh(called)):
        assert (each.content_body, each.content_summary, each.objections_raised, each.key_topics) == ("", "", [], [])
        assert each.emotional_analysis is None
        assert (each.outcome, each.sentiment, each.direction) == ("replied", "negative", "inbound")
    assert fresh(lately).content_body
    assert told(acme) == {"conversation": 2, "messages": 1}
    marks = dict(RetentionMark.objects.all_tenants().filter(tenant=acme).values_list("kind", "upto"))
    midnight = (now - 730 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    assert marks["messages"] == marks["conversation"] == midnight
    assert clear() == 0
    assert told(acme) == {"conversation": 2, "messages": 1}


def test_for_ever_is_for_ever_and_others_are_not_touched(acme: Tenant, people: People, now: datetime) -> None:
    Tenant.objects.filter(pk=people.charlie.tenant_id).update(keep_words_days=None)
    kept = [sent(make_contact(people.charlie.tenant, now), now - 7 * YEAR)]
    gone = sent(make_contact(acme, now), now - 7 * YEAR)
    assert clear() == 1
    assert words(gone) == ("", "")
    assert all(words(each)[1] for each in kept)
    assert not told(people.charlie.tenant)


def test_a_legal_hold_stops_everything(acme: Tenant, pat: Contact, now: datetime) -> None:
    message = sent(pat, now - 7 * YEAR)
    touch(pat, now - 7 * YEAR)
    with tenant_context(acme.pk):
        Notification.objects.create(type="reply", title="Pat wrote")
        Notification.objects.update(created_at=now - YEAR)
    Contact.objects.all_tenants().filter(pk=pat.pk).update(deleted_at=now - YEAR)
    Tenant.objects.filter(pk=acme.pk).update(legal_hold=True)
    assert clear() == 0
    assert words(message)[1]
    Tenant.objects.filter(pk=acme.pk).update(legal_hold=False)
    assert clear() == 3


def test_a_deleted_persons_words_go_after_a_month(acme: Tenant, now: datetime) -> None:
    gone, lately, alive = make_contact(acme, now), make_contact(acme, now), make_contact(acme, now)
    merged = make_contact(acme, now)
    rows = {
        each.pk: (sent(each, now - 40 * DAY), touch(each, now - 40 * DAY)) for each in (gone, lately, alive, merged)
    }
    sequence = make_sequence(acme, now, {"kind": "sms", "body": "Hi"}, {"kind": "exit"})
    enrollment = make_enrollment(sequence, gone, now, custom_variables={"car": "red"}, objections_detected=["price"])
    with tenant_context(acme.pk):
        task = Task.objects.create(
            enrollment=enrollment, contact=gone, title="Ring Pat", body="after six", created_at=now
        )
    everyone = Contact.objects.all_tenants()
    everyone.filter(pk=gone.pk).update(deleted_at=now - 32 * DAY)
    everyone.filter(pk=lately.pk).update(deleted_at=now - 20 * DAY)
    everyone.filter(pk=merged.pk).update(deleted_at=now - 32 * DAY, merged_into=alive)
    assert clear() == 2
    assert words(rows[gone.pk][0]) == ("", "")
    assert fresh(rows[gone.pk][1]).content_body == ""
    assert fresh(rows[gone.pk][0]).to_address == gone.email, "that they were written to is still to be proved"
    for each in (lately, alive, merged):
        assert words(rows[each.pk][0])[1]
        assert fresh(rows[each.pk][1]).content_body
    row = Enrollment.objects.all_tenants().get(pk=enrollment.pk)
    assert (row.custom_variables, row.objections_detected) == (None, None)
    assert (fresh(task).title, fresh(task).body) == ("Removed with the contact", "")
    assert told(acme) == {"erased conversation": 1, "erased messages": 1}


def test_a_contacts_memory_follows_its_conversation(acme: Tenant, now: datetime) -> None:
    told_us = {
        "last_sms_reply": "my lawyer", "last_call_summary": "angry", "conversation_summary": "wants out",
        "last_interaction_summary": "Texted us: my lawyer",
    }  # fmt: skip
    silent, active = make_contact(acme, now, **told_us), make_contact(acme, now, **told_us)
    for each in (silent, active):
        touch(each, now - 3 * YEAR)
        touch(each, now - 3 * YEAR, channel="voice")
    touch(active, now - DAY, direction="outbound", channel="email")
    tried_again = make_contact(acme, now, **told_us)
    touch(tried_again, now - 3 * YEAR, channel="voice")
    touch(tried_again, now - DAY, channel="voice", content_body="", content_summary="", outcome="no_answer")
    clear()
    assert fresh(tried_again).last_call_summary == "", "nobody answered since: it repeats the old call"
    row = fresh(silent)
    assert {name: getattr(row, name) for name in told_us} == dict.fromkeys(told_us, "")
    row = fresh(active)
    assert (row.last_sms_reply, row.last_call_summary) == ("", ""), "what they repeat is gone"
    assert (row.conversation_summary, row.last_interaction_summary) == ("wants out", "Texted us: my lawyer")


def test_raw_reports_lists_and_notifications_go_after_their_own_term(
    acme: Tenant, people: People, now: datetime
) -> None:
    sender = make_senders(acme)["sms"]
    with tenant_context(acme.pk):

        def event(key: str, state: str, days: int) -> ProviderEvent:
            return ProviderEvent.objects.create(
                sender=sender, provider="twilio", kind="inbound", event_key=key, body="Body=hello", headers={"a": "b"},
                received_at=now - 300 * DAY, applied_at=now - days * DAY, state=state,
            )  # fmt: skip

        done, parked, decided = event("1", "done", 100), event("2", "parked", 100), event("3", "done", 5)
        nobodys = event("4", "parked", 3 * 365)
        jobs = [
            ImportJob.objects.create(
                file_name="a.csv", file_path="a.csv", file_size=1, samples=[["Pat"]], created_by=people.alice, state=state,
                finished_at=now - days * DAY,
            )
            for state, days in (("done", 100), ("done", 10))
        ]  # fmt: skip
        for job in jobs:
            ImportProblem.objects.create(job=job, row=2, value="pat@", message="no address", raw=["Pat", "pat@"])
        for days in (100, 10):
            row = Notification.objects.create(type="reply", title="Pat wrote")
            Notification.objects.filter(pk=row.pk).update(created_at=now - days * DAY)
    assert clear() == 5
    row = fresh(nobodys)
    assert (row.state, row.body, row.problem) == ("done", "", "Its words are no longer kept.")
    assert (fresh(done).body, fresh(done).headers, fresh(done).event_key) == ("", {}, "1")
    assert fresh(parked).body, "somebody has to look at it yet"
    assert fresh(decided).body, "counted from when it was decided about"
    assert [fresh(job).samples for job in jobs] == [[], [["Pat"]]]
    assert [each.job_id for each in ImportProblem.objects.all_tenants()] == [jobs[1].pk]
    assert Notification.objects.all_tenants().filter(tenant=acme).count() == 1
    assert told(acme) == {"lists": 2, "notifications": 1, "reports": 1, "parked reports": 1}


def test_a_report_without_its_words_is_still_not_taken_twice(acme: Tenant, now: datetime) -> None:
    sender = make_senders(acme)["sms"]
    given = {
        "provider": "twilio",
        "kind": "inbound",
        "event_key": "SM1",
        "mark": "",
        "headers": {},
        "body": "Body=hello",
    }
    with tenant_context(acme.pk):
        ProviderEvent.objects.create(
            sender=sender, **given, received_at=now - 100 * DAY, applied_at=now - 100 * DAY, state="done"
        )
    assert messages.clear() == 1
    with pytest.raises(DatabaseError), transaction.atomic(), tenant_context(acme.pk):
        ProviderEvent.objects.create(sender=sender, **given, received_at=now)


def test_permissions_receipts_and_the_ledger_stay(acme: Tenant, pat: Contact, now: datetime) -> None:
    sequence = make_sequence(acme, now, {"kind": "sms", "body": "Hi"}, {"kind": "exit"})
    enrollment = make_enrollment(sequence, pat, now)
    with tenant_context(acme.pk):
        Suppression.objects.create(
            channel="sms", address=pat.phone, reason="opted_out", source="sms", created_at=now - 7 * YEAR
        )
        Execution.objects.create(
            enrollment=enrollment,
            sequence_id=sequence.pk,
            turn=1,
            visit=1,
            at=now - 7 * YEAR,
            decision="send",
            reason="due",
        )
        Event.objects.create(kind="contact.created", at=now - 7 * YEAR, actor="test")
    sent(pat, now - 7 * YEAR)
    tables = (
        "contacts_suppression",
        "contacts_consent",
        "sequences_execution",
        "sequences_enrollment",
        "sequences_step",
    )
    before = {name: mark for name, mark in fingerprint([acme.pk]).items() if name.startswith(tables)}
    events = set(Event.objects.all_tenants().values_list("pk", flat=True))
    assert clear() == 1
    assert {name: mark for name, mark in fingerprint([acme.pk]).items() if name.startswith(tables)} == before
    assert events < set(Event.objects.all_tenants().values_list("pk", flat=True))


def test_what_a_merge_left_with_a_persons_former_self_goes_with_them(acme: Tenant, now: datetime) -> None:
    """Both were in one sequence: the second enrolment stayed with the row that went into the other."""
    person, former = make_contact(acme, now), make_contact(acme, now)
    sequence = make_sequence(acme, now, {"kind": "sms", "body": "Hi"}, {"kind": "exit"})
    enrollment = make_enrollment(sequence, former, now, custom_variables={"car": "red"})
    everyone = Contact.objects.all_tenants()
    everyone.filter(pk=former.pk).update(deleted_at=now - YEAR, merged_into=person)
    everyone.filter(pk=person.pk).update(deleted_at=now - 32 * DAY)
    clear()
    assert Enrollment.objects.all_tenants().get(pk=enrollment.pk).custom_variables is None
