"""Events to seal, and somebody who may do anything to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection

from omnify.tenants.context import tenant_context
from omnify.tenants.events import record


def tell(tenant_id: int, now: datetime, count: int = 1, kind: str = "test.happened") -> list[int]:
    with tenant_context(tenant_id):
        return [record(kind, tenant_id=tenant_id, now=now, actor="test", number=n, word="ä ✓").pk for n in range(count)]


TABLES = ("tenants_event", "tenants_seal", "tenants_sealhead", "tenants_sealstate")


@contextmanager
def as_master() -> Iterator[Any]:
    """Whoever owns the tables and takes off every lock that the database has for them."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL ROLE NONE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE TRIGGER USER")
        yield cursor
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY, ENABLE TRIGGER USER")
        cursor.execute("SET LOCAL ROLE omnify_system")


def changed(cursor: Any, ids: list[int], tenant: int) -> None:
    cursor.execute("UPDATE tenants_event SET data = '{\"number\": 9}' WHERE id = %s", [ids[4]])
