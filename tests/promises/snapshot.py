"""A backup of one tenant's rows and its restore, inside a test database: what a restored server would hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db import OperationalError, connection, transaction

from omnify.promises.rows import tenant_models
from omnify.tenants.context import set_local

TRIES = 5
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
    """Everything of this tenant is as it was. Append-only tables can be emptied by nobody without their owner."""
    with append_only_tables_opened(), transaction.atomic(), connection.cursor() as cursor:
        set_local(tenant_id=str(backup.tenant_id))
        for table in TABLES:
            cursor.execute(f'DELETE FROM "{table}" WHERE tenant_id = %s', [backup.tenant_id])
        for table, rows in backup.rows.items():
            cursor.execute(
                f'INSERT INTO "{table}" SELECT * FROM jsonb_populate_recordset(NULL::"{table}", %s::jsonb)', [rows]
            )


@contextmanager
def append_only_tables_opened() -> Iterator[None]:
    """Inside, also they can be emptied, as a server is that is put back from a file."""
    kept_for_ever, guarded = _closed(str(connection.settings_dict["NAME"]))
    try:
        _as_owner(kept_for_ever, guarded, "GRANT DELETE ON {} TO omnify_system", "DISABLE")
        yield
    finally:
        _as_owner(kept_for_ever, guarded, "REVOKE DELETE ON {} FROM omnify_system", "ENABLE")


@lru_cache(maxsize=1)
def _closed(database: str) -> tuple[list[str], list[str]]:
    """The tables of this database that nobody may delete from, and those with a guard; looked up while they are closed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t FROM unnest(%s::text[]) AS t WHERE NOT has_table_privilege('omnify_system', t, 'DELETE')",
            [TABLES],
        )
        kept_for_ever = [table for (table,) in cursor.fetchall()]
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'only_grows'")
        return kept_for_ever, [table for (table,) in cursor.fetchall()]


def _as_owner(tables: list[str], guarded: list[str], rights: str, switch: str) -> None:
    """Autovacuum may hold one of the tables while this holds another: whom PostgreSQL ends for it tries again."""
    for left in reversed(range(TRIES)):
        try:
            return _change(tables, guarded, rights, switch)
        except OperationalError:
            if not left:
                raise


def _change(tables: list[str], guarded: list[str], rights: str, switch: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(rights.format(", ".join(f'"{table}"' for table in tables)))
        for table in guarded:
            cursor.execute(f'ALTER TABLE "{table}" {switch} TRIGGER only_grows')
