"""A restored tenant holds what it held, and nothing else; and its append-only tables are closed again."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from omnify.promises import scene
from omnify.promises.rows import MOMENT
from omnify.tenants.context import tenant_context
from omnify.tenants.events import record
from omnify.tenants.models import Event
from tests.promises import snapshot


@pytest.mark.django_db(transaction=True)
def test_a_backup_that_is_put_back_is_the_tenant_as_it_was() -> None:
    made = scene.make(MOMENT)
    backup = snapshot.take(made.tenant.pk, MOMENT)
    with tenant_context(made.tenant.pk):
        before = set(Event.objects.values_list("pk", flat=True))
        record("contact.updated", tenant_id=made.tenant.pk, now=MOMENT + timedelta(hours=1), actor="proof")
    snapshot.restore(backup)
    with tenant_context(made.tenant.pk):
        assert set(Event.objects.values_list("pk", flat=True)) == before
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM tenants_event")
