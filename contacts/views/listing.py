"""The list of contacts, and the same list as CSV."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_safe

from contacts import exporting, finding
from contacts.models.permission import Channel
from contacts.reaching import reach
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models import Membership
from omnify.tenants.models.people import Role


@member_required(Role.VIEWER)
@require_safe
def list_contacts(request: HttpRequest) -> HttpResponse:
    filters = finding.Filters.read(request.GET)
    moment = now()
    page = finding.page(filters, request.GET.get("after", ""), now=moment)
    reached = reach(page.rows, now=moment)
    facts = {
        "filters": filters,
        "page": page,
        "rows": [(contact, reached[contact.pk]) for contact in page.rows],
        "members": Membership.objects.select_related("user").order_by("user__email")[:200],
        "channels": Channel.choices,
        "sorts": finding.SORTS,
        "replied": finding.REPLIED,
        "after": request.GET.get("after", ""),
        "may_edit": request.member.may(Role.AGENT),  # type: ignore[attr-defined]
    }
    part = "#rows" if request.htmx and not request.htmx.boosted else ""  # type: ignore[attr-defined]
    return render(request, f"contacts/list.html{part}", facts)


@member_required(Role.AGENT)
@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """Every contact the filters leave, streamed."""
    pieces = exporting.contact_lines(request.tenant.pk, finding.Filters.read(request.GET), now=now())  # type: ignore[attr-defined]
    return exporting.download(request, pieces, "contacts.csv")
