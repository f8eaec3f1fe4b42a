"""What every page of the admin has in common. Rows are the current tenant's; changes go into the event ledger."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property

from omnify.lib.clock import now
from omnify.tenants.context import require_tenant_id
from omnify.tenants.events import record
from omnify.tenants.models import Membership
from omnify.tenants.models.people import Role

COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Counts no further than COUNTED: a hot ledger is never counted whole. What lies beyond is found by filters."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNTED].count())


class TenantForm(forms.ModelForm):
    """Knows the tenant before it is checked, so that "unique within the tenant" is an error of the form and not of the server.

    `decisive`: columns that are not on the form but in a constraint, which Django would therefore leave unchecked.
    """

    decisive: frozenset[str] = frozenset({"tenant"})

    def _get_validation_exclusions(self) -> set[str]:
        return set(super()._get_validation_exclusions()) - self.decisive  # type: ignore[misc]

    def _post_clean(self) -> None:
        if self.instance.tenant_id is None:
            self.instance.tenant_id = require_tenant_id()
        super()._post_clean()  # type: ignore[misc]


class OwnLedger(admin.ModelAdmin):
    """Django's admin log belongs to a user, not to a tenant; what was changed here stands in the tenant's own ledger instead.

    `least`: the role in the workspace without which nothing is added, changed or deleted. Every member of the staff may look.
    """

    least: Role = Role.MANAGER
    paginator = BoundedPaginator
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and member_of(request).may(self.least)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and member_of(request).may(self.least)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and member_of(request).may(self.least)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Django's date-and-time pair has one label for two fields: each part is named for those who cannot see it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, AdminSplitDateTime):
            for part, name in zip(field.widget.widgets, ("date", "time"), strict=True):
                part.attrs["aria-label"] = f"{field.label}, {name}"
        return field

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        note(request, "admin.added", obj)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        fields = [name for each in message for name in each.get("changed", {}).get("fields", [])]
        note(request, "admin.changed", obj, fields=[str(name) for name in fields])

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        for obj in queryset:
            note(request, "admin.deleted", obj)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        query = f"?subject_type={self.model._meta.model_name}&subject_id={object_id}"
        return redirect(reverse("admin:tenants_event_changelist") + query)


class TenantAdmin(OwnLedger):
    """For models that belong to a tenant: the scoped manager gives the current one's rows, a new row gets its tenant."""

    form: Any = TenantForm
    exclude: ClassVar[tuple[str, ...]] = ("tenant",)


class ReadOnly(TenantAdmin):
    """Looked at, changed only by the verbs that its actions call."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def note(request: HttpRequest, kind: str, obj: Model, **data: Any) -> None:
    member = member_of(request)
    record(kind, tenant_id=member.tenant_id, now=now(), actor=actor(request), subject=obj, **data)


def member_of(request: HttpRequest) -> Membership:
    member: Membership = request.member  # type: ignore[attr-defined]
    return member


def actor(request: HttpRequest) -> str:
    return f"member:{member_of(request).pk}"


def verb(
    label: str, act: Callable[[HttpRequest, Any], Any], done: str, *, role: Role = Role.MANAGER
) -> Callable[..., None]:
    """An admin action that calls `act(request, row)` for each chosen row and says for how many it was true.

    `done`: what happened to them, e.g. "paused". For staff whose role in the workspace is at least `role`.
    """

    @admin.action(description=label, permissions=["view"])
    def action(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        if not member_of(request).may(role):
            raise PermissionDenied(f"This needs the role {role.value}.")
        changed = sum(bool(act(request, row)) for row in queryset)
        left = len(queryset) - changed
        text = f"{changed} {done}." + (f" {left} stayed as they were." if left else "")
        modeladmin.message_user(request, text, messages.SUCCESS if changed else messages.WARNING)

    action.__name__ = label.lower().replace(" ", "_").replace("/", "_")
    return action
