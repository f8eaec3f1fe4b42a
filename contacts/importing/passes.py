"""One pass over a job's file, chunk by chunk: a review counts, an import writes. Killed anywhere, it goes on where it was.

Each chunk is one transaction: its contacts, its problems, its counts and the job's progress commit together or not at all,
under the condition that the job still stands where this worker thinks it does. So progress is visible while it works, no
transaction is long, and two workers on one job cannot both win a chunk. While PostgreSQL writes one chunk, a thread beside
reads and cleans the next.

A pass that was given so many seconds stops after them and leaves the rest to its next slice, so that other work of the same
cluster gets its turn.
"""

import itertools
import logging
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django_q.tasks import async_task

from contacts.importing.cleaning import Cleaner
from contacts.importing.encodings import Unreadable
from contacts.importing.jobs import fail, finish, forget_seen
from contacts.importing.loading import load
from contacts.importing.packing import Packed, packed
from contacts.importing.problems import Found, ProblemBook
from contacts.importing.reading import rows
from contacts.importing.staging import Counts, Staging, close_tables
from contacts.models import ImportJob
from contacts.models.imports import ImportState
from omnify.lib import live
from omnify.tenants.context import tenant_context

CHUNK = 5_000
# How long, in seconds, the thread that cleans may keep Python while the one that writes has PostgreSQL's answer: it asks some
# twenty questions a chunk, and with Python's own five milliseconds for each it lost a tenth of its time.
SWITCH_INTERVAL = 0.0005
ACTIVE = (ImportState.REVIEWING, ImportState.IMPORTING)
PROGRESS = ("rows_done", "rows_total", "count_new", "count_update", "count_skip", "count_error")

logger = logging.getLogger(__name__)
Clock = Callable[[], float]


class Stopped(Exception):
    """The job was cancelled, or another worker has it: this pass writes nothing more."""


def run(
    tenant_id: int,
    job_id: int,
    *,
    now: datetime,
    seconds: float | None = None,
    after: int | None = None,
    clock: Clock = time.monotonic,
) -> bool:
    """Works through the file of a job that is being reviewed or imported. False when there was nothing to do for us.

    `seconds`: after so much work it asks for its next slice on the cluster "slow", and ends; None works to the end. `after`: the
    slice that follows so many rows; where the job stands elsewhere, somebody else has gone on with it, and one is enough.
    """
    with only_worker(job_id) as ours:
        if not ours:
            return False
        with tenant_context(tenant_id):
            job = ImportJob.objects.select_related("tenant").filter(pk=job_id, state__in=ACTIVE).first()
            if job is None or after not in (None, job.rows_done):
                return False
        try:
            through = _slice(job, now, seconds, clock)
        except Stopped:
            return False
        except Unreadable as error:
            _fail(job, str(error), now)
            return False
        except FileNotFoundError:
            _fail(job, "The uploaded file is gone. Upload it again.", now)
            return False
        finally:
            if not connection.needs_rollback:
                close_tables()
    if not through:
        # After the lock is given back: the next slice must not find it taken.
        async_task("contacts.tasks.run_import", tenant_id, job_id, job.rows_done, cluster="slow")
    return True


@contextmanager
def only_worker(job_id: int) -> Iterator[bool]:
    """Whether this session holds the job's advisory lock. A killed worker's session ends, and its lock with it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('contacts.import'), %s::int)", [job_id % 2**31])
        ours = cursor.fetchone()[0]
    try:
        yield ours
    finally:
        if ours and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('contacts.import'), %s::int)", [job_id % 2**31])


def import_at_work() -> bool:
    """Whether any worker of any tenant is at an import now: its cluster is busy, not hanging. Takes no lock itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid::bigint = hashtext('contacts.import')::bigint & 4294967295)"
        )
        return bool(cursor.fetchone()[0])


def path_of(job: ImportJob) -> Path:
    return Path(settings.MEDIA_ROOT) / job.file_path


def seen_of(job: ImportJob) -> Path:
    """Where a slice leaves for the next one what it has seen. Of use at this very point of the job only."""
    return path_of(job).with_suffix(f".{job.state}.{job.rows_done}")


def _slice(job: ImportJob, now: datetime, seconds: float | None, clock: Clock) -> bool:
    """Chunks until the end of the file (True) or of the time (False)."""
    began, done_before = clock(), job.rows_done
    place, staging = _opened(job)
    with tenant_context(job.tenant_id):
        book = ProblemBook(job)
    with (
        closing(rows(path_of(job), job.encoding, job.delimiter)) as source,
        quick_to_switch(),
        ThreadPoolExecutor(1) as beside,
    ):
        following = _Following(itertools.islice(source, place, None), cleaner_for(job))
        chunk = following.next()
        while chunk.rows:
            ahead = beside.submit(following.next)
            place += chunk.rows
            with tenant_context(job.tenant_id):
                staging.stage(chunk.people)
                counts = staging.mark(chunk.people, duplicates=job.duplicates)
                if place > done_before:
                    _advance(job, place, chunk, counts, staging, book, now)
                staging.remember()
            chunk = ahead.result()
            if chunk.rows and place > done_before and seconds is not None and clock() - began >= seconds:
                _pause(job, staging)
                return False
    with tenant_context(job.tenant_id):
        finish(job, rows_total=place, now=now)
    return True


@contextmanager
def quick_to_switch() -> Iterator[None]:
    """Threads of this process take turns sooner than they usually do."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(SWITCH_INTERVAL, usual))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _opened(job: ImportJob) -> tuple[int, Staging]:
    """The rows that need not be looked at again, and the tables of the pass.

    After a pause those are all that are done. After a kill it is none: what they were is found out again, and not written.
    """
    writing, left = job.state == ImportState.IMPORTING, seen_of(job)
    if not job.rows_done:
        forget_seen(job)  # of an earlier pass, perhaps under another mapping
    if not left.exists():
        with tenant_context(job.tenant_id):
            return 0, Staging(job.tenant_id, writing=writing)
    with left.open("rb") as seen, tenant_context(job.tenant_id):
        staging = Staging(job.tenant_id, writing=writing, seen=seen)
    left.unlink()
    return job.rows_done, staging


def _pause(job: ImportJob, staging: Staging) -> None:
    left = seen_of(job)
    unfinished = left.with_suffix(".unfinished")
    with unfinished.open("wb") as file, tenant_context(job.tenant_id):
        staging.save(file)
    unfinished.chmod(0o600)
    unfinished.replace(left)


def cleaner_for(job: ImportJob) -> Cleaner:
    """The cleaner a job's mapping and consent statement ask for."""
    stated = tuple(job.consent.get("channels") or ()) if job.consent.get("basis") == "stated" else ()
    mapping = {int(index): target for index, target in job.mapping.items()}
    return Cleaner(mapping, job.header, region=job.default_region, stated=stated)


@dataclass(frozen=True, slots=True)
class Chunk:
    """`rows`: how many rows of the file it is; 0 after the last."""

    rows: int
    people: Packed
    found: list[Found]
    refused: int


class _Following:
    """The chunks of a file, read and cleaned one by one. Touches no database: it works in a thread beside the one that writes."""

    def __init__(self, source: Iterator[tuple[int, list[str]]], cleaner: Cleaner) -> None:
        self.source, self.cleaner = source, cleaner

    def next(self) -> Chunk:
        numbered = list(itertools.islice(self.source, CHUNK))
        people, found, refused = [], [], 0
        for number, cells in numbered:
            person, problems = self.cleaner.clean(cells)
            if person is not None:
                people.append((number, person))
            else:
                refused += 1
            for problem in problems:
                last = person is None and problem is problems[-1]
                found.append((number, problem, cells if last else []))
        return Chunk(len(numbered), packed(people), found, refused)


def _advance(
    job: ImportJob, place: int, chunk: Chunk, counts: Counts, staging: Staging, book: ProblemBook, now: datetime
) -> None:
    """Writes one chunk and moves the job forward. Raises Stopped, undoing the chunk, where the job was cancelled or is another's."""
    book.save(chunk.found, staging.left_out() if counts.skip else [])
    new = load(job, counts, now=now) if job.state == ImportState.IMPORTING else counts.new
    before, job.rows_done, job.rows_total = job.rows_done, place, max(job.rows_total, place)
    job.count_new += new
    job.count_update += counts.update
    job.count_skip += counts.skip + counts.new - new
    job.count_error += chunk.refused
    changes = {name: getattr(job, name) for name in PROGRESS}
    if not ImportJob.objects.filter(pk=job.pk, state=job.state, rows_done=before).update(**changes):
        raise Stopped
    live.hint(job.tenant_id, "imports", str(job.public_id))


def _fail(job: ImportJob, problem: str, now: datetime) -> None:
    logger.info("Import %s failed.", job.public_id)
    with tenant_context(job.tenant_id):
        fail(job, problem=problem, now=now)
