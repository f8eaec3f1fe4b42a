"""One pass over a job's file, chunk by chunk: a review counts, an import writes. Killed anywhere, it goes on where it was.

Each chunk is one transaction: its contacts, its problems, its counts and the job's progress commit together or not at all,
under the condition that the job still stands where this worker thinks it does. So progress is visible while it works, no
transaction is long, and two workers on one job cannot both win a chunk.
"""

import itertools
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from contacts.importing import staging
from contacts.importing.cleaning import Cleaner, Person
from contacts.importing.encodings import Unreadable
from contacts.importing.jobs import fail, finish
from contacts.importing.loading import load
from contacts.importing.problems import Found, ProblemBook
from contacts.importing.reading import rows
from contacts.importing.staging import Counts
from contacts.models import ImportJob
from contacts.models.imports import ImportState
from omnify.lib import live
from omnify.tenants.context import tenant_context

CHUNK = 5_000
ACTIVE = (ImportState.REVIEWING, ImportState.IMPORTING)
PROGRESS = ("rows_done", "rows_total", "count_new", "count_update", "count_skip", "count_error")

logger = logging.getLogger(__name__)
Numbered = tuple[int, list[str]]


class Stopped(Exception):
    """The job was cancelled, or another worker has it: this pass writes nothing more."""


def run(tenant_id: int, job_id: int, *, now: datetime) -> bool:
    """Works through the whole file of a job that is being reviewed or imported. False when there was nothing to do for us."""
    with only_worker(job_id) as ours:
        if not ours:
            return False
        with tenant_context(tenant_id):
            job = ImportJob.objects.select_related("tenant").filter(pk=job_id, state__in=ACTIVE).first()
            if job is None:
                return False
            staging.open_tables(tenant_id)
        try:
            _chunks(job, now)
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
                staging.close_tables()
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


def _chunks(job: ImportJob, now: datetime) -> None:
    cleaner = cleaner_for(job)
    with tenant_context(job.tenant_id):
        book = ProblemBook(job)
    place, done_before = 0, job.rows_done
    with closing(rows(path_of(job), job.encoding, job.delimiter)) as source:
        while numbered := list(itertools.islice(source, CHUNK)):
            chunk = _clean(cleaner, numbered)
            place += len(numbered)
            with tenant_context(job.tenant_id):
                staging.stage(chunk.people)
                counts = staging.mark(duplicates=job.duplicates)
                if place > done_before:
                    _advance(job, place, chunk, counts, book, now)
                staging.remember()
    with tenant_context(job.tenant_id):
        finish(job, rows_total=place, now=now)


def cleaner_for(job: ImportJob) -> Cleaner:
    """The cleaner a job's mapping and consent statement ask for."""
    stated = tuple(job.consent.get("channels") or ()) if job.consent.get("basis") == "stated" else ()
    mapping = {int(index): target for index, target in job.mapping.items()}
    return Cleaner(mapping, job.header, region=job.default_region, stated=stated)


@dataclass(slots=True)
class Chunk:
    people: list[tuple[int, Person]]
    found: list[Found]
    refused: int


def _clean(cleaner: Cleaner, numbered: list[Numbered]) -> Chunk:
    chunk = Chunk([], [], 0)
    for number, cells in numbered:
        person, problems = cleaner.clean(cells)
        if person is not None:
            chunk.people.append((number, person))
        else:
            chunk.refused += 1
        for problem in problems:
            last = person is None and problem is problems[-1]
            chunk.found.append((number, problem, cells if last else []))
    return chunk


def _advance(job: ImportJob, place: int, chunk: Chunk, counts: Counts, book: ProblemBook, now: datetime) -> None:
    """Writes one chunk and moves the job forward. Raises Stopped, undoing the chunk, where the job was cancelled or is another's."""
    book.save(chunk.found, staging.left_out())
    new = load(job, now=now) if job.state == ImportState.IMPORTING else counts.new
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
