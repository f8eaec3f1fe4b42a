"""Across all tenants, as the system role: people without jurisdictions get those that their own rows say.

Everything that writes a contact works them out itself; unplaced are only those an older release wrote. Until their turn
comes the strictest rules hold for them.
"""

from datetime import datetime

from django.db import connection

from contacts.models import Contact
from contacts.places import place_of

BATCH = 2_000
BATCHES = 50
# placing_fill: only where still unplaced: a change made meanwhile knows better.
FILL = """
UPDATE contacts_contact AS contact SET places = string_to_array(found.places, ' '), updated_at = %(now)s
  FROM unnest(%(ids)s::bigint[], %(places)s::text[]) AS found(id, places)
 WHERE contact.id = found.id AND contact.places IS NULL
"""


def fill(*, now: datetime) -> int:
    """Places up to a hundred thousand people, a batch a statement. Returns how many; 0: nobody is left."""
    done = 0
    for _ in range(BATCHES):
        rows = (
            Contact.objects.all_tenants()
            .filter(places__isnull=True, deleted_at__isnull=True)
            .values_list("id", "timezone", "country", "state", "city", "postal_code", "phone")[:BATCH]
        )
        found = {row[0]: " ".join(place_of(*row[1:]).places) for row in rows}
        if not found:
            break
        with connection.cursor() as cursor:
            cursor.execute(FILL, {"ids": list(found), "places": list(found.values()), "now": now})
            done += cursor.rowcount
        if len(found) < BATCH:
            break
    return done
