"""The least durable work of an import: rows by COPY into tables with the same keys, unique rules and indexes.

Two of them: the file as it is into a table of people, and the finished people, companies and consents into three.
"""

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


# The file's columns, in its order: where there is no column of the kind, one as wide is filled.
POURED = "first_name, last_name, email, phone, address_line, city, state, postal_code, country, source, language"
DEFAULTS = {
    "public_id": "gen_random_uuid()", "custom_fields": "'{}'", "tags": "'{}'",
    "zones": "'{}'", "places": "'{}'", "created_at": "now()", "updated_at": "now()", "engagement_score": "50", "interaction_count": "0",
    "inbound_count": "0", "phone_type": "'unknown'",
}  # fmt: skip
EMPTY = (
    "title", "alternative_email", "alternative_phone", "timezone", "sentiment_trend", "conversation_summary",
    "last_interaction_summary", "last_call_summary", "last_sms_reply",
)  # fmt: skip


def poured(path: Path, tenant_id: int) -> float:
    """Seconds that COPY takes to read this file as it is into a table of people, nothing cleaned, compared or agreed to."""
    scratch.as_owner("CREATE TABLE floor.people (LIKE contacts_contact INCLUDING ALL)")
    scratch.as_owner("ALTER TABLE floor.people ALTER COLUMN country TYPE text")
    for column, value in {**DEFAULTS, "tenant_id": str(tenant_id), **dict.fromkeys(EMPTY, "''")}.items():
        scratch.as_owner(f"ALTER TABLE floor.people ALTER COLUMN {column} SET DEFAULT {value}")
    scratch.as_owner(
        "ALTER TABLE floor.people ADD FOREIGN KEY (tenant_id) REFERENCES tenants_tenant DEFERRABLE INITIALLY DEFERRED"
    )
    scratch.as_owner("GRANT ALL ON floor.people TO omnify_system")
    began = time.perf_counter()
    _read(path, f"COPY floor.people ({POURED}) FROM STDIN (FORMAT csv, HEADER)")
    return time.perf_counter() - began


def copied(folder: Path) -> float:
    """Seconds that COPY takes to keep everybody there is, with their companies and consents, once more."""
    for table in TABLES:
        scratch.as_owner(f"CREATE TABLE floor.{table} (LIKE {table} INCLUDING ALL)")
        scratch.as_owner(f"GRANT ALL ON floor.{table} TO omnify_system")
        _written(table, folder / table)
    scratch.as_owner(KEYS)
    began = time.perf_counter()
    for table in TABLES:  # a transaction each: who points finds those pointed at
        _read(folder / table, f"COPY floor.{table} FROM STDIN")
    return time.perf_counter() - began


def _written(table: str, path: Path) -> None:
    statement = f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT"  # noqa: S608 (names of ours)
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            file.write(block)


def _read(path: Path, statement: str) -> None:
    with path.open("rb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        while block := file.read(1 << 16):
            copy.write(block)
