"""The verbs of an import: upload, map, review, import, cancel. Each is atomic, conditional on the job's state, and recorded.

Nobody is enrolled by an import, and no verb here knows how.
"""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django_q.tasks import async_task

from contacts.importing import consents
from contacts.importing.approving import consent_wanted
from contacts.importing.encodings import Unreadable
from contacts.importing.mapping import Mapping, guess, problems
from contacts.importing.reading import inspect
from contacts.models import ImportJob, ImportProblem
from contacts.models.imports import ImportState
from omnify.lib import live
from omnify.lib.ids import public_id
from omnify.tenants.approvals import require
from omnify.tenants.events import record
from omnify.tenants.models import Membership
from omnify.tenants.models.approval import Approval
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.notifications import notify

SIZE_LIMIT = 512 * 1024 * 1024
FOLDER = "imports"
OPEN_STATES = (
    ImportState.UPLOADED,
    ImportState.REVIEWING,
    ImportState.REVIEWED,
    ImportState.IMPORTING,
    ImportState.FAILED,
)
_FRESH: dict[str, Any] = {
    "rows_done": 0, "count_new": 0, "count_update": 0, "count_skip": 0, "count_error": 0, "problem": "", "finished_at": None,
}  # fmt: skip


class Refused(Exception):
    """What the person asked for cannot be done; `sentences` say why."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def start_upload(source: Path, *, file_name: str, by: Membership, now: datetime) -> ImportJob:
    """Takes the file at `source` over into the media folder and looks at it. Raises Unreadable, with the file gone again."""
    size = source.stat().st_size
    if size > SIZE_LIMIT:
        raise Unreadable(f"The file has {size // 2**20} MB; at most {SIZE_LIMIT // 2**20} MB can be imported at once.")
    place = Path(FOLDER) / str(by.tenant_id) / f"{public_id()}.csv"
    target = Path(settings.MEDIA_ROOT) / place
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.move(source, target)
    target.chmod(0o600)
    try:
        sheet = inspect(target)
        return _upload(sheet, place, size, file_name, by, now)
    except BaseException:
        target.unlink()
        raise


def _upload(sheet: Any, place: Path, size: int, file_name: str, by: Membership, now: datetime) -> ImportJob:
    with transaction.atomic():
        job: ImportJob = ImportJob.objects.create(
            file_name=Path(file_name.replace("\x00", "")).name[:255] or "list.csv",
            file_path=str(place),
            file_size=size,
            encoding=sheet.encoding,
            delimiter=sheet.delimiter,
            header=sheet.header,
            samples=sheet.samples,
            mapping={str(index): target for index, target in guess(sheet.header, sheet.samples).items()},
            rows_total=sheet.rows_estimate,
            created_by=by,
        )
        record("import.uploaded", tenant_id=job.tenant_id, now=now, actor=f"member:{by.pk}", subject=job, size=size)
    return job


def set_mapping(
    job: ImportJob,
    mapping: Mapping,
    *,
    consent: dict[str, Any],
    duplicates: str,
    region: str,
    tags: list[str],
    by: Membership,
    now: datetime,
) -> bool:
    """Says which column is what, and what these people agreed to. Raises Refused with sentences; False when the job moved on."""
    sentences = problems(mapping, len(job.header)) + consents.problems(consent, mapping)
    if sentences:
        raise Refused(sentences)
    values = {
        "mapping": {str(index): target for index, target in mapping.items()},
        "consent": consents.settled(consent, mapping),
        "duplicates": duplicates,
        "default_region": region,
        "tags": tags,
        "state": ImportState.UPLOADED,
    }
    states = (ImportState.UPLOADED, ImportState.REVIEWED, ImportState.FAILED)
    return _move(job, states, values, "import.mapped", by=by, now=now, basis=consent["basis"])


def start_review(job: ImportJob, *, by: Membership, now: datetime) -> bool:
    """Counts what an import would do, writing no contact. False when the job is not at that point."""
    states = (ImportState.UPLOADED, ImportState.REVIEWED, ImportState.FAILED)
    return _start(job, states, ImportState.REVIEWING, "import.review_started", by=by, now=now)


def start_import(job: ImportJob, *, by: Membership, now: datetime, approval: Approval | None = None) -> bool:
    """Writes the reviewed file's people into contacts. False unless the job has just been reviewed.

    Raises NeedsSignature where the list would bring written consent to texts or calls; `approval`: that request, signed.
    """
    job.refresh_from_db()
    if job.state == ImportState.REVIEWED and (wanted := consent_wanted(job)):
        require(wanted, approval=approval)
    return _start(job, (ImportState.REVIEWED,), ImportState.IMPORTING, "import.started", by=by, now=now)


def cancel(job: ImportJob, *, by: Membership, now: datetime) -> bool:
    """Stops a job for good, at the next chunk where it is running; contacts already imported stay. False when it had ended."""
    done = _move(
        job, OPEN_STATES, {"state": ImportState.CANCELLED, "finished_at": now}, "import.cancelled", by=by, now=now
    )
    if done:
        transaction.on_commit(lambda: remove_file(job))
    return done


def finish(job: ImportJob, *, rows_total: int, now: datetime) -> None:
    """The pass is through: a review waits for its import, an import is done and says so. Called by the pass."""
    if job.state == ImportState.REVIEWING:
        _set(job, {"state": ImportState.REVIEWED, "rows_total": rows_total, "finished_at": now})
    elif _set(job, {"state": ImportState.DONE, "rows_total": rows_total, "finished_at": now}):
        record(
            "contacts.imported", tenant_id=job.tenant_id, now=now, actor=_starter(job), subject=job,
            new=job.count_new, updated=job.count_update, skipped=job.count_skip, errors=job.count_error,
        )  # fmt: skip
        _tell(
            job,
            f"{job.file_name} is imported",
            f"{job.count_new:,} new, {job.count_update:,} updated, {job.count_error:,} refused",
        )
        live.hint(job.tenant_id, "contacts")
        transaction.on_commit(lambda: remove_file(job))


def fail(job: ImportJob, *, problem: str, now: datetime) -> None:
    """The file cannot be read to its end. Called by the pass."""
    if _set(job, {"state": ImportState.FAILED, "problem": problem, "finished_at": now}):
        record("import.failed", tenant_id=job.tenant_id, now=now, actor=_starter(job), subject=job)
        _tell(job, f"{job.file_name} could not be read", problem, Priority.HIGH)


def _start(job: ImportJob, states: tuple[str, ...], to: str, kind: str, *, by: Membership, now: datetime) -> bool:
    with transaction.atomic():
        if not _move(job, states, {**_FRESH, "state": to, "started_at": now}, kind, by=by, now=now):
            return False
        ImportProblem.objects.filter(job=job).delete()
        async_task("contacts.tasks.run_import", job.tenant_id, job.pk, cluster="slow")
    return True


def _move(
    job: ImportJob,
    states: tuple[str, ...],
    values: dict[str, Any],
    kind: str,
    *,
    by: Membership,
    now: datetime,
    **data: Any,
) -> bool:
    with transaction.atomic():
        if not ImportJob.objects.filter(pk=job.pk, state__in=states).update(**values):
            return False
        job.refresh_from_db()
        record(kind, tenant_id=job.tenant_id, now=now, actor=f"member:{by.pk}", subject=job, **data)
        live.hint(job.tenant_id, "imports", str(job.public_id))
    return True


def _set(job: ImportJob, values: dict[str, Any]) -> bool:
    with transaction.atomic():
        moved = ImportJob.objects.filter(pk=job.pk, state=job.state).update(**values)
        if moved:
            live.hint(job.tenant_id, "imports", str(job.public_id))
    return bool(moved)


def _tell(job: ImportJob, title: str, body: str, priority: str = Priority.NORMAL) -> None:
    url = reverse("contacts:import_run", args=[job.public_id])
    notify(
        tenant_id=job.tenant_id,
        type=NotificationType.IMPORT_FINISHED,
        title=title,
        body=body,
        priority=priority,
        url=url,
    )


def _starter(job: ImportJob) -> str:
    return f"member:{job.created_by_id}" if job.created_by_id else "import"


def remove_file(job: ImportJob) -> None:
    """The list itself is personal data: it goes as soon as nothing needs it. The refused rows stay with the job."""
    forget_seen(job)
    (Path(settings.MEDIA_ROOT) / job.file_path).unlink(missing_ok=True)


def forget_seen(job: ImportJob) -> None:
    """Removes what a pass left beside the list when it paused."""
    place = Path(settings.MEDIA_ROOT) / job.file_path
    for each in place.parent.glob(f"{place.stem}.*"):
        if each != place:
            each.unlink(missing_ok=True)
