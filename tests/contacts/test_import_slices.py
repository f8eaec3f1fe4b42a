"""A long list lets other work of its cluster through: it stops after a while and goes on where it was."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django_q.models import OrmQ

from contacts import tasks
from contacts.importing import jobs, passes
from contacts.importing.staging import Staging
from contacts.models import Contact, ImportJob
from tests.contacts.conftest import again, counts
from tests.making import make_contact

pytestmark = pytest.mark.django_db

# p0 … p9 twice, in chunks of four; somebody known comes by his mailbox first and by his phone much later.
LIST = (
    "First name,Email,Phone\nKnown,known@x.example,\n"
    + "".join(f"P{n},p{n % 10}@x.example,21255501{n % 10:02d}\n" for n in range(20))
    + "Known,,2125550177\nP3,,2125550103\n"
)


class Hours:
    """A clock by which every look is an hour later: each slice is one chunk."""

    def __init__(self) -> None:
        self.now = itertools.count(0.0, 3_600.0)

    def __call__(self) -> float:
        return next(self.now)


@pytest.fixture
def ready(
    reviewed: Callable[..., ImportJob], acme: Any, people: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], ImportJob]:
    """A job whose import has begun, and no task in the queue."""
    monkeypatch.setattr(passes, "CHUNK", 4)
    make_contact(acme, now, first_name="Known", email="known@x.example", phone="+12125550177")

    def begin() -> ImportJob:
        job = reviewed(LIST)
        assert jobs.start_import(job, by=people.bob, now=now)
        OrmQ.objects.all().delete()
        return job

    return begin


def slices(job: ImportJob, now: Any, *, between: Callable[[ImportJob], object] = lambda job: None) -> int:
    """Runs slice after slice as long as the job asks for the next one; returns how many there were."""
    after: int | None = None
    for number in range(1, 30):
        assert passes.run(job.tenant_id, job.pk, now=now, seconds=10.0, after=after, clock=Hours()) is True
        asked = OrmQ.objects.filter(key="slow")
        if not asked.exists():
            return number
        assert asked.get().task["func"] == "contacts.tasks.run_import"
        after = again(job).rows_done
        assert asked.get().task["args"] == (job.tenant_id, job.pk, after)
        asked.delete()
        between(again(job))
    raise AssertionError("It never came to its end.")


def test_in_slices_a_list_becomes_what_it_becomes_at_once(ready: Callable[[], ImportJob], now: Any) -> None:
    job = ready()
    looked: list[int] = []
    assert slices(job, now, between=lambda job: looked.append(job.rows_done)) == 6
    assert looked == [4, 8, 12, 16, 20]
    job = again(job)
    assert (job.state, counts(job)) == ("done", (10, 1, 12, 0))
    assert Contact.objects.count() == 11
    assert list(passes.path_of(job).parent.iterdir()) == [passes.path_of(job)]  # goes with the commit


def test_a_slice_looks_at_no_row_again_that_an_earlier_one_has_written(
    ready: Callable[[], ImportJob], now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, staged = ready(), []
    stage = Staging.stage

    def counting(self: Staging, rows: Any) -> None:
        staged.append(rows.lines.count(b"\n"))
        stage(self, rows)

    monkeypatch.setattr(Staging, "stage", counting)
    slices(job, now)
    assert staged == [4, 4, 4, 4, 4, 3]


def test_what_was_seen_may_be_lost_and_nobody_comes_twice(ready: Callable[[], ImportJob], now: Any) -> None:
    """As after a kill: the next slice finds out again what the rows before it were."""
    job = ready()
    slices(job, now, between=jobs.forget_seen)
    job = again(job)
    assert (job.state, counts(job), Contact.objects.count()) == ("done", (10, 1, 12, 0), 11)


def test_what_was_seen_under_another_mapping_is_not_believed(
    ready: Callable[[], ImportJob], acme: Any, people: Any, now: Any
) -> None:
    job = ready()
    passes.run(acme.pk, job.pk, now=now, seconds=10.0, clock=Hours())
    left = passes.seen_of(again(job))
    assert left.exists()
    assert left.stat().st_mode & 0o777 == 0o600
    ImportJob.objects.filter(pk=job.pk).update(rows_done=0)
    passes.run(acme.pk, job.pk, now=now, seconds=10.0, clock=iter([0.0, 0.0, 3_600.0]).__next__)
    assert not left.exists()


def test_a_cancelled_job_leaves_nothing_of_its_people(
    ready: Callable[[], ImportJob], acme: Any, people: Any, now: Any, django_capture_on_commit_callbacks: Any
) -> None:
    job = ready()
    passes.run(acme.pk, job.pk, now=now, seconds=10.0, clock=Hours())
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs.cancel(again(job), by=people.bob, now=now)
    assert not list(passes.path_of(job).parent.iterdir())


def test_the_task_works_for_a_while_and_not_to_the_end(
    ready: Callable[[], ImportJob], acme: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ready()
    monkeypatch.setattr(tasks, "IMPORT_SLICE_SECONDS", 0.0)
    assert tasks.run_import(acme.pk, job.pk) is True
    assert (again(job).rows_done, OrmQ.objects.filter(key="slow").count()) == (4, 1)


def test_of_two_that_would_go_on_with_a_list_only_one_does(ready: Callable[[], ImportJob], acme: Any, now: Any) -> None:
    """As when the sweeper, once a minute, finds a list that waits for its next slice."""
    job = ready()
    passes.run(acme.pk, job.pk, now=now, seconds=10.0, clock=Hours())
    assert passes.run(acme.pk, job.pk, now=now, seconds=10.0, clock=Hours()) is True
    assert again(job).rows_done == 8
    asked = [row.task["args"][2] for row in OrmQ.objects.filter(key="slow").order_by("id")]
    assert asked == [4, 8]
    assert tasks.run_import(acme.pk, job.pk, 4) is False
    assert (again(job).rows_done, OrmQ.objects.filter(key="slow").count()) == (8, 2)
