"""Two contacts become one while somebody else puts one of them into a sequence of the other's."""

import threading
import time
from datetime import datetime

import pytest
from django.db import connection, connections, transaction

from contacts.merging import MergeBlocked, merge
from contacts.models import Contact
from omnify.tenants.context import tenant_context
from sequences.models import Enrollment
from tests.making import People, make_contact, make_enrollment, make_sequence

WAITS = """SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE NOT l.granted AND a.datname = current_database()"""


@pytest.mark.django_db(transaction=True)
def test_who_is_enrolled_at_this_moment_is_merged_a_moment_later(people: People, now: datetime) -> None:
    sequence = make_sequence(people.acme, now)
    keep, gone = make_contact(people.acme, now), make_contact(people.acme, now)
    make_enrollment(sequence, gone, now)
    said: list[BaseException | bool] = []

    def unite() -> None:
        try:
            said.append(merge(keep, gone, by="member:1", now=now))
        except MergeBlocked as blocked:
            said.append(blocked)
        finally:
            connections.close_all()

    with tenant_context(people.acme.pk), transaction.atomic():
        make_enrollment(sequence, keep, now)
        thread = threading.Thread(target=unite)
        thread.start()
        until, waiting = time.monotonic() + 30, 0
        while not waiting and time.monotonic() < until:
            with connection.cursor() as cursor:
                cursor.execute(WAITS)
                waiting = cursor.fetchone()[0]
        assert waiting, "the merge waits for the enrolment that is not committed yet"
    thread.join(30)
    assert "being enrolled just now" in str(said[0])
    with tenant_context(people.acme.pk):
        assert Contact.objects.alive().filter(pk__in=(keep.pk, gone.pk)).count() == 2
        assert merge(keep, gone, by="member:1", now=now)
        assert Enrollment.objects.filter(contact=keep, sequence=sequence).count() == 1
