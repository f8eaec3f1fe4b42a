"""Whom an enrolment is for: everybody, a tag, a search or chosen people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from contacts.models import Contact
from omnify.tenants.context import require_tenant_id
from sequences.reading import contacts_matching

WHO = ("all", "tag", "search", "selected")
# Every tag that a contact of the tenant has, for the menu.
TAGS = "SELECT DISTINCT unnest(tags) AS tag FROM contacts_contact WHERE tenant_id = %s AND deleted_at IS NULL ORDER BY tag LIMIT 500"


@dataclass(frozen=True, slots=True)
class Audience:
    """A choice of contacts, as it stands in the URL."""

    who: str = ""
    tag: str = ""
    search: str = ""
    selected: tuple[UUID, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it says whom: a tag without a tag, or a search for nothing, does not."""
        needs = {"all": True, "tag": self.tag, "search": self.search, "selected": self.selected}
        return bool(needs.get(self.who))


def read(who: str, tag: str, search: str, selected: Iterable[str]) -> Audience:
    """An audience from a form's texts; ids that are none are left out."""
    found = []
    for text in selected:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return Audience(who if who in WHO else "", tag.strip()[:60], search.strip()[:100], tuple(found))


def contact_ids(audience: Audience, now: datetime) -> list[int]:
    """The contacts it means, deleted ones left out. One query."""
    rows = Contact.objects.alive()
    if not audience.complete:
        return []
    if audience.who == "tag":
        rows = rows.filter(tags__contains=[audience.tag])
    elif audience.who == "search":
        rows = contacts_matching(audience.search, now)
    elif audience.who == "selected":
        rows = rows.filter(public_id__in=audience.selected)
    return list(rows.order_by("id").values_list("pk", flat=True))


def tags() -> list[str]:
    """The tags there are. One query."""
    with connection.cursor() as cursor:
        cursor.execute(TAGS, [require_tenant_id()])
        return [row[0] for row in cursor.fetchall()]
