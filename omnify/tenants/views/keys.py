"""API keys: made, shown once, revoked."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.actions import create_api_key, revoke_api_key
from omnify.tenants.forms import ApiKeyForm
from omnify.tenants.models import ApiKey
from omnify.tenants.models.people import Role


def page(request: HttpRequest, form: ApiKeyForm, status: int = 200, **more: object) -> HttpResponse:
    rows = ApiKey.objects.select_related("created_by").order_by("revoked_at", "-id")[:100]
    return render(request, "tenants/keys.html", {"rows": rows, "form": form, "part": "keys", **more}, status=status)


@member_required(Role.MANAGER)
@require_GET
def list_keys(request: HttpRequest) -> HttpResponse:
    return page(request, ApiKeyForm(up_to=request.member.role))  # type: ignore[attr-defined]


@member_required(Role.MANAGER)
@never_cache
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Answers with the page that shows the key, not with a redirect: the key is kept nowhere it could be fetched from."""
    me = request.member  # type: ignore[attr-defined]
    form = ApiKeyForm(request.POST, up_to=me.role)
    if not form.is_valid():
        return page(request, form, 422)
    row, key = create_api_key(name=form.cleaned_data["name"], role=form.cleaned_data["role"], by=me, now=now())
    return page(request, ApiKeyForm(up_to=me.role), created=row, key=key)


@member_required(Role.MANAGER)
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(ApiKey.objects.all(), pk=pk)
    if revoke_api_key(row, by=request.member, now=now()):  # type: ignore[attr-defined]
        messages.success(request, f"The key “{row.name}” no longer works.")
    return redirect("tenants:keys")
