"""What has been kept long enough goes, and nothing else does: not a day early, not another's, not what is still to be done."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from contacts import clearing as conversations
from contacts.models import Contact, ImportJob, ImportProblem, Interaction, Suppression
from omnify.tenants import clearing
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Notification, RetentionMark, Tenant
from omnify.tenants.retention import Term
from sequences import clearing as messages
from sequences.models import Enrollment, Execution, Message, ProviderEvent, Task
from tests.everything import fingerprint
from tests.making import People, make_contact, make_enrollment, make_senders, make_sequence

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
YEAR = 365 * DAY


@pytest.fixture
def now() -> datetime:
    """The database itself looks whether a term is over, so these tests live in the present."""
    return datetime.now(UTC)


@pytest.fixture
def acme(people: People, now: datetime) -> Tenant:
    """A workspace of eight years, which keeps words for two."""
    Tenant.objects.update(created_at=now - 8 * YEAR, keep_words_days=730)
    people.acme.refresh_from_db()
    return people.acme


@pytest.fixture
def pat(acme: Tenant, now: datetime) -> Contact:
    return make_contact(acme, now)


def sent(contact: Contact, at: datetime, **fields: Any) -> Message:
    """A message of that time, as it is after it was sent."""
    defaults = {
        "channel": "email", "to_address": contact.email, "subject": "Hello", "body": "Hello Pat, about your roof.",
        "state": "delivered", "state_at": at, "created_at": at, "not_before": at, "expires_at": at + DAY,
        "sending_started_at": at,
    }  # fmt: skip
    with tenant_context(contact.tenant_id):
        return Message.objects.create(contact=contact, **defaults | fields)


def touch(contact: Contact, at: datetime, **fields: Any) -> Interaction:
    defaults = {
        "channel": "sms", "direction": "inbound", "content_subject": "", "content_body": "Call my lawyer about the roof",
        "content_summary": "wants a call", "objections_raised": ["price"], "key_topics": ["roof"], "sentiment": "negative",
        "outcome": "replied", "emotional_analysis": {"anger": 3},
    }  # fmt: skip
    with tenant_context(contact.tenant_id):
        return Interaction.objects.create(contact=contact, at=at, **defaults | fields)


def fresh(row: Any) -> Any:
    return type(row).objects.all_tenants().get(pk=row.pk)


def words(message: Message) -> tuple[str, str]:
    row = fresh(message)
    return row.subject, row.body


def clear() -> int:
    return conversations.clear() + messages.clear() + clearing.clear()


def told(tenant: Tenant) -> dict[str, int]:
    rows = Event.objects.all_tenants().filter(tenant=tenant, kind="retention.cleared")
    return {row.data["what"]: row.data["rows"] for row in rows}


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


def test_nothing_to_do_costs_two_questions_a_kind(
    acme: Tenant, pat: Contact, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    clear()
    with django_assert_max_num_queries(7 * 5):  # the lock, marks, workspaces, and a savepoint's begin and end
        assert clear() == 0


def test_a_second_day_removes_a_day(acme: Tenant, pat: Contact, now: datetime) -> None:
    message = sent(pat, now - 700 * DAY)
    clear()
    assert words(message)[1]
    Tenant.objects.filter(pk=acme.pk).update(keep_words_days=690)
    assert clear() == 1
    assert words(message) == ("", "")


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


def test_what_is_still_to_be_done_keeps_its_words_and_holds_the_mark(acme: Tenant, pat: Contact, now: datetime) -> None:
    held = sent(pat, now - 3 * YEAR, state="held")
    before, after = sent(pat, now - 3 * YEAR - DAY), sent(pat, now - 3 * YEAR + 100 * DAY)
    other = sent(make_contact(acme, now), now - 3 * YEAR, state="ready", sending_started_at=None)
    assert messages.clear() == 1
    assert (words(before), bool(words(held)[1]), bool(words(other)[1])) == (("", ""), True, True)
    assert words(after)[1], "what is younger waits behind it"
    assert told(acme) == {"messages": 1}
    Message.objects.all_tenants().filter(pk__in=[held.pk, other.pk]).update(state="expired")
    assert messages.clear() == 3
    assert words(held) == words(after) == words(other) == ("", "")


def test_one_workspaces_unfinished_business_is_not_in_anothers_way(acme: Tenant, people: People, now: datetime) -> None:
    sent(make_contact(people.charlie.tenant, now), now - 4 * YEAR, state="held")
    gone = sent(make_contact(acme, now), now - 3 * YEAR)
    assert messages.clear() == 1
    assert words(gone) == ("", "")


def test_whoever_is_killed_on_the_way_has_removed_nothing(
    acme: Tenant, pat: Contact, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = sent(pat, now - 3 * YEAR)

    class Killed(BaseException):
        pass

    def die(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(clearing, "_move", die)
        with pytest.raises(Killed), transaction.atomic():
            messages.clear()
    assert words(message)[1]
    assert messages.clear() == 1


def test_it_goes_on_where_its_time_was_over(acme: Tenant, pat: Contact, now: datetime) -> None:
    rows = [sent(pat, now - 8 * YEAR + n * DAY) for n in (1, 2, 3)]
    removed = [clearing.sweep(messages.MESSAGES, Term.WORDS, messages._by_age, seconds=0) for _ in range(80)]
    assert sum(removed) == 3
    assert max(removed) == 1, "one span of an hour each"
    assert not any(words(each)[1] for each in rows)


def test_a_full_span_makes_the_next_one_shorter_and_an_empty_one_longer(
    acme: Tenant, pat: Contact, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight years without a word are a few dozen questions; a day with very many is not one long transaction."""
    spans: list[timedelta] = []

    def clear_nothing(tenants: Any, after: datetime | None, upto: datetime) -> clearing.Cleared:
        if after is not None:
            spans.append(upto - after)
        return clearing.Cleared({acme.pk: clearing.MUCH + 1} if len(spans) in (50, 51) else {})

    clearing.sweep("nothing", Term.WORDS, clear_nothing)
    assert max(spans) == clearing.LONGEST
    assert len(spans) < 120
    assert spans[49] / 4 == spans[51]


@pytest.mark.parametrize("role", ["omnify_web", "omnify_system"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sequences_message SET body = '', subject = '' WHERE created_at > now() - interval '700 days'",
        "UPDATE sequences_message SET body = 'other words', subject = ''",
        "UPDATE sequences_message SET body = ''",  # half of it
        "UPDATE sequences_message SET body = '', subject = '', to_address = '+12125550000'",
        "UPDATE sequences_message SET body = '', subject = '' WHERE state = 'held'",
        "UPDATE contacts_interaction SET content_body = '', content_subject = '' WHERE at > now() - interval '700 days'",
        "UPDATE contacts_interaction SET content_body = 'other words'",
        "UPDATE contacts_interaction SET content_subject = 'other words'",
    ],
)
def test_the_database_lets_words_go_only_whole_and_only_after_their_term(
    acme: Tenant, pat: Contact, now: datetime, statement: str, role: str
) -> None:
    sent(pat, now - 3 * YEAR)
    sent(pat, now - 3 * YEAR, state="held")
    sent(pat, now - YEAR)
    touch(pat, now - YEAR)
    touch(pat, now - 3 * YEAR)
    with tenant_context(acme.pk), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        with pytest.raises(DatabaseError, match=r"stays as it was|permission denied"), transaction.atomic():
            cursor.execute(statement)
        cursor.execute("SET LOCAL ROLE omnify_system")


@pytest.mark.parametrize(
    "table", ["sequences_message SET body = '', subject = ''", "contacts_interaction SET content_body = ''"]
)
def test_the_web_role_removes_no_words_at_all(acme: Tenant, pat: Contact, now: datetime, table: str) -> None:
    sent(pat, now - 3 * YEAR)
    touch(pat, now - 3 * YEAR)
    with tenant_context(acme.pk), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE omnify_web")
        with pytest.raises(DatabaseError, match="stays as it was"), transaction.atomic():
            cursor.execute(f"UPDATE {table}")
        cursor.execute("SET LOCAL ROLE omnify_system")


def test_nobody_removes_words_under_a_legal_hold(acme: Tenant, pat: Contact, now: datetime) -> None:
    sent(pat, now - 3 * YEAR)
    Tenant.objects.filter(pk=acme.pk).update(legal_hold=True)
    with (
        tenant_context(acme.pk),
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="stays as it was"),
        transaction.atomic(),
    ):
        cursor.execute("UPDATE sequences_message SET body = '', subject = ''")


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
    clear()
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
    assert clear() == 4
    assert (fresh(done).body, fresh(done).headers, fresh(done).event_key) == ("", {}, "1")
    assert fresh(parked).body, "somebody has to look at it yet"
    assert fresh(decided).body, "counted from when it was decided about"
    assert [fresh(job).samples for job in jobs] == [[], [["Pat"]]]
    assert [each.job_id for each in ImportProblem.objects.all_tenants()] == [jobs[1].pk]
    assert Notification.objects.all_tenants().filter(tenant=acme).count() == 1
    assert told(acme) == {"lists": 2, "notifications": 1, "reports": 1}


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


@pytest.mark.django_db(transaction=True)
def test_one_worker_at_a_time(acme: Tenant, pat: Contact, now: datetime) -> None:
    import threading

    from django.db import connections

    sent(pat, now - 3 * YEAR)
    held, done = threading.Event(), threading.Event()

    def other() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [clearing.LOCK, messages.MESSAGES])
            held.set()
            done.wait(30)
        connections.close_all()

    thread = threading.Thread(target=other)
    thread.start()
    assert held.wait(30)
    assert messages.clear() == 0
    done.set()
    thread.join(30)
    assert messages.clear() == 1
