"""Which tenant one works in, and its settings."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.actions import set_sending, update_tenant
from omnify.tenants.asking import asked
from omnify.tenants.forms import TenantForm
from omnify.tenants.middleware import SESSION_KEY
from omnify.tenants.models.people import Role
from omnify.tenants.signatures import NeedsSignature


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Makes another of the user's own tenants the current one."""
    wanted = request.POST.get("tenant", "")
    mine = {str(each.tenant.public_id): each.tenant_id for each in getattr(request, "memberships", [])}
    if wanted not in mine:
        raise Http404
    request.session[SESSION_KEY] = mine[wanted]
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return redirect(target if safe else "home")


@login_required
@require_GET
def none(request: HttpRequest) -> HttpResponse:
    """For a user who belongs to no tenant (yet)."""
    if request.member is not None:  # type: ignore[attr-defined]
        return redirect("home")
    return render(request, "tenants/none.html")


@member_required(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """The tenant's own data: every member reads it, managers and owners change it."""
    member = request.member  # type: ignore[attr-defined]
    if request.method == "POST":
        return save_settings(request)
    form = TenantForm(initial=TenantForm.initial_of(member.tenant))
    if not member.may(Role.MANAGER):
        for field in form.fields.values():
            field.disabled = True
    return render(
        request, "tenants/settings.html", {"form": form, "may_change": member.may(Role.MANAGER), "part": "workspace"}
    )


@member_required(Role.MANAGER)
def save_settings(request: HttpRequest) -> HttpResponse:
    member = request.member  # type: ignore[attr-defined]
    form = TenantForm(request.POST)
    if not form.is_valid():
        return render(
            request, "tenants/settings.html", {"form": form, "may_change": True, "part": "workspace"}, status=422
        )
    try:
        update_tenant(member.tenant, by=member, now=now(), **form.columns())
    except NeedsSignature as needed:
        return asked(request, needed)
    messages.success(request, "Settings saved.")
    return redirect("tenants:settings")


@member_required(Role.MANAGER)
@require_POST
def sending(request: HttpRequest) -> HttpResponse:
    """Turns all sending off or on again."""
    member = request.member  # type: ignore[attr-defined]
    enabled = request.POST.get("enabled") == "yes"
    if set_sending(member.tenant, enabled=enabled, by=member, now=now()):
        messages.success(request, "Sending is on again." if enabled else "Sending is off. Nothing more leaves.")
    return redirect("tenants:settings")


@member_required(Role.OWNER)
@require_POST
def signatures(request: HttpRequest) -> HttpResponse:
    """Asks to do without second signatures, which needs one; or turns them on again, which needs none."""
    member = request.member  # type: ignore[attr-defined]
    wanted = request.POST.get("wanted") == "yes"
    try:
        if update_tenant(member.tenant, by=member, now=now(), two_signatures=wanted):
            messages.success(request, "Second signatures are asked for again." if wanted else "Nobody else signs now.")
    except NeedsSignature as needed:
        return asked(request, needed)
    return redirect("tenants:settings")
