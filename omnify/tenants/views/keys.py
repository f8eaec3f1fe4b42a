"""API keys: made, shown once, revoked."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from omnify.lib import sealing
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.actions import create_api_key, revoke_api_key
from omnify.tenants.forms import A_YEAR, ApiKeyForm
from omnify.tenants.models import ApiKey, Membership
from omnify.tenants.models.people import Role

FRESH = "fresh_key"


def page(request: HttpRequest, form: ApiKeyForm, status: int = 200, **more: object) -> HttpResponse:
    rows = ApiKey.objects.select_related("created_by").order_by("revoked_at", "-id")[:100]
    return render(
        request,
        "tenants/keys.html",
        {"rows": rows, "form": form, "part": "keys", "moment": now(), **more},
        status=status,
    )


@member_required(Role.MANAGER)
@never_cache
@require_GET
def list_keys(request: HttpRequest) -> HttpResponse:
    """The keys; right after one was made also the key itself, this once."""
    me = request.member  # type: ignore[attr-defined]
    fresh = request.session.pop(FRESH, None)
    shown = sealing.open_sealed(fresh, context=context_of(me)) if fresh else {}
    return page(request, ApiKeyForm(up_to=me.role), **shown)


@member_required(Role.MANAGER)
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Makes a key and goes to the list, so that reloading makes no second one. On the way the key waits sealed in the session."""
    me = request.member  # type: ignore[attr-defined]
    form = ApiKeyForm(request.POST, up_to=me.role)
    if not form.is_valid():
        return page(request, form, 422)
    asked, moment = form.cleaned_data, now()
    days = A_YEAR if asked["lasts"] == "" else asked["lasts"]
    until = moment + timedelta(days=days) if days else None
    row, key = create_api_key(name=asked["name"], role=asked["role"], by=me, now=moment, expires_at=until)
    request.session[FRESH] = sealing.seal({"created": row.name, "key": key}, context=context_of(me))
    return redirect("tenants:keys")


def context_of(member: Membership) -> str:
    """Only the member who made a key gets to see it, in the workspace it is for."""
    return f"fresh key:{member.tenant_id}:{member.pk}"


@member_required(Role.MANAGER)
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(ApiKey.objects.all(), pk=pk)
    if revoke_api_key(row, by=request.member, now=now()):  # type: ignore[attr-defined]
        messages.success(request, f"The key “{row.name}” no longer works.")
    return redirect("tenants:keys")
