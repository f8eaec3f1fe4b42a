"""What the "no" of a row ends that is left out, because an earlier row is about the same person.

The earlier row counts in everything but this: of a yes and a no the stricter holds, wherever in the list they stand.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from contacts.importing.staging import HAVING_EMAIL, HAVING_PHONE

# refusing_rows: rarely any, so what follows is seldom asked.
ROWS = (
    "SELECT email, phone, first_name, refused FROM import_row WHERE twin IS NOT NULL AND refused <> '{}' ORDER BY row"
)
# refusing_end: these consents, of these people on these channels.
END = """
UPDATE contacts_consent AS consent SET revoked_at = %(now)s
  FROM unnest(%(contacts)s::bigint[], %(channels)s::text[]) AS refused (contact_id, channel)
 WHERE consent.tenant_id = %(tenant)s AND consent.contact_id = refused.contact_id AND consent.channel = refused.channel
   AND consent.revoked_at IS NULL
"""
Row = tuple[str, str, str, list[str]]  # email, phone, first name, refused channels


def refuse_twins(tenant_id: int, *, now: datetime) -> int:
    """Ends what the staged rows that are left out refuse; returns how many consents. After the others are written."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS)
        rows: list[Row] = cursor.fetchall()
        if not rows:
            return 0
        mailboxes, numbers = ([row[at] for row in rows if row[at]] for at in (0, 1))
        given: dict[str, Any] = {"tenant": tenant_id, "emails": mailboxes, "phones": numbers}
        cursor.execute(HAVING_EMAIL, given)
        by_email = {email: pk for pk, email in cursor.fetchall()}
        cursor.execute(HAVING_PHONE, given)
        pairs = sorted(refusals(rows, by_email, cursor.fetchall()))
        contacts, channels = [pk for pk, _ in pairs], [channel for _, channel in pairs]
        cursor.execute(END, {"tenant": tenant_id, "now": now, "contacts": contacts, "channels": channels})
        return int(cursor.rowcount)


def refusals(
    rows: Iterable[Row], by_email: dict[str, int], having_phone: Iterable[tuple[int, str, str, str]]
) -> set[tuple[int, str]]:
    """Who refuses which channel. The mailbox decides; the phone does where one side has no mailbox, and no other first name.

    `having_phone`: (contact, phone, first name, mailbox).
    """
    by_phone: dict[str, list[tuple[int, str, str]]] = {}
    for pk, phone, first, email in having_phone:
        by_phone.setdefault(phone, []).append((pk, first, email))
    found: set[tuple[int, str]] = set()
    for email, phone, first, refused in rows:
        if email in by_email:
            people = [by_email[email]]
        else:
            people = [
                pk
                for pk, theirs, mailbox in by_phone.get(phone, ())
                if not (email and mailbox) and (not first or not theirs or first.lower() == theirs.lower())
            ]
        found |= {(pk, channel) for pk in people for channel in refused}
    return found
