"""What the tenant's people must know: the bell and the full list."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.actions import mark_notifications_read
from omnify.tenants.models.people import Role
from omnify.tenants.notifications import notifications_for

PAGE = 50
BELL = 8


@member_required(Role.VIEWER)
@require_GET
def list_notifications(request: HttpRequest) -> HttpResponse:
    """Newest first, by pages of 50; `before` is the id of the last one seen, `show=unread` leaves out what has been read."""
    rows = notifications_for(request.member)  # type: ignore[attr-defined]
    unread_only = request.GET.get("show") == "unread"
    if unread_only:
        rows = rows.filter(read_at__isnull=True)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    facts = {
        "rows": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "unread_only": unread_only,
    }
    return render(request, "tenants/notifications.html", facts)


@member_required(Role.VIEWER)
@require_GET
def bell(request: HttpRequest) -> HttpResponse:
    """The newest few, as the fragment under the bell."""
    rows = notifications_for(request.member)[:BELL]  # type: ignore[attr-defined]
    return render(request, "tenants/bell.html", {"rows": rows})


@member_required(Role.VIEWER)
@require_GET
def bell_count(request: HttpRequest) -> HttpResponse:
    return render(request, "frame/bell_count.html")


@member_required(Role.VIEWER)
@require_POST
def read(request: HttpRequest, public_id: UUID | None = None) -> HttpResponse:
    """Marks one notification, or all of them, as read; opens what it is about when asked to."""
    ids = None if public_id is None else [str(public_id)]
    mark_notifications_read(by=request.member, now=now(), ids=ids)  # type: ignore[attr-defined]
    if request.htmx:  # type: ignore[attr-defined]
        return bell_after(request)
    return redirect("tenants:notifications")


def bell_after(request: HttpRequest) -> HttpResponse:
    rows = notifications_for(request.member)[:BELL]  # type: ignore[attr-defined]
    response = render(request, "tenants/bell.html", {"rows": rows})
    response["HX-Trigger"] = "live:notifications"
    return response
