"""How much may leave: every member reads it, managers change it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.asking import asked
from omnify.tenants.models.people import Role
from omnify.tenants.signatures import NeedsSignature
from sequences.allowances import change_limits
from sequences.limitforms import LimitsForm
from sequences.models import Sender


@member_required(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest) -> HttpResponse:
    """The page Limits."""
    member = request.member  # type: ignore[attr-defined]
    if request.method == "POST":
        return save(request)
    senders = list(Sender.objects.all())
    form = LimitsForm(initial=LimitsForm.initial_of(member.tenant, senders), senders=senders)
    may_change = member.may(Role.MANAGER)
    if not may_change:
        for field in form.fields.values():
            field.disabled = True
    return render(request, "sequences/limits.html", {"form": form, "may_change": may_change, "part": "limits"})


@member_required(Role.MANAGER)
def save(request: HttpRequest) -> HttpResponse:
    member = request.member  # type: ignore[attr-defined]
    form = LimitsForm(request.POST, senders=Sender.objects.all())
    if not form.is_valid():
        context = {"form": form, "may_change": True, "part": "limits"}
        return render(request, "sequences/limits.html", context, status=422)
    try:
        changed = change_limits(member.tenant, by=member, now=now(), **form.values())
    except NeedsSignature as needed:
        return asked(request, needed)
    if changed:
        messages.success(request, "Limits saved. They hold from the next message on.")
    return redirect("sequences:limits")
