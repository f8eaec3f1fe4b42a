"""The admin site: for staff who are members, in the workspace they have chosen, with Omnify's models only."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.http import urlencode


class OmnifyAdminSite(AdminSite):
    """Logging in is django-allauth's business (limits, second factor); what a member may see is row-level security's."""

    site_header = site_title = "Omnify Admin"
    index_title = "This workspace"
    empty_value_display = "–"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Other apps' models (e-mail addresses, queues, groups) belong to no tenant: here they would show everybody's rows."""
        models: Iterable[type[Model]] = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        )
        ours = [model for model in models if is_ours(model)]
        if ours:
            super().register(ours, admin_class, **options)

    def get_urls(self) -> list[Any]:
        return [path("support/", self.admin_view(self.support), name="support"), *super().get_urls()]

    def support(self, request: HttpRequest) -> HttpResponse:
        """Where staff begin to look at another workspace, reading only (omnify.tenants.support)."""
        from omnify.tenants.views.support import begin

        return begin(request, self.each_context(request))

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and getattr(request, "member", None) is not None

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated:
            raise PermissionDenied("The admin is for staff who are members of a workspace.")
        goal = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('account_login')}?{urlencode({'next': goal})}")


def is_ours(model: type[Model]) -> bool:
    """Whether a model is from an app of this repository."""
    name = apps.get_app_config(model._meta.app_label).name
    return name.split(".")[0] in {"omnify", "contacts", "intelligence", "sequences", "healing", "learning"}
