"""How the removal goes on: in spans, from where it was, whatever is killed and whatever has to stay."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from contacts.models import Contact
from omnify.tenants import clearing
from omnify.tenants.models import Tenant
from omnify.tenants.retention import Term
from sequences import clearing as messages
from sequences.models import Message
from tests.making import People, make_contact
from tests.retention.aged import DAY, YEAR, clear, sent, told, words

pytestmark = pytest.mark.django_db


def test_nothing_to_do_costs_two_questions_a_kind(
    acme: Tenant, pat: Contact, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    clear()
    with django_assert_max_num_queries(7 * 5):  # the lock, marks, workspaces, and a savepoint's begin and end
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


def test_a_second_day_removes_a_day(acme: Tenant, pat: Contact, now: datetime) -> None:
    message = sent(pat, now - 700 * DAY)
    clear()
    assert words(message)[1]
    Tenant.objects.filter(pk=acme.pk).update(keep_words_days=690)
    assert clear() == 1
    assert words(message) == ("", "")
