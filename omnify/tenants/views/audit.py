"""Who did what in this workspace."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from omnify.tenants import auditing
from omnify.tenants.access import member_required
from omnify.tenants.models import Membership
from omnify.tenants.models.people import Role


@member_required(Role.OWNER)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The ledger, newest first, by pages; `who`, `area` and `before` narrow it."""
    filters = auditing.Filters.read(request.GET)
    lines, older = auditing.page(filters)
    facts = {
        "lines": lines,
        "older": urlencode({"who": filters.who, "area": filters.area, "before": older}) if older else "",
        "filters": filters,
        "areas": auditing.AREAS.items(),
        "members": Membership.objects.select_related("user").order_by("user__email")[:200],
        "part": "audit",
    }
    return render(request, "tenants/audit.html", facts)
