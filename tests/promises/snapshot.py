"""A backup of one tenant's rows and its restore, inside a test database: what a restored server would hold."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from omnify.promises.rows import tenant_models
from omnify.tenants.context import set_local

TABLES = [model._meta.db_table for model in tenant_models()]


@dataclass(frozen=True)
class Backup:
    """Each table's rows, as one JSON text, and when they were read."""

    tenant_id: int
    at: datetime
    rows: dict[str, str]


def take(tenant_id: int, at: datetime) -> Backup:
    kept = {}
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f'SELECT coalesce(jsonb_agg(to_jsonb(t)), %s)::text FROM "{table}" AS t WHERE tenant_id = %s',
                ["[]", tenant_id],
            )
            kept[table] = cursor.fetchone()[0]
    return Backup(tenant_id, at, kept)


def restore(backup: Backup) -> None:
    """Everything of this tenant is as it was. Append-only tables can be emptied by nobody without the owner's grant."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT t FROM unnest(%s::text[]) AS t WHERE NOT has_table_privilege(t, 'DELETE')", [TABLES])
        kept_for_ever = ", ".join(f'"{table}"' for (table,) in cursor.fetchall())
        _as_owner(cursor, f"GRANT DELETE ON {kept_for_ever} TO omnify_system")
        set_local(tenant_id=str(backup.tenant_id))
        for table in TABLES:
            cursor.execute(f'DELETE FROM "{table}" WHERE tenant_id = %s', [backup.tenant_id])
        for table, rows in backup.rows.items():
            cursor.execute(
                f'INSERT INTO "{table}" SELECT * FROM jsonb_populate_recordset(NULL::"{table}", %s::jsonb)', [rows]
            )
        _as_owner(cursor, f"REVOKE DELETE ON {kept_for_ever} FROM omnify_system")


def _as_owner(cursor: Any, statement: str) -> None:
    cursor.execute("SET LOCAL ROLE NONE")
    cursor.execute(statement)
    cursor.execute("SET LOCAL ROLE omnify_system")
