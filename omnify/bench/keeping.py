"""The least durable work of an import: finished rows by COPY into tables with the same keys, unique rules and indexes."""

import time
from pathlib import Path

from django.db import connection

from omnify.bench import scratch

# In the order in which they point at each other.
TABLES = ("contacts_company", "contacts_contact", "contacts_consent")
KEYS = """
ALTER TABLE floor.contacts_company ADD FOREIGN KEY (tenant_id) REFERENCES tenants_tenant DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE floor.contacts_contact ADD FOREIGN KEY (tenant_id) REFERENCES tenants_tenant DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (company_id, tenant_id) REFERENCES floor.contacts_company (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE floor.contacts_consent
    ADD FOREIGN KEY (contact_id, tenant_id) REFERENCES floor.contacts_contact (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
"""


def copied(folder: Path) -> float:
    """Seconds that COPY takes to keep everybody there is, with their companies and consents, once more."""
    for table in TABLES:
        scratch.as_owner(f"CREATE TABLE floor.{table} (LIKE {table} INCLUDING ALL)")
        scratch.as_owner(f"GRANT ALL ON floor.{table} TO omnify_system")
        _written(table, folder / table)
    scratch.as_owner(KEYS)
    began = time.perf_counter()
    for table in TABLES:  # a transaction each: who points finds those pointed at
        _kept(table, folder / table)
    return time.perf_counter() - began


def _written(table: str, path: Path) -> None:
    statement = f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT"  # noqa: S608 (names of ours)
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            file.write(block)


def _kept(table: str, path: Path) -> None:
    statement = f"COPY floor.{table} FROM STDIN"
    with path.open("rb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        while block := file.read(1 << 16):
            copy.write(block)
