"""The contact list's question to the database: filters as they stand in the URL, one page at a time.

Search uses indexes under row-level security, which lets only leak-proof comparisons near them: so no LIKE, but ranges
over the columns as they are (from "Ann" up to the last thing that begins so), for each way of writing the beginning of a name.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Collate

from contacts import phones
from contacts.models import Consent, Contact, Suppression
from contacts.models.permission import Channel

PAGE = 50
SORTS = {"newest": "Newest first", "oldest": "Oldest first", "name": "By first name", "replied": "Latest reply first"}
REPLIED = {"7": "Replied in 7 days", "30": "Replied in 30 days", "never": "Never replied"}
# What sorts above every character a name has.
_END = "\U0010ffff"
_ORDER = {
    "newest": (F("id").desc(),),
    "oldest": (F("id").asc(),),
    "name": (Collate(F("first_name"), "C").asc(), F("id").asc()),
    "replied": (F("last_inbound_at").desc(), F("id").desc()),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list shows. Empty values filter nothing."""

    q: str = ""
    reach: str = ""  # a channel that may be used: has an address for it that is not suppressed
    consent: str = ""  # a channel they agreed to
    suppressed: str = ""  # "yes": some channel is forbidden
    tag: str = ""
    owner: str = ""  # a membership's id, or "none"
    replied: str = ""
    sort: str = "newest"

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """From the URL; values that mean nothing are dropped."""
        values = {each.name: str(query.get(each.name, "")).replace("\x00", "").strip()[:200] for each in fields(cls)}
        allowed: dict[str, Any] = {
            "reach": Channel.values,
            "consent": Channel.values,
            "suppressed": ("yes",),
            "replied": REPLIED,
        }
        for name, choices in allowed.items():
            if values[name] not in choices:
                values[name] = ""
        if values["sort"] not in SORTS:
            values["sort"] = "newest"
        if values["owner"] != "none" and not values["owner"].isdecimal():
            values["owner"] = ""
        return cls(**values)

    @property
    def any(self) -> bool:
        """Whether anything is left out of the list."""
        return any(value for name, value in self.asdict().items() if name != "sort")

    def asdict(self) -> dict[str, str]:
        return asdict(self)

    def query(self, **changes: str) -> str:
        """The URL's query for these filters with some changed, without what is empty."""
        values = self.asdict() | changes
        return urlencode(
            {name: value for name, value in values.items() if value and (name, value) != ("sort", "newest")}
        )


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Contact]
    after: UUID | None  # the last row's public id where more follow


def page(filters: Filters, after: str | Contact, *, now: datetime, size: int = PAGE) -> Page:
    """One page of contacts with their company and owner, after this row, as it was shown, or the one with this public id,
    as it is now. One query, two with an id."""
    rows = found(filters, now=now).select_related("company", "owner__user").order_by(*_ORDER[filters.sort])
    if after:
        rows = _beyond(rows, filters.sort, after)
    chunk = list(rows[: size + 1])
    return Page(chunk[:size], chunk[size - 1].public_id if len(chunk) > size else None)


def found(filters: Filters, *, now: datetime) -> QuerySet[Contact]:
    """The contacts these filters leave, in no order."""
    rows: QuerySet[Contact] = Contact.objects.alive()
    if filters.q:
        rows = rows.alias(first_name_c=Collate("first_name", "C"), last_name_c=Collate("last_name", "C"))
        rows = rows.filter(_search(filters.q))
    if filters.tag:
        rows = rows.filter(tags__contains=[filters.tag])
    if filters.owner:
        rows = rows.filter(owner_id=None if filters.owner == "none" else int(filters.owner))
    if filters.replied == "never":
        rows = rows.filter(last_inbound_at__isnull=True)
    elif filters.replied:
        rows = rows.filter(last_inbound_at__gte=now - timedelta(days=int(filters.replied)))
    if filters.sort == "replied":
        rows = rows.filter(last_inbound_at__isnull=False)
    return _permitted(rows, filters, now)


def _permitted(rows: QuerySet[Contact], filters: Filters, now: datetime) -> QuerySet[Contact]:
    if filters.reach:
        address = "email" if filters.reach == Channel.EMAIL else "phone"
        rows = rows.exclude(**{address: ""}).filter(~_forbidden(address, [filters.reach]))
    if filters.consent:
        given = Consent.objects.filter(contact=OuterRef("pk"), channel=filters.consent, revoked_at__isnull=True)
        rows = rows.filter(Exists(given.exclude(kind="none").exclude(expires_at__lte=now)))
    if filters.suppressed:
        rows = rows.filter(_forbidden("email", ["email"]) | _forbidden("phone", ["sms", "voice"]))
    return rows


def _forbidden(address: str, channels: list[str]) -> Exists:
    return Exists(Suppression.objects.filter(address=OuterRef(address), channel__in=channels, lifted_at__isnull=True))


def _search(text: str) -> Q:
    """Whose e-mail, phone or names begin with this. Two words are a first and a last name, in either order."""
    text = " ".join(text.replace("\x00", "").split())[:100]
    digits = sum(map(str.isdigit, text))
    if "@" in text:
        return _range("email", text.lower())
    if digits >= 3 and digits >= len(text.replace(" ", "")) * 0.6:
        return _phone(text)
    words = text.split(" ", 1)
    if len(words) == 2:
        return _name("first_name", words[0]) & _name("last_name", words[1]) | (
            _name("first_name", words[1]) & _name("last_name", words[0])
            | _name("first_name", text)
            | _name("last_name", text)
        )
    return _name("first_name", text) | _name("last_name", text) | _range("email", text.lower())


def _phone(text: str) -> Q:
    digits = "".join(letter for letter in text if letter.isdecimal())
    whole = phones.normalise(text)
    if isinstance(whole, phones.Phone):
        return Q(phone=whole.e164) | Q(alternative_phone=whole.e164)
    return _range("phone", f"+{digits}") | (_range("phone", f"+1{digits}") if not text.startswith("+") else Q())


def _name(column: str, text: str) -> Q:
    ways = dict.fromkeys((text, text.lower(), text.upper(), text.title(), text[:1].upper() + text[1:]))
    condition = Q()
    for way in ways:
        condition |= _range(f"{column}_c", way)
    return condition


def _range(column: str, start: str) -> Q:
    """Values that begin with `start`. The indexes on addresses leave out the empty ones, so the question must too."""
    filled = ~Q(**{column: ""}) if column in ("email", "phone") else Q()
    return filled & Q(**{f"{column}__gte": start, f"{column}__lt": start + _END})


def _shown(after: str) -> Contact | None:
    try:
        wanted = UUID(after)
    except ValueError:
        return None
    found: Contact | None = Contact.objects.only("id", "first_name", "last_inbound_at").filter(public_id=wanted).first()
    return found


def _beyond(rows: QuerySet[Contact], sort: str, after: str | Contact) -> QuerySet[Contact]:
    last = after if isinstance(after, Contact) else _shown(after)
    if last is None:
        return rows
    if sort == "oldest":
        return rows.filter(pk__gt=last.pk)
    if sort == "name":
        rows = rows.alias(first_name_c=Collate("first_name", "C"))
        return rows.filter(Q(first_name_c__gt=last.first_name) | Q(first_name_c=last.first_name, pk__gt=last.pk))
    if sort == "replied" and last.last_inbound_at is not None:
        at = last.last_inbound_at
        return rows.filter(Q(last_inbound_at__lt=at) | Q(last_inbound_at=at, pk__lt=last.pk))
    return rows.filter(pk__lt=last.pk)
