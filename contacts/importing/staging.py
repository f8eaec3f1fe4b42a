"""The temporary tables a pass over a file works in: rows come by COPY, duplicates and known contacts are marked by set-based SQL.

COPY cannot write a table under row-level security, hence the detour; it is also how the database, not Python, finds who is who.
The tables belong to the session: a killed worker takes them with it.
"""
# ruff: noqa: S608 - the statements are put together from constants of this file; every value is a parameter.

from dataclasses import dataclass
from typing import Any, BinaryIO

from django.db import connection

from contacts.importing.packing import TEXTS, Packed

# staging_open: `twin` is the earlier row of the file with the same person, `contact_id` the contact the row is about,
# `clash` says that this contact has the phone but another first name. `new_id` is the contact a row becomes where it is
# about nobody known: given out while the row is staged, so that writing people and their consents needs no way back.
OPEN = """
DROP TABLE IF EXISTS import_row, import_seen;
CREATE TEMP TABLE import_row (
    row int NOT NULL, tenant_id bigint NOT NULL DEFAULT {tenant}, new_id bigint{new_id}, public_id uuid, {texts},
    phone_valid boolean, zones text[], places text[], zone_strength smallint, lead_score smallint,
    tags text[] NOT NULL DEFAULT '{{}}', custom jsonb NOT NULL DEFAULT '{{}}', agreed text[] NOT NULL DEFAULT '{{}}',
    refused text[] NOT NULL DEFAULT '{{}}', opted_out text[] NOT NULL DEFAULT '{{}}', declined_email text NOT NULL DEFAULT '',
    agreed_at timestamptz, agreed_where text NOT NULL DEFAULT '', evidence text NOT NULL DEFAULT '',
    twin int, contact_id bigint, clash boolean NOT NULL DEFAULT false
);
CREATE TEMP TABLE import_seen (row int, email text, phone text, contact_id bigint);
"""
NEW_IDS = " DEFAULT nextval('contacts_contact_id_seq')"
# staging_look: after the rows that an earlier slice of the pass has seen are there again, which is quicker than before.
LOOK = """
CREATE INDEX ON import_seen (email) WHERE email <> '';
CREATE INDEX ON import_seen (phone, (email = '')) WHERE phone <> '';
CREATE INDEX ON import_seen (contact_id) WHERE contact_id IS NOT NULL;
"""
CLOSE = "DROP TABLE IF EXISTS import_row, import_seen"
# staging_plainly: what this session planned while a table was small, the checks of foreign keys above all, reads all of a tenant
# for each row once it is large: planned anew with each chunk, a hundred plans for millions of look-ups. And of a temporary
# table, or a tenant's first list, the planner knows nothing: it must never take thousands of rows for one and compare all with all.
BLOCK = 1 << 16
PLAINLY = "DISCARD PLANS; SET LOCAL enable_nestloop = off"

# staging_twins: the first row of a person counts. E-mail decides; the phone does where one of the two rows has no e-mail,
# for a phone may be shared by a household.
TWINS = """
WITH earlier AS (
    SELECT row, email, phone FROM import_row
    UNION ALL
    SELECT seen.row, seen.email, seen.phone FROM import_seen AS seen
     WHERE seen.email <> '' AND seen.email = ANY (%(emails)s::text[])
    UNION ALL
    SELECT seen.row, seen.email, seen.phone FROM import_seen AS seen
     WHERE seen.phone <> '' AND seen.phone = ANY (%(phones)s::text[])
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
 WHERE tenant_id = %(tenant)s AND email = ANY (%(emails)s::text[]) AND email <> '' AND deleted_at IS NULL
"""
HAVING_PHONE = """
SELECT id, phone, first_name, email FROM contacts_contact
 WHERE tenant_id = %(tenant)s AND phone = ANY (%(phones)s::text[]) AND phone <> '' AND deleted_at IS NULL
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
         WHERE seen.contact_id = ANY (%s::bigint[]) AND NOT staged.clash
    ) AS pairs WHERE first < row GROUP BY row
) AS best WHERE best.row = import_row.row
"""
REMEMBER = """
INSERT INTO import_seen (row, email, phone, contact_id)
SELECT row, email, phone, CASE WHEN NOT clash THEN contact_id END FROM import_row WHERE twin IS NULL
"""
# staging_count: what an import would do, and which of the statements that follow have anything to do.
COUNT = """
SELECT count(*) FILTER (WHERE twin IS NULL AND contact_id IS NULL),
       count(*) FILTER (WHERE twin IS NULL AND contact_id IS NOT NULL AND NOT clash AND %(update)s),
       count(*) FILTER (WHERE twin IS NOT NULL OR clash OR (contact_id IS NOT NULL AND NOT %(update)s)),
       coalesce(array_agg(DISTINCT contact_id) FILTER (WHERE contact_id IS NOT NULL), '{}')::text,
       coalesce(bool_or(opted_out <> '{}' OR declined_email <> ''), false)
  FROM import_row
"""
LEFT_OUT = "SELECT row, twin, email, phone FROM import_row WHERE twin IS NOT NULL OR clash ORDER BY row"


@dataclass(frozen=True, slots=True)
class Counts:
    """`known`: the contacts the rows are about, as a bigint[] literal. `closing`: whether any row closes an address."""

    new: int
    update: int
    skip: int
    known: str
    closing: bool


class Staging:
    """The tables of one pass, in this session. Use it inside the tenant's context.

    `writing`: the pass makes contacts. `seen`: what an earlier slice of it has saved."""

    def __init__(self, tenant_id: int, *, writing: bool, seen: BinaryIO | None = None) -> None:
        self.tenant_id, self.seen, self.analysed = tenant_id, 0, 0
        texts = ", ".join(f"{name} text NOT NULL DEFAULT ''" for name in TEXTS)
        with connection.cursor() as cursor:
            cursor.execute(OPEN.format(tenant=int(tenant_id), new_id=NEW_IDS if writing else "", texts=texts))
            if seen is not None:
                with cursor.copy("COPY import_seen FROM STDIN") as copy:
                    while block := seen.read(BLOCK):
                        copy.write(block)
            cursor.execute(LOOK)

    def stage(self, rows: Packed) -> None:
        """Replaces the staged rows by these, by one COPY."""
        with connection.cursor() as cursor:
            cursor.execute(PLAINLY)
            cursor.execute("TRUNCATE import_row")
            with cursor.copy(f"COPY import_row ({', '.join(rows.columns)}) FROM STDIN") as copy:
                copy.write(rows.lines)

    def mark(self, rows: Packed, *, duplicates: str) -> Counts:
        """Marks twins and known contacts among the staged rows and counts what an import would do with them."""
        addresses: dict[str, Any] = {"tenant": self.tenant_id, "emails": rows.emails, "phones": rows.phones}
        with connection.cursor() as cursor:
            cursor.execute(TWINS, addresses)
            known = _know(cursor, HAVING_EMAIL, KNOWN_BY_EMAIL, addresses)
            known += _know(cursor, HAVING_PHONE, KNOWN_BY_PHONE, addresses)
            if known:
                cursor.execute(SAME_CONTACT, [known])
            cursor.execute(COUNT, {"update": duplicates == "update"})
            return Counts(*cursor.fetchone())

    def remember(self) -> None:
        """Keeps the staged rows' keys, so that later chunks of the same file find their twins."""
        with connection.cursor() as cursor:
            cursor.execute(REMEMBER)
            self.seen += cursor.rowcount
            if self.seen >= 2 * self.analysed:
                # Nobody else looks after a temporary table: without this its rows are thought to be all alike.
                cursor.execute("ANALYZE import_seen")
                self.analysed = self.seen

    def left_out(self) -> list[tuple[int, int | None, str, str]]:
        """(row, its twin's row or None for another person's phone, e-mail, phone) of the staged rows that are skipped for being duplicates."""
        with connection.cursor() as cursor:
            cursor.execute(LEFT_OUT)
            return cursor.fetchall()

    def save(self, file: BinaryIO) -> None:
        """Writes down what the pass has seen so far: what its next slice is given as `seen`."""
        with connection.cursor() as cursor, cursor.copy("COPY import_seen TO STDOUT") as copy:
            for block in copy:
                file.write(block)


def close_tables() -> None:
    """What a pass needed goes; it does no harm where there is nothing."""
    with connection.cursor() as cursor:
        cursor.execute(CLOSE)


def _know(cursor: Any, having: str, known: str, addresses: dict[str, Any]) -> list[int]:
    """Notes on the staged rows which contacts have their addresses of one kind; returns these contacts."""
    cursor.execute(having, addresses)
    columns = [column.name for column in cursor.description]
    rows = cursor.fetchall()
    if rows:
        cursor.execute(known, [[row[at] for row in rows] for at in range(len(columns))])
    return [row[0] for row in rows]
