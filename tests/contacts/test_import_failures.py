"""Imports that meet junk, a kill, a rival, a cancel, another tenant or a hundred thousand rows."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django_q.models import OrmQ

from contacts.importing import jobs, packing, passes, sweeping
from contacts.importing.encodings import Unreadable
from contacts.models import Consent, Contact, ImportJob, ImportProblem
from omnify.tenants.context import tenant_context
from tests.contacts.conftest import COLUMN, LIST, again, counts
from tests.making import make_contact, start_import

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04 and the rest of a workbook", "Excel workbook"),
        (bytes(range(256)) * 40, "not a text file"),
        (b"email\n", "no rows below"),
        (b"a@x.example,b\nc@x.example,d\n", "a person already"),
        (b'email,note\n"a@x.example,' + b"x" * 200_000, "never closed"),
    ],
)
def test_junk_is_refused_with_a_sentence_and_leaves_nothing_behind(upload, acme, settings, content, sentence) -> None:
    with pytest.raises(Unreadable, match=sentence):
        upload(content)
    assert not ImportJob.objects.exists()
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_a_file_that_breaks_in_the_middle_fails_in_the_review_with_nothing_written(reviewed, acme) -> None:
    good = "".join(f"p{n}@x.example,{n}\n" for n in range(2000))
    job = reviewed("Email,Note\n" + good + '"p@x.example,' + "y" * 200_000)
    assert job.state == "failed"
    assert "Row 2002" in job.problem
    assert not Contact.objects.exists()


def test_a_cancelled_import_stops_at_the_next_chunk_and_says_what_was_done(
    reviewed, acme, people, now, monkeypatch
) -> None:
    monkeypatch.setattr(passes, "CHUNK", 10)
    job = reviewed("Email\n" + "".join(f"p{n}@x.example\n" for n in range(50)))
    jobs.start_import(job, by=people.bob, now=now)
    looks = []

    def cancelling() -> float:
        looks.append(1)  # the first look is at the beginning, the others are between two chunks
        if len(looks) == 3:
            assert jobs.cancel(job, by=people.bob, now=now)
        return 0.0

    assert passes.run(acme.pk, job.pk, now=now, seconds=9.0, clock=cancelling) is False
    job = again(job)
    assert (job.state, job.rows_done, job.count_new, Contact.objects.count()) == ("cancelled", 20, 20, 20)


def test_a_killed_import_goes_on_where_it_was_and_counts_nobody_twice(reviewed, acme, people, now, monkeypatch) -> None:
    monkeypatch.setattr(passes, "CHUNK", 10)
    rows = "".join(f"p{n % 40}@x.example\n" for n in range(50)) + "not an address\n"
    job = reviewed("Email\n" + rows)
    expected = counts(job)
    jobs.start_import(job, by=people.bob, now=now)
    load, chunks = passes.load, []

    def killed(*args, **kwargs):
        chunks.append(1)
        if len(chunks) == 3:
            raise KeyboardInterrupt
        return load(*args, **kwargs)

    monkeypatch.setattr(passes, "load", killed)
    with pytest.raises(KeyboardInterrupt):
        passes.run(acme.pk, job.pk, now=now)
    assert (again(job).rows_done, Contact.objects.count()) == (20, 20)
    monkeypatch.setattr(passes, "load", load)
    assert passes.run(acme.pk, job.pk, now=now) is True
    job = again(job)
    assert (job.state, counts(job), Contact.objects.count()) == ("done", expected, 40)
    assert ImportProblem.objects.filter(job=job, fatal=True).values("row").distinct().count() == 1


def test_two_workers_on_one_job_cannot_both_win_a_chunk(reviewed, acme, people, now, monkeypatch) -> None:
    job = reviewed("Email\na@x.example\n")
    jobs.start_import(job, by=people.bob, now=now)
    load = passes.load

    def overtaken(*args, **kwargs):
        ImportJob.objects.filter(pk=job.pk).update(rows_done=1)
        return load(*args, **kwargs)

    monkeypatch.setattr(passes, "load", overtaken)
    assert passes.run(acme.pk, job.pk, now=now) is False
    assert not Contact.objects.exists()


def test_somebody_made_by_another_meanwhile_is_left_as_they_are(reviewed, acme, people, now, monkeypatch) -> None:
    job = reviewed("Email,Phone,SMS consent\na@x.example,2125550100,yes\nb@x.example,2125550101,yes\n", consent=COLUMN)
    start_import(job, by=people.bob, signed_by=people.alice, now=now)
    load = passes.load

    def overtaken(*args, **kwargs):
        make_contact(acme, now, email="a@x.example", first_name="Theirs", consents=())
        return load(*args, **kwargs)

    monkeypatch.setattr(passes, "load", overtaken)
    assert passes.run(acme.pk, job.pk, now=now) is True
    assert counts(again(job)) == (1, 0, 1, 0)
    assert Contact.objects.get(email="a@x.example").first_name == "Theirs"
    assert [consent.contact.email for consent in Consent.objects.all()] == ["b@x.example"]


def test_verbs_refuse_what_the_job_is_not_ready_for(mapped, acme, people, now) -> None:
    job = mapped(LIST)
    assert jobs.start_import(job, by=people.bob, now=now) is False
    assert jobs.start_review(job, by=people.bob, now=now) is True
    assert jobs.start_review(job, by=people.bob, now=now) is False
    assert jobs.cancel(job, by=people.bob, now=now) is True
    assert jobs.cancel(job, by=people.bob, now=now) is False
    assert passes.run(acme.pk, job.pk, now=now) is False


@pytest.mark.parametrize(
    ("consent", "sentence"),
    [
        ({}, "Say what these people agreed to"),
        ({"basis": "stated", "source": "x"}, "which channels"),
        ({"basis": "stated", "channels": {"sms": "pewc_text"}}, "where they agreed"),
        ({"basis": "stated", "channels": {"sms": "email_optin"}, "source": "x"}, "does not exist for that channel"),
        ({"basis": "column", "source": "x"}, "No column is mapped"),
    ],
)
def test_a_list_is_not_taken_without_saying_what_its_people_agreed_to(
    upload, acme, people, now, consent, sentence
) -> None:
    job = upload("Email\na@x.example\n")
    with pytest.raises(jobs.Refused, match=sentence):
        jobs.set_mapping(
            job, {0: "email"}, consent=consent, duplicates="update", region="US", tags=[], by=people.bob, now=now
        )


@pytest.mark.parametrize("basis", ["column", "stated"])
def test_where_they_agreed_is_asked_only_if_no_column_says_it(upload, acme, people, now, basis) -> None:
    job = upload("Email,Email consent,Consent source\na@x.example,yes,Fair\n")
    consent = {"basis": basis, "channels": {"email": "email_optin"} if basis == "stated" else {}, "source": " "}
    more = {"consent": consent, "duplicates": "update", "region": "US", "tags": [], "by": people.bob, "now": now}
    mapped = {0: "email", 1: "consent_email"}
    with pytest.raises(jobs.Refused, match="where they agreed"):
        jobs.set_mapping(job, mapped, **more)
    assert jobs.set_mapping(job, mapped | {2: "consent_source"}, **more)


def test_another_tenant_s_contacts_are_neither_found_nor_touched(imported, people, now) -> None:
    theirs = make_contact(people.charlie.tenant, now, email="ann@x.example", first_name="Theirs")
    job = imported(LIST)
    with tenant_context(people.charlie.tenant_id):
        theirs.refresh_from_db()
        assert (theirs.first_name, Contact.objects.count(), counts(job)[0]) == ("Theirs", 1, 3)


def test_a_deleted_contact_does_not_come_back_to_life_but_may_come_again(imported, acme, now) -> None:
    make_contact(acme, now, email="ann@x.example", deleted_at=now)
    job = imported("Email\nann@x.example\n")
    assert counts(job)[0] == 1
    assert Contact.objects.alive().count() == 1


def test_what_a_killed_worker_left_is_started_again(mapped, acme, people, now) -> None:
    job = mapped(LIST)
    jobs.start_review(job, by=people.bob, now=now)
    OrmQ.objects.all().delete()
    assert sweeping.wake() == 1
    assert OrmQ.objects.filter(key="slow").count() == 1
    passes.run(acme.pk, job.pk, now=now)
    assert sweeping.wake() == 0


def test_an_upload_nobody_went_on_with_is_gone_after_a_week(upload, acme, now) -> None:
    job = upload(LIST)
    assert sweeping.discard(now=job.created_at + timedelta(days=6)) == 0
    assert sweeping.discard(now=job.created_at + timedelta(days=8)) == 1
    assert again(job).state == "cancelled"
    assert not passes.path_of(job).exists()


def test_the_temporary_tables_are_gone_after_a_pass(imported, acme) -> None:
    imported(LIST)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.import_row'), to_regclass('pg_temp.import_seen')")
        assert cursor.fetchone() == (None, None)
    assert packing.array(['a"b', "c\\d", "e,f"]) == '{"a\\"b","c\\\\d","e,f"}'


def memory() -> float:
    """Resident memory of this process in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


@pytest.mark.slow
def test_a_hundred_thousand_rows_come_in_within_a_minute_and_with_flat_memory(reviewed, acme, people, now) -> None:
    areas = (212, 415, 312, 713, 617)
    body = "".join(
        f"Ann{n},Lee,ann{n}@x{n % 999}.example,({areas[n % 5]}) {200 + n % 799}-{n % 10000:04d},Acme {n % 500},NY,{'yes' if n % 2 else 'no'}\n"
        for n in range(100_000)
    )
    before = memory()
    job = reviewed("First name,Last name,Email,Phone,Company,State,SMS consent\n" + body, consent=COLUMN)
    start_import(job, by=people.bob, signed_by=people.alice, now=now)
    start = time.monotonic()
    passes.run(acme.pk, job.pk, now=now)
    took, grown, job = time.monotonic() - start, memory() - before, again(job)
    assert (job.state, counts(job)) == ("done", (100_000, 0, 0, 0))
    assert Consent.objects.count() == 50_000
    assert grown < 150, f"{grown:.0f} MB"
    assert took < 60, f"{took:.0f} s"
    with connection.cursor() as cursor:
        # As autovacuum would by now; without it this test's last act, the check of 300,000 foreign keys, takes minutes.
        cursor.execute("SET ROLE NONE")
        cursor.execute("ANALYZE contacts_contact, contacts_company, contacts_consent")
