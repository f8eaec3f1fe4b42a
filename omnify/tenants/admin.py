"""The workspace itself, who works there, its keys, its notifications and its ledger."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from omnify.lib.clock import now
from omnify.tenants import actions as verbs
from omnify.tenants.administration import OwnLedger, ReadOnly, member_of, verb
from omnify.tenants.asking import asked
from omnify.tenants.members import LastOwner, remove_member
from omnify.tenants.models import (
    ApiKey,
    Approval,
    Event,
    Membership,
    Notification,
    RetentionMark,
    Seal,
    SealHead,
    SealState,
    SupportVisit,
    Tenant,
    User,
)
from omnify.tenants.models.people import Role
from omnify.tenants.signatures import NeedsSignature


def _remove(request: HttpRequest, member: Membership) -> bool:
    try:
        return remove_member(member, by=member_of(request), now=now())
    except LastOwner as refusal:
        messages.error(request, str(refusal))
        return False


@admin.register(Tenant)
class TenantPage(OwnLedger):
    """The chosen workspace alone. Also where it is switched to real sending."""

    list_display = ("name", "industry", "timezone", "sending_mode", "sending_enabled")
    # Caps are changed on the page Limits, where raising one is seen as such.
    readonly_fields = ("slug", "public_id", "sending_enabled", "caps", "created_at")
    actions = (
        verb("Stop sending", lambda r, t: verbs.set_sending(t, enabled=False, by=member_of(r), now=now()), "stopped"),
        verb("Start sending", lambda r, t: verbs.set_sending(t, enabled=True, by=member_of(r), now=now()), "started"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        return super().get_queryset(request).filter(pk=member_of(request).tenant_id)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a new tenant has no member yet whose rights could be checked: workers make it

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        present = Tenant.objects.get(pk=obj.pk)
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        request.asked = None  # type: ignore[attr-defined]
        try:
            verbs.update_tenant(present, by=member_of(request), now=now(), **values)
        except NeedsSignature as needed:
            request.asked = asked(request, needed)  # type: ignore[attr-defined]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        if request.asked is None:  # type: ignore[attr-defined]
            super().log_change(request, obj, message)

    def response_change(self, request: HttpRequest, obj: Tenant) -> HttpResponse:
        return request.asked or super().response_change(request, obj)  # type: ignore[attr-defined]


@admin.register(User)
class UserPage(OwnLedger):
    """The people of this workspace. Passwords are their own affair; who is staff is decided on the machine."""

    list_display = ("email", "first_name", "last_name", "is_active", "is_staff", "last_login")
    fields = ("email", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    readonly_fields = ("email", "is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).filter(pk__in=Membership.objects.values("user_id"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Membership)
class MembershipPage(ReadOnly):
    list_display = ("user", "role", "created_at")
    ordering = ("user__email",)
    list_filter = ("role",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__first_name", "user__last_name")
    actions = (verb("Remove from the workspace", _remove, "removed", role=Role.OWNER),)


@admin.register(ApiKey)
class ApiKeyPage(ReadOnly):
    list_display = ("name", "prefix", "role", "created_by", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("created_by",)
    search_fields = ("name", "prefix")
    exclude = ("tenant", "digest")
    actions = (verb("Revoke", lambda r, key: verbs.revoke_api_key(key, by=member_of(r), now=now()), "revoked"),)


@admin.register(Notification)
class NotificationPage(ReadOnly):
    list_display = ("title", "type", "priority", "member", "created_at", "read_at")
    list_filter = ("type", "priority")
    list_select_related = ("member__user",)
    search_fields = ("title",)


@admin.register(Approval)
class ApprovalPage(ReadOnly):
    """Signed and turned down on the page Approvals alone, where it is known who looks."""

    list_display = (
        "title",
        "kind",
        "asked_by",
        "asked_at",
        "decision",
        "decided_by",
        "decided_at",
        "alone",
        "applied_at",
    )
    list_filter = ("kind", "decision")
    search_fields = ("title",)


@admin.register(SupportVisit)
class SupportVisitPage(ReadOnly):
    """Who of our staff looked at this workspace, and why."""

    list_display = ("staff_name", "reason", "began_at", "until", "ended_at")
    search_fields = ("staff_name",)


@admin.register(Event)
class EventPage(ReadOnly):
    """The ledger: append-only by the database's privileges."""

    list_display = ("at", "kind", "actor", "subject_type", "subject_id")
    search_fields = ("kind__startswith", "actor__exact")
    ordering = ("-id",)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup in ("subject_type", "subject_id") or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]


@admin.register(Seal)
class SealPage(ReadOnly):
    """The chain over the ledger; `manage.py audit verify` recomputes it."""

    list_display = ("number", "count", "after", "upto", "root", "made_at")
    exclude = ("tenant", "leaves")
    ordering = ("-number",)


@admin.register(SealHead)
class SealHeadPage(ReadOnly):
    list_display = ("number", "upto", "root")
    ordering = ("tenant",)


@admin.register(RetentionMark)
class RetentionMarkPage(ReadOnly):
    """How far retention has come; the workers move it."""

    list_display = ("kind", "upto", "total", "cleared_at")
    ordering = ("kind",)


@admin.register(SealState)
class SealStatePage(ReadOnly):
    list_display = ("sealed_upto", "sealed_at", "shipped", "shipped_at", "ship_problem")
