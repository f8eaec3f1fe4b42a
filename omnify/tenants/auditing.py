"""The ledger as people read it: who did what, when, to what. Reading only; nothing here or elsewhere can change a row of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from omnify.tenants.models import ApiKey, Event, Membership, User

PAGE = 50
# What the page offers to look at: the word before the dot of an event's kind, and what people call it.
AREAS = {
    "contact": "Contacts", "consent": "Permissions", "import": "Imports", "sequence": "Sequences", "enrollment": "Enrolments",
    "task": "Tasks", "message": "Messages", "member": "Members", "api_key": "API keys", "tenant": "Workspace", "admin": "Admin",
    "webhook": "Webhooks", "approval": "Second signatures", "limits": "Limits", "support": "Support",
    "retention": "Retention",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One event in words. `details`: its data, as (name, value)."""

    event: Event
    who: str
    what: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """`who`: a membership's id; "people" for every member and key; "" for everybody, the machines included."""

    who: str = ""
    area: str = ""
    before: int | None = None

    @classmethod
    def read(cls, given: Any) -> "Filters":
        """From a query string; what makes no sense is left out."""
        who, area, before = given.get("who", "people"), given.get("area", ""), given.get("before", "")
        numeric = before.isascii() and before.isdecimal() and len(before) < 19
        known = who in ("", "people") or (who.isascii() and who.isdecimal() and len(who) < 19)
        return cls(who if known else "people", area if area in AREAS else "", int(before) if numeric else None)


def page(filters: Filters) -> tuple[list[Line], int | None]:
    """Newest first, at most 50, and the id behind which older ones follow. Three queries."""
    rows = Event.objects.order_by("-id")
    if filters.who == "people":
        rows = rows.filter(
            Q(actor__startswith="member:") | Q(actor__startswith="key:") | Q(actor__startswith="support:")
        )
    elif filters.who:
        rows = rows.filter(actor=f"member:{filters.who}")
    if filters.area:
        rows = rows.filter(kind__startswith=f"{filters.area}.")
    if filters.before is not None:
        rows = rows.filter(pk__lt=filters.before)
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    names = names_of(event.actor for event in shown)
    lines = [
        Line(event, names.get(event.actor, event.actor), words(event.kind), details(event.data)) for event in shown
    ]
    return lines, shown[-1].pk if len(found) > PAGE else None


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """How each actor is called. Who is no longer a member keeps the number they had."""
    wanted: dict[str, set[int]] = {"member": set(), "key": set(), "support": set()}
    for actor in actors:
        kind, _, number = actor.partition(":")
        if kind in wanted and number.isdecimal():
            wanted[kind].add(int(number))
    members = Membership.objects.filter(pk__in=wanted["member"]).select_related("user")
    keys = ApiKey.objects.filter(pk__in=wanted["key"])
    found = {f"member:{each.pk}": str(each.user) for each in members}
    found |= {f"key:{each.pk}": f"API key {each.name}" for each in keys}
    staff = User.objects.filter(pk__in=wanted["support"])
    found |= {f"support:{each.pk}": f"Support: {each}" for each in staff}
    gone = {f"member:{pk}": f"Former member {pk}" for pk in wanted["member"]}
    return gone | found


def words(kind: str) -> str:
    """ "member.role_changed" as "Member: role changed"."""
    area, _, rest = kind.partition(".")
    text = f"{area}: {rest}" if rest else area
    return text.replace("_", " ").capitalize()


def details(data: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(data, dict):
        return ()
    pairs = ((str(name).replace("_", " "), value) for name, value in data.items())
    return tuple((name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)) for name, value in pairs)
