"""Which sequence the contacts chosen elsewhere shall be enrolled in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role
from sequences.models import Sequence


@member_required(Role.AGENT)
@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """Lists the sequences that take people; each leads to its enrolment page with the same choice of people."""
    rows = Sequence.objects.filter(status__in=("active", "paused"), published__isnull=False).order_by("name")[:200]
    query = request.GET.urlencode()
    if len(rows) == 1:
        return redirect(f"{reverse('sequences:enroll', args=[rows[0].public_id])}?{query}")
    return render(request, "sequences/choose.html", {"rows": rows, "query": query})
