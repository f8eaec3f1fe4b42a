"""What is kept of people, for how long, and how an owner takes all of it along."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from omnify.lib.clock import now
from omnify.lib.streaming import attachment
from omnify.tenants import rates
from omnify.tenants.access import member_required
from omnify.tenants.actions import update_tenant
from omnify.tenants.asking import asked
from omnify.tenants.events import record
from omnify.tenants.exporting import Export
from omnify.tenants.forms import RetentionForm
from omnify.tenants.models import Membership, RetentionMark
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.models.people import Role
from omnify.tenants.notifications import notify
from omnify.tenants.retention import ERASED_DAYS, KINDS
from omnify.tenants.signatures import NeedsSignature


@member_required(Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def data(request: HttpRequest) -> HttpResponse:
    """The terms, how far the removal has come, the legal hold, and the export."""
    member = request.member  # type: ignore[attr-defined]
    form = RetentionForm(request.POST or None, tenant=member.tenant)
    if request.method == "POST" and form.is_valid():
        try:
            if update_tenant(member.tenant, by=member, now=now(), **form.columns()):
                messages.success(request, "Saved. What is over its term is removed from now on.")
        except NeedsSignature as needed:
            return asked(request, needed)
        return redirect("tenants:data")
    marks = {mark.kind: mark for mark in RetentionMark.objects.all()}
    facts = {
        "form": form,
        "kinds": [(label, marks.get(kind)) for kind, label in KINDS.items()],
        "erased_days": ERASED_DAYS,
        "part": "data",
    }
    return render(request, "tenants/data.html", facts, status=422 if form.errors else 200)


@member_required(Role.OWNER)
@require_POST
def hold(request: HttpRequest) -> HttpResponse:
    """Puts everything on hold, which needs nobody else; or asks to end the hold, which needs a second signature."""
    member = request.member  # type: ignore[attr-defined]
    wanted = request.POST.get("wanted") == "yes"
    try:
        if update_tenant(member.tenant, by=member, now=now(), legal_hold=wanted):
            messages.success(request, "Nothing is removed any more." if wanted else "The legal hold has ended.")
    except NeedsSignature as needed:
        return asked(request, needed)
    return redirect("tenants:data")


@member_required(Role.OWNER)
@require_POST
def export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Everything of the workspace as a zip, made while it is sent. The ledger and the other owners are told first."""
    member = request.member  # type: ignore[attr-defined]
    most, seconds = rates.EXPORTS
    if not rates.within("export", str(member.tenant_id), most=most, seconds=seconds):
        messages.error(request, f"At most {most} exports an hour. Try again later.")
        return redirect("tenants:data")
    moment = now()
    record(
        "tenant.exported", tenant_id=member.tenant_id, now=moment, actor=f"member:{member.pk}", subject=member.tenant
    )
    for owner in Membership.objects.filter(role=Role.OWNER).exclude(pk=member.pk):
        notify(
            tenant_id=member.tenant_id, type=NotificationType.SUPPORT, priority=Priority.HIGH, member=owner,
            title=f"{member.user} took a copy of everything", body="An export of the whole workspace, without its secrets.",
        )  # fmt: skip
    pieces = Export(member.tenant, now=moment).pieces()
    return attachment(request, pieces, f"{member.tenant.slug}-{moment:%Y-%m-%d}.zip", "application/zip")
