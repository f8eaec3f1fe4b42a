"""An import that brings written consent needs a second signature: what is asked for, and what the signature makes happen."""

from datetime import datetime

from django.urls import reverse

from contacts.models import ImportJob
from contacts.models.permission import Channel, ConsentKind
from contacts.pacing import WRITTEN
from omnify.tenants.approvals import NotApplicable
from omnify.tenants.approving import asker_of
from omnify.tenants.models.approval import Approval
from omnify.tenants.signatures import Wanted

BASES = {"column": "a column of the list, for each person", "stated": "stated for everybody in it"}


def consent_wanted(job: ImportJob) -> Wanted | None:
    """What must be signed before this reviewed list is imported; None where it brings no written consent."""
    claimed = {name: kind for name, kind in (job.consent.get("channels") or {}).items() if kind in WRITTEN}
    if not claimed:
        return None
    people = job.count_new + job.count_update
    return Wanted(
        kind="consent",
        title=f"Import {people:,} people with written consent from {job.file_name[:80]}",
        change={"job": str(job.public_id), "consent": job.consent},
        # A list that is mapped or reviewed again is another one.
        state={
            "mapping": job.mapping, "duplicates": job.duplicates, "region": job.default_region, "tags": job.tags,
            "counts": [job.count_new, job.count_update, job.count_skip, job.count_error], "size": job.file_size,
            "reviewed": job.finished_at.isoformat() if job.finished_at else "",
        },
        subject_type="importjob",
        subject_id=job.pk,
        phrase=f"{people:,}",
        url=reverse("contacts:import_review", args=[job.public_id]),
        lines=(
            *((f"Consent to {Channel(name).label}", "–", ConsentKind(kind).label) for name, kind in claimed.items()),
            ("According to", "–", BASES.get(job.consent.get("basis", ""), "–")),
            ("They agreed", "–", job.consent.get("source") or "where the list says"),
            ("People", "–", f"{job.count_new:,} new, {job.count_update:,} updated"),
        ),
    )  # fmt: skip


def apply_import(row: Approval, now: datetime) -> str:
    """Starts the import that was asked for."""
    from contacts.importing.jobs import start_import

    job = ImportJob.objects.filter(pk=row.subject_id).first()
    if job is None or not start_import(job, by=asker_of(row), now=now, approval=row):
        raise NotApplicable("The list is not waiting for its import any more.")
    return "The import has begun."
