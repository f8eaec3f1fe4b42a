"""Two contacts that are one person: found, shown side by side with what will come of it, and made one."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from contacts.addresses import normalised
from contacts.locks import addresses_of
from contacts.lookalikes import lookalikes, touches
from contacts.merging import MergeBlocked, columns_of, merge
from contacts.models import Contact, Suppression
from contacts.uniting import unite
from contacts.views.lookups import actor_of, contact_of
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role

SHOWN = {
    "first_name": "First name", "last_name": "Last name", "title": "Role", "email": "Email", "alternative_email": "Second email",
    "phone": "Phone", "alternative_phone": "Second phone", "address_line": "Street", "city": "City", "state": "State",
    "country": "Country", "tags": "Tags",
}  # fmt: skip


@member_required(Role.AGENT)
@require_http_methods(["GET", "HEAD", "POST"])
def merging(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """GET finds (`q`) or shows (`other`) whom to merge into this contact; a POST of `other` does it."""
    keep = contact_of(public_id)
    other = _other(request, keep)
    if request.method == "POST" and other is not None:
        try:
            done = merge(keep, other, by=actor_of(request), now=now())
        except MergeBlocked as blocked:
            messages.error(request, str(blocked))
            return redirect(f"{request.path}?other={other.public_id}")
        if done:
            messages.success(
                request, "The two are one contact now. What either of them forbade holds for all addresses."
            )
        else:
            messages.error(request, "One of the two was deleted or merged meanwhile.")
        return redirect(keep)
    query = request.GET.get("q", "")
    facts: dict[str, object] = {"contact": keep, "other": other, "query": query}
    if other is None:
        facts["found"] = lookalikes(keep, query)
    else:
        facts |= _sides(keep, other)
    return render(request, "contacts/merge.html", facts, status=422 if request.method == "POST" else 200)


def _other(request: HttpRequest, keep: Contact) -> Contact | None:
    given = request.POST.get("other", "") if request.method == "POST" else request.GET.get("other", "")
    try:
        wanted = UUID(given)
    except ValueError:
        return None
    return contact_of(wanted) if wanted != keep.public_id else None


def _sides(keep: Contact, other: Contact) -> dict[str, object]:
    """Both contacts and what they would be as one, line by line; nothing is written."""
    united = unite(columns_of(keep), columns_of(other))
    rows = []
    for name, label in SHOWN.items():
        sides = [_words(each) for each in (getattr(keep, name), getattr(other, name), united.values[name])]
        if any(sides):
            rows.append((label, *sides))
    addresses = {normalised(each) for each in (*addresses_of(keep), *addresses_of(other))}
    return {
        "rows": rows,
        "forbidden": Suppression.objects.filter(address__in=addresses, lifted_at=None).order_by("channel"),
        "touches": (touches(keep), touches(other)),
        "lost": sorted(united.replaced),
    }


def _words(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")
