"""The temporary tables a pass over a file works in: rows come by COPY, duplicates and known contacts are marked by set-based SQL.

COPY cannot write a table under row-level security, hence the detour; it is also how the database, not Python, finds who is who.
The tables belong to the session: a killed worker takes them with it.
"""
# ruff: noqa: S608 - the statements are put together from constants of this file; every value is a parameter.

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from contacts.importing.cleaning import Person
from omnify.lib.ids import public_id

TEXTS = (
    "email", "phone", "first_name", "last_name", "title", "company", "alternative_email", "alternative_phone", "timezone",
    "address_line", "city", "state", "postal_code", "country", "language", "source",
)  # fmt: skip
COLUMNS = (
    "row", "public_id", *TEXTS, "phone_valid", "zones", "places", "zone_strength", "lead_score", "tags", "custom",
    "agreed", "refused", "opted_out", "declined_email", "agreed_at", "agreed_where", "evidence",
)  # fmt: skip

# staging_open: `twin` is the earlier row of the file with the same person, `contact_id` the contact the row is about,
# `clash` says that this contact has the phone but another first name.
OPEN = f"""
DROP TABLE IF EXISTS import_row, import_seen;
CREATE TEMP TABLE import_row (
    row int PRIMARY KEY, tenant_id bigint NOT NULL DEFAULT %d, public_id uuid, {", ".join(f"{name} text NOT NULL" for name in TEXTS)},
    phone_valid boolean, zones text[], places text[], zone_strength smallint, lead_score smallint, tags text[], custom jsonb,
    agreed text[], refused text[], opted_out text[], declined_email text, agreed_at timestamptz, agreed_where text, evidence text,
    twin int, contact_id bigint, company_id bigint, clash boolean NOT NULL DEFAULT false, made boolean NOT NULL DEFAULT false
);
CREATE INDEX ON import_row (contact_id) WHERE contact_id IS NOT NULL;
CREATE TEMP TABLE import_seen (row int, email text, phone text, contact_id bigint);
CREATE INDEX ON import_seen (email) WHERE email <> '';
CREATE INDEX ON import_seen (phone, (email = '')) WHERE phone <> '';
CREATE INDEX ON import_seen (contact_id) WHERE contact_id IS NOT NULL;
"""
# A fresh temporary table has no statistics, and autovacuum never sees one: without these the planner expects a handful of rows.
CLOSE = "DROP TABLE IF EXISTS import_row, import_seen"

# staging_twins: the first row of a person counts. E-mail decides; the phone does where one of the two rows has no e-mail,
# for a phone may be shared by a household.
TWINS = """
WITH earlier AS (
    SELECT row, email, phone FROM import_row
    UNION ALL
    SELECT seen.row, seen.email, seen.phone FROM import_seen AS seen
     WHERE seen.email <> '' AND seen.email = ANY (ARRAY(SELECT email FROM import_row WHERE email <> ''))
    UNION ALL
    SELECT seen.row, seen.email, seen.phone FROM import_seen AS seen
     WHERE seen.phone <> '' AND seen.phone = ANY (ARRAY(SELECT phone FROM import_row WHERE phone <> ''))
), by_email AS (
    SELECT row, first_value(row) OVER (PARTITION BY email ORDER BY row) AS first FROM earlier WHERE email <> ''
), by_phone AS (
    SELECT row, email,
           first_value(row) OVER (PARTITION BY phone ORDER BY row) AS first,
           min(row) FILTER (WHERE email = '') OVER (PARTITION BY phone) AS first_bare
      FROM earlier WHERE phone <> ''
), found AS (
    SELECT row, first FROM by_email WHERE first < row
    UNION ALL
    SELECT row, CASE WHEN email = '' THEN first ELSE first_bare END FROM by_phone
     WHERE CASE WHEN email = '' THEN first ELSE first_bare END < row
)
UPDATE import_row SET twin = best.first
  FROM (SELECT row, min(first) AS first FROM found GROUP BY row) AS best WHERE best.row = import_row.row
"""
# staging_having_email, staging_having_phone: the contacts that have one of these addresses. Asked for with a list, and brought back as
# a list, not joined: of a tenant's first list the planner knows nothing, or what was true of people long gone, and would compare
# every row with every contact.
HAVING_EMAIL = """
SELECT id, email FROM contacts_contact
 WHERE tenant_id = (SELECT tenant_id FROM import_row LIMIT 1) AND email = ANY (%s) AND email <> '' AND deleted_at IS NULL
"""
HAVING_PHONE = """
SELECT id, phone, first_name, email FROM contacts_contact
 WHERE tenant_id = (SELECT tenant_id FROM import_row LIMIT 1) AND phone = ANY (%s) AND phone <> '' AND deleted_at IS NULL
"""
# staging_known_by_email, staging_known_by_phone: the contact a row is about, among those.
KNOWN_BY_EMAIL = """
UPDATE import_row SET contact_id = contact.id FROM unnest(%s::bigint[], %s::text[]) AS contact (id, email)
 WHERE twin IS NULL AND contact.email = import_row.email
"""
KNOWN_BY_PHONE = """
UPDATE import_row SET contact_id = best.id, clash = best.clash FROM (
    SELECT DISTINCT ON (staged.row) staged.row, contact.id,
           staged.first_name <> '' AND contact.first_name <> '' AND lower(staged.first_name) <> lower(contact.first_name) AS clash
      FROM import_row AS staged
      JOIN unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS contact (id, phone, first_name, email)
        ON contact.phone = staged.phone
     WHERE staged.twin IS NULL AND staged.contact_id IS NULL AND (staged.email = '' OR contact.email = '')
     ORDER BY staged.row, 3, contact.id
) AS best WHERE best.row = import_row.row AND NOT (best.clash AND import_row.email <> '')
"""
# staging_same_contact: two rows of the file about one contact, one by its e-mail and one by its phone.
SAME_CONTACT = """
UPDATE import_row SET twin = best.first FROM (
    SELECT row, min(first) AS first FROM (
        SELECT row, first_value(row) OVER (PARTITION BY contact_id ORDER BY row) AS first FROM import_row
         WHERE contact_id IS NOT NULL AND NOT clash
        UNION ALL
        SELECT staged.row, seen.row FROM import_row AS staged JOIN import_seen AS seen ON seen.contact_id = staged.contact_id
         WHERE staged.contact_id IS NOT NULL AND NOT staged.clash
    ) AS pairs WHERE first < row GROUP BY row
) AS best WHERE best.row = import_row.row
"""
REMEMBER = """
INSERT INTO import_seen (row, email, phone, contact_id)
SELECT row, email, phone, CASE WHEN NOT clash THEN contact_id END FROM import_row WHERE twin IS NULL
"""
COUNT = """
SELECT count(*) FILTER (WHERE twin IS NULL AND contact_id IS NULL),
       count(*) FILTER (WHERE twin IS NULL AND contact_id IS NOT NULL AND NOT clash AND %(update)s),
       count(*) FILTER (WHERE twin IS NOT NULL OR clash OR (contact_id IS NOT NULL AND NOT %(update)s))
  FROM import_row
"""
LEFT_OUT = "SELECT row, twin, email, phone FROM import_row WHERE twin IS NOT NULL OR clash ORDER BY row"


@dataclass(frozen=True, slots=True)
class Counts:
    new: int
    update: int
    skip: int


def open_tables(tenant_id: int) -> None:
    """Makes empty tables for one pass; what an earlier pass left in this session goes."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN % tenant_id)


def close_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(CLOSE)


def stage(people: Iterable[tuple[int, Person]]) -> None:
    """Replaces the staged rows by these (row number, person) by one COPY."""
    with connection.cursor() as cursor:
        # What this session planned while a table was small, the checks of foreign keys above all, reads all of a tenant for each
        # row once it is large: planned anew with each chunk, a hundred plans for millions of look-ups.
        cursor.execute("DISCARD PLANS")
        cursor.execute("TRUNCATE import_row")
        with cursor.copy(f"COPY import_row ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row, person in people:
                copy.write_row(_values(row, person))
        cursor.execute("ANALYZE import_row")


def mark(*, duplicates: str) -> Counts:
    """Marks twins and known contacts among the staged rows and counts what an import would do with them."""
    with connection.cursor() as cursor:
        cursor.execute(TWINS)
        _know(cursor, "email", HAVING_EMAIL, KNOWN_BY_EMAIL)
        _know(cursor, "phone", HAVING_PHONE, KNOWN_BY_PHONE)
        cursor.execute(SAME_CONTACT)
        # Whom the rows are about was not known when they were staged: without it the joins that follow compare all with all.
        cursor.execute("ANALYZE import_row (contact_id)")
        cursor.execute(COUNT, {"update": duplicates == "update"})
        return Counts(*cursor.fetchone())


def _know(cursor: Any, address: str, having: str, known: str) -> None:
    """Notes on the staged rows which contacts have their addresses of one kind. Three statements, however many rows."""
    cursor.execute(f"SELECT {address} FROM import_row WHERE twin IS NULL AND contact_id IS NULL AND {address} <> ''")
    cursor.execute(having, [[found for (found,) in cursor.fetchall()]])
    columns = [column.name for column in cursor.description]
    rows = cursor.fetchall()
    cursor.execute(known, [[row[at] for row in rows] for at in range(len(columns))])


def remember() -> None:
    """Keeps the staged rows' keys, so that later chunks of the same file find their twins."""
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER)


def left_out() -> list[tuple[int, int | None, str, str]]:
    """(row, its twin's row or None for another person's phone, e-mail, phone) of the staged rows that are skipped for being duplicates."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_OUT)
        return cursor.fetchall()


def _values(row: int, person: Person) -> tuple[Any, ...]:
    texts = person.texts
    return (
        row,
        str(public_id()),
        *[texts.get(name, "") for name in TEXTS],
        person.phone_valid,
        array(person.zones),
        array(person.places),
        person.zone_strength,
        person.lead_score,
        array(person.tags),
        json.dumps(person.custom) if person.custom else "{}",
        array(person.agreed),
        array(person.refused),
        array(person.opted_out),
        person.declined_email,
        person.agreed_at,
        person.agreed_where,
        person.evidence,
    )


def array(items: Iterable[str]) -> str:
    """A text[] literal: quoting it here costs a tenth of handing psycopg a list."""
    return (
        "{" + ",".join('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items) + "}"
        if items
        else "{}"
    )
