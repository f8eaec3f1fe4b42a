"""What a person may do about a provider's event that failed twice: have it tried again, or be done with it."""

from datetime import datetime

from django.db import connection, transaction

from omnify.tenants.events import record
from omnify.tenants.models import Membership
from sequences.models import ProviderEvent
from sequences.models.message import EventState


def dismiss_event(event: ProviderEvent, *, by: Membership, now: datetime) -> bool:
    """Nothing more is to be done with a parked event: it has been read. False when it is not parked any more."""
    with transaction.atomic():
        parked = ProviderEvent.objects.filter(pk=event.pk, state=EventState.PARKED)
        if not parked.update(state=EventState.DONE, applied_at=now):
            return False
        record("provider_event.dismissed", tenant_id=event.tenant_id, now=now, actor=f"member:{by.pk}", subject=event)
    return True


def retry_event(event: ProviderEvent, *, by: Membership, now: datetime) -> bool:
    """Hands a parked event to the workers again, with two fresh tries. False when it is not parked any more."""
    with transaction.atomic():
        parked = ProviderEvent.objects.filter(pk=event.pk, state=EventState.PARKED)
        if not parked.update(state=EventState.NEW, tries=0, applied_at=None):
            return False
        record("provider_event.retried", tenant_id=event.tenant_id, now=now, actor=f"member:{by.pk}", subject=event)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('omnify_wake', 'inbound')")
    return True
