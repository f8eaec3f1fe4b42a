"""People, what they allowed and forbade, and what was said. Contacts change through their verbs; the rest is a record."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from contacts.actions import EDITABLE, create_contact, delete_contact, update_contact
from contacts.forms import ContactForm
from contacts.models import Company, Consent, Contact, Forgotten, ImportJob, ImportProblem, Interaction, Suppression
from contacts.permissions import revoke_consent
from omnify.lib.clock import now
from omnify.tenants.administration import ReadOnly, TenantAdmin, TenantForm, actor, member_of, verb
from omnify.tenants.models.people import Role

FIELDS = (
    "first_name", "last_name", "title", "company", "owner", "email", "phone", "alternative_email", "alternative_phone",
    "timezone", "address_line", "city", "state", "postal_code", "country", "language", "tags", "custom_fields",
    "lead_score",
)  # fmt: skip


class ContactPageForm(TenantForm):
    """What a member types is cleaned here as on the contact's own page.

    No Meta: its relations would ask for rows when this module is imported, outside every tenant's context.
    """

    decisive = frozenset({"tenant", "deleted_at"})  # a mail address is unique among the living

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        company, tags = data.get("company"), data.get("tags") or []
        typed = ContactForm(
            {name: data.get(name) or "" for name in ContactForm.base_fields}
            | {"company": company.name if company else "", "tags": ",".join(tags), "owner": ""}
        )
        if not typed.is_valid():
            for name, found in typed.errors.items():
                self.add_error(name if name in self.fields else None, list(found))
        cleaned = {
            name: value for name, value in typed.cleaned_data.items() if name in EDITABLE and name in self.fields
        }
        return {**data, **cleaned}


@admin.register(Company)
class CompanyPage(TenantAdmin):
    least = Role.AGENT
    list_display = ("name", "domain", "industry", "created_at")
    search_fields = ("name__istartswith", "domain__istartswith")
    readonly_fields = ("public_id", "created_at")
    ordering = ("name",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Contact)
class ContactPage(TenantAdmin):
    least = Role.AGENT
    form = ContactPageForm
    list_display = ("__str__", "email", "phone", "company", "owner", "created_at")
    list_select_related = ("company", "owner__user")
    list_filter = ("phone_type", "sentiment_trend")
    search_fields = ("first_name__istartswith", "last_name__istartswith", "email__istartswith", "phone__startswith")
    autocomplete_fields = ("company", "owner")
    readonly_fields = (
        "public_id", "zones", "places", "phone_type", "phone_valid", "email_valid", "engagement_score", "sentiment_trend",
        "interaction_count", "inbound_count", "last_outbound_at", "last_inbound_at", "source", "created_at", "updated_at",
    )  # fmt: skip
    fields = (*FIELDS, *readonly_fields)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).filter(deleted_at__isnull=True)

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in EDITABLE}
        if "company" in form.changed_data:
            values["company"] = form.cleaned_data["company"].name if form.cleaned_data["company"] else ""
        if "owner" in form.changed_data:
            values["owner_id"] = form.cleaned_data["owner"].pk if form.cleaned_data["owner"] else None
        if change:
            update_contact(Contact.objects.get(pk=obj.pk), values, actor=actor(request), now=now())
        else:
            made = create_contact(values, actor=actor(request), now=now())
            obj.pk, obj.public_id = made.pk, made.public_id

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody is deleted under a legal hold."""
        return super().has_delete_permission(request, obj) and not member_of(request).tenant.legal_hold

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Nothing else goes with a person: their conversation stays with the nameless row."""
        return [str(each) for each in objs], {"contacts": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        delete_contact(obj, actor=actor(request), now=now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        for contact in list(queryset):
            delete_contact(contact, actor=actor(request), now=now())


def _revoke(request: HttpRequest, row: Consent) -> bool:
    if row.revoked_at is not None:
        return False
    ended = revoke_consent(
        contact_id=row.contact_id, channel=row.channel, kind=row.kind, now=now(), actor=actor(request)
    )
    return bool(ended)


@admin.register(Consent)
class ConsentPage(ReadOnly):
    list_display = ("contact", "channel", "kind", "address", "source", "given_at", "expires_at", "revoked_at")
    list_filter = ("channel", "kind")
    list_select_related = ("contact",)
    search_fields = ("address__exact",)
    actions = (verb("Revoke", _revoke, "revoked"),)


@admin.register(Suppression)
class SuppressionPage(ReadOnly):
    """Never lifted here: only the person's own START does that."""

    list_display = ("address", "channel", "reason", "source", "created_at", "lifted_at", "lifted_by")
    list_filter = ("channel", "reason")
    search_fields = ("address__exact",)


@admin.register(Forgotten)
class ForgottenPage(ReadOnly):
    """What erased people had forbidden, as hashes."""

    list_display = ("channel", "reason", "source", "created_at", "digest")
    exclude = ("tenant", "address")


@admin.register(Interaction)
class InteractionPage(ReadOnly):
    list_display = ("at", "contact", "channel", "direction", "outcome", "content_subject")
    list_filter = ("channel", "direction")
    list_select_related = ("contact",)
    search_fields = ("contact__email__exact", "contact__phone__exact", "provider_id__exact")


@admin.register(ImportJob)
class ImportJobPage(ReadOnly):
    list_display = (
        "file_name",
        "state",
        "rows_total",
        "count_new",
        "count_update",
        "count_skip",
        "count_error",
        "created_at",
    )
    list_filter = ("state",)
    search_fields = ("file_name",)


@admin.register(ImportProblem)
class ImportProblemPage(ReadOnly):
    list_display = ("job", "row", "column", "value", "message", "fatal")
    list_filter = ("fatal",)
    list_select_related = ("job",)
