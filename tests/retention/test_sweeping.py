"""How the removal goes on: in spans, from where it was, whatever is killed and whatever has to stay."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, connections, transaction

from contacts import clearing as conversations
from contacts.memory import record_interaction, update_interaction
from contacts.models import Contact
from omnify.periodic import PERIODIC
from omnify.tenants import clearing
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Notification, Tenant
from omnify.tenants.retention import KINDS, Term
from omnify.tenants.tasks import clear_sessions
from sequences import clearing as messages
from sequences.models import Message
from sequences.tasks import clear_old
from tests.making import People, make_contact
from tests.retention.aged import DAY, YEAR, clear, fresh, sent, told, touch, words

pytestmark = pytest.mark.django_db


def test_the_workers_task_does_it_all(acme: Tenant, pat: Contact, now: datetime) -> None:
    at = acme.created_at + DAY  # near the beginning: a minute's share of work gets as far as that
    rows = [sent(pat, at), touch(pat, at)]
    with tenant_context(acme.pk):
        note = Notification.objects.create(type="reply", title="Pat wrote")
        Notification.objects.filter(pk=note.pk).update(created_at=at)
    assert sum(clear_old() for _ in range(3)) == 3
    assert words(rows[0]) == ("", "")
    assert not fresh(rows[1]).content_body
    assert "sequences.tasks.clear_old" in [task for _, task, _, cluster in PERIODIC if cluster == "slow"]


def test_sessions_that_ended_are_removed(db: None) -> None:
    for days in (-1, 1):
        Session.objects.create(session_key=f"key{days}", session_data="", expire_date=datetime.now(UTC) + days * DAY)
    clear_sessions()
    assert [row.session_key for row in Session.objects.all()] == ["key1"]


def test_nothing_to_do_costs_three_questions_a_kind(
    acme: Tenant, pat: Contact, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    clear()
    with django_assert_max_num_queries(5 * len(KINDS)):  # and a savepoint's begin and end
        assert clear() == 0


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
    acme: Tenant, pat: Contact, now: datetime
) -> None:
    """Eight years without a word are a few dozen questions; a day with very many is not one long transaction."""
    spans: list[timedelta] = []

    def clear_nothing(tenants: Any, after: datetime | None, upto: datetime) -> clearing.Cleared:
        if after is not None:
            spans.append(upto - after)
        return clearing.Cleared({acme.pk: 500}, reached=upto) if len(spans) in (20, 21) else clearing.Cleared({})

    clearing.sweep("nothing", Term.WORDS, clear_nothing)
    assert max(spans) == clearing.LONGEST
    assert len(spans) < 60
    assert spans[19] / 4 == spans[21]


def test_a_great_day_goes_in_pieces(acme: Tenant, pat: Contact, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (clearing, conversations, messages):
        monkeypatch.setattr(module, "AT_ONCE", 8)
    at = now - 3 * YEAR
    rows = [sent(pat, at + n * timedelta(seconds=1)) for n in range(30)]
    touches = [touch(make_contact(acme, now), at) for _ in range(15)]  # one moment
    pieces: list[int] = []
    original = clearing._move
    monkeypatch.setattr(
        clearing, "_move", lambda *given: pieces.append(sum(given[2].rows.values())) or original(*given)
    )
    assert clear() == 45
    assert max(pieces) == 8
    assert not any(words(each)[1] for each in rows)
    assert not any(fresh(each).content_body for each in touches)
    assert told(acme) == {"messages": 30, "conversation": 15}


def test_people_with_very_much_to_remove_go_in_pieces_too(
    acme: Tenant, pat: Contact, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (clearing, conversations, messages):
        monkeypatch.setattr(module, "AT_ONCE", 8)
    gone = [pat, make_contact(acme, now)]
    for each in gone:
        for n in range(15):
            sent(each, now - (50 + n) * DAY)
            touch(each, now - (50 + n) * DAY)
        Contact.objects.all_tenants().filter(pk=each.pk).update(deleted_at=now - (40 - each.pk % 2) * DAY)
    pieces: list[int] = []
    original = clearing._move
    monkeypatch.setattr(
        clearing, "_move", lambda *given: pieces.append(sum(given[2].rows.values())) or original(*given)
    )
    assert clear() == 60
    assert max(pieces) == 8
    assert told(acme) == {"erased messages": 30, "erased conversation": 30}
    assert clear() == 0


@pytest.mark.django_db(transaction=True)
def test_whoever_is_being_written_to_is_left_for_the_next_time(acme: Tenant, pat: Contact, now: datetime) -> None:
    """A STOP or a claim holds the person: it is not waited for, and what it writes is not overwritten."""
    old, other = touch(pat, now - 3 * YEAR), touch(make_contact(acme, now), now - 3 * YEAR)
    held, done = threading.Event(), threading.Event()

    def writer() -> None:
        with tenant_context(acme.pk):
            Contact.objects.filter(pk=pat.pk).update(last_sms_reply="just now")
            held.set()
            done.wait(30)
        connections.close_all()

    thread = threading.Thread(target=writer)
    thread.start()
    assert held.wait(30)
    assert conversations.clear() == 1
    assert fresh(old).content_body
    assert not fresh(other).content_body
    done.set()
    thread.join(30)
    touch(pat, now)
    assert conversations.clear() == 1
    assert not fresh(old).content_body
    assert fresh(pat).last_sms_reply == "just now"


def test_a_hold_in_the_middle_stops_the_next_piece_and_the_ledger_is_told(
    acme: Tenant, pat: Contact, now: datetime
) -> None:
    first, second = sent(pat, now - 5 * YEAR), sent(pat, now - 3 * YEAR)

    def held_after_the_first(tenants: Any, after: datetime | None, upto: datetime) -> clearing.Cleared:
        done = messages._by_age(tenants, after, upto)
        if done.rows:
            Tenant.objects.filter(pk=acme.pk).update(legal_hold=True)
        return done

    assert clearing.sweep(messages.MESSAGES, Term.WORDS, held_after_the_first) == 1
    assert not words(first)[1]
    assert words(second)[1]
    assert told(acme) == {"messages": 1}


def test_words_that_come_late_are_not_kept_for_ever(acme: Tenant, pat: Contact, now: datetime) -> None:
    """An event that was parked three years ago is tried again, and written at its own time: behind the mark."""
    clear()
    late = record_interaction(
        tenant_id=acme.pk,
        contact_id=pat.pk,
        channel="sms",
        direction="inbound",
        at=now - 3 * YEAR,
        body="hello?",
        provider_id="SM9",
    )
    call = touch(pat, now - 4 * YEAR, channel="voice", content_body="", content_summary="", emotional_analysis=None,
                 objections_raised=[], key_topics=[])  # fmt: skip
    with tenant_context(acme.pk):
        update_interaction(call.pk, content_body="what was said")
    assert clear() == 2
    assert (fresh(late).content_body, fresh(call).content_body) == ("", "")


def test_what_a_deleted_person_said_and_we_learn_late_goes_too(acme: Tenant, pat: Contact, now: datetime) -> None:
    Tenant.objects.filter(pk=acme.pk).update(keep_words_days=None)
    call = touch(pat, now - 50 * DAY, channel="voice")
    Contact.objects.all_tenants().filter(pk=pat.pk).update(deleted_at=now - 40 * DAY)
    assert clear() == 1
    with tenant_context(acme.pk):
        update_interaction(call.pk, content_body="what was said")
    assert clear() == 1
    assert fresh(call).content_body == ""


@pytest.mark.django_db(transaction=True)
def test_one_worker_at_a_time(acme: Tenant, pat: Contact, now: datetime) -> None:
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


def test_what_is_still_to_be_done_keeps_its_words_and_holds_the_mark(acme: Tenant, pat: Contact, now: datetime) -> None:
    held = sent(pat, now - 3 * YEAR, state="held")
    before, after = sent(pat, now - 3 * YEAR - DAY), sent(pat, now - 3 * YEAR + 100 * DAY)
    assert messages.clear() == 1
    assert (words(before), bool(words(held)[1])) == (("", ""), True)
    assert words(after)[1], "what is younger waits behind it"
    assert told(acme) == {"messages": 1}
    Message.objects.all_tenants().filter(pk=held.pk).update(state="expired")
    assert messages.clear() == 2
    assert words(held) == words(after) == ("", "")


@pytest.mark.parametrize(("state", "began"), [("ready", None), ("deferred", None), ("deferred", 3 * YEAR)])
def test_what_waits_although_its_time_was_over_years_ago_expires(
    acme: Tenant, pat: Contact, now: datetime, state: str, began: timedelta | None
) -> None:
    """Sending was switched off, and nobody came back: that keeps nobody's words, and is not sent when it is switched on."""
    Tenant.objects.filter(pk=acme.pk).update(sending_enabled=False)
    waits = sent(pat, now - 3 * YEAR, state=state, sending_started_at=now - began if began else None)
    fresh_one = sent(
        make_contact(acme, now), now - 3 * YEAR, state="ready", sending_started_at=None, expires_at=now + DAY
    )
    after = sent(pat, now - 3 * YEAR + 100 * DAY)
    assert messages.clear() == 1
    assert (fresh(waits).state, fresh(waits).state_reason, words(waits)) == ("expired", "expired", ("", ""))
    assert words(fresh_one)[1], "its time is not over"
    Message.objects.all_tenants().filter(pk=fresh_one.pk).update(state="sent")
    assert messages.clear() == 2
    assert words(after) == ("", "")


def test_one_workspaces_unfinished_business_is_not_in_anothers_way(acme: Tenant, people: People, now: datetime) -> None:
    sent(make_contact(people.charlie.tenant, now), now - 4 * YEAR, state="held")
    gone = sent(make_contact(acme, now), now - 3 * YEAR)
    assert messages.clear() == 1
    assert words(gone) == ("", "")


def test_a_second_day_removes_a_day(acme: Tenant, pat: Contact, now: datetime) -> None:
    message = sent(pat, now - 700 * DAY)
    clear()
    assert words(message)[1]
    Tenant.objects.filter(pk=acme.pk).update(keep_words_days=690)
    assert clear() == 1
    assert words(message) == ("", "")
