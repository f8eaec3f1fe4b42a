"""The verbs on tasks that people do by hand."""

from datetime import datetime

from django.db import transaction

from omnify.tenants.events import record
from omnify.tenants.models import Membership
from sequences.drafting import By, actor_of
from sequences.models import Task


def finish_task(task: Task, *, by: By, now: datetime) -> bool:
    """Marks a task as done. False when somebody had done it before."""
    with transaction.atomic():
        doer = by if isinstance(by, Membership) else None
        changed = Task.objects.filter(pk=task.pk, done_at__isnull=True).update(done_at=now, done_by=doer)
        if changed:
            record("task.done", tenant_id=task.tenant_id, now=now, actor=actor_of(by), subject=task)
    return bool(changed)


def reopen_task(task: Task, *, by: By, now: datetime) -> bool:
    """Opens a task again. False when it was open."""
    with transaction.atomic():
        changed = Task.objects.filter(pk=task.pk, done_at__isnull=False).update(done_at=None, done_by=None)
        if changed:
            record("task.reopened", tenant_id=task.tenant_id, now=now, actor=actor_of(by), subject=task)
    return bool(changed)
