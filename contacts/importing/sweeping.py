"""Across all tenants, as the system role: imports that a killed worker left are started again, forgotten uploads are removed."""

from datetime import datetime, timedelta

from django_q.tasks import async_task

from contacts.importing.jobs import remove_file
from contacts.importing.passes import ACTIVE, only_worker
from contacts.models import ImportJob
from contacts.models.imports import ImportState
from omnify.tenants.context import tenant_context
from omnify.tenants.events import record

KEPT_DAYS = 7
FORGETTABLE = (ImportState.UPLOADED, ImportState.REVIEWED, ImportState.FAILED)


def wake() -> int:
    """Starts every job again that should be running and has no worker at it. Returns how many."""
    started = 0
    for tenant_id, job_id in ImportJob.objects.all_tenants().filter(state__in=ACTIVE).values_list("tenant_id", "id"):
        with only_worker(job_id) as free:
            if free:
                async_task("contacts.tasks.run_import", tenant_id, job_id, cluster="slow")
                started += 1
    return started


def discard(*, now: datetime) -> int:
    """Cancels uploads left lying for a week, and removes their files: they hold people's data for nothing. Returns how many."""
    before = now - timedelta(days=KEPT_DAYS)
    forgotten = ImportJob.objects.all_tenants().filter(
        state__in=FORGETTABLE, created_at__lt=before, tenant__legal_hold=False
    )
    gone = 0
    for job in forgotten.order_by("id")[:100]:
        with tenant_context(job.tenant_id):
            changes = {"state": ImportState.CANCELLED, "finished_at": now}
            ended = ImportJob.objects.filter(pk=job.pk, state=job.state).update(**changes)
            if ended:
                record("import.discarded", tenant_id=job.tenant_id, now=now, actor="import", subject=job)
        if ended:  # else somebody goes on with it at this very moment, and needs its file
            gone += 1
            remove_file(job)
    return gone
