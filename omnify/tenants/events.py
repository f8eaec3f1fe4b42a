"""Writing to the ledger, and starting what waits for it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from omnify.tenants.models import Event


def record(kind: str, *, tenant_id: int, now: datetime, actor: str, subject: Any = None, **data: Any) -> Event:
    """Writes one event inside the caller's transaction and enqueues its subscribers there, so both commit or neither.

    `subject` is the model instance it is about (or None); `data` must be JSON and hold no message bodies.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"Event {kind} must be recorded inside the transaction that makes it true.")
    event = Event.objects.create(
        tenant_id=tenant_id,
        kind=kind,
        at=now,
        actor=actor,
        subject_type=subject._meta.model_name if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        data=data,
    )
    subscribers: dict[str, list[str]] = import_string(settings.SUBSCRIPTIONS)
    for task in subscribers.get(kind, ()):
        from django_q.tasks import async_task

        async_task(task, event.pk, tenant_id)
    return event
