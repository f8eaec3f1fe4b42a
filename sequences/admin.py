"""Sequences, enrolments, receipts, messages and senders. Senders are set up here; all else changes through verbs."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from omnify.lib.clock import now
from omnify.tenants.administration import ReadOnly, TenantAdmin, TenantForm, actor, member_of, verb
from sequences import definitions, enrollments
from sequences.allowances import inherit_limits
from sequences.models import (
    Edge,
    Enrollment,
    Execution,
    Message,
    Pace,
    Polling,
    ProviderEvent,
    SendEpoch,
    Sender,
    Sequence,
    SequenceNumbers,
    Spending,
    Step,
    Switch,
    Tally,
    Task,
    Version,
    Vitals,
    VoiceSlot,
    Wakeup,
)
from sequences.models.sender import Provider
from sequences.todo import finish_task, reopen_task

SENDER_FIELDS = (
    "name", "channel", "provider", "address", "config", "simulated", "is_default", "paused_until", "pause_reason",
)  # fmt: skip
# Where each provider's webhooks go, behind /hooks/; mail sent by SMTP comes back through Postmark's door.
DOORS = {
    "twilio": ("twilio/{key}/inbound",),
    "smtp": ("postmark/{key}",),
    "sendgrid": ("sendgrid/{key}/events", "sendgrid/{key}/inbound"),
}


class SecretsField(forms.JSONField):
    """Shows nothing, not even what was just typed and refused."""

    def prepare_value(self, value: Any) -> str:
        return ""


class SenderForm(TenantForm):
    """Secrets go in and never come out: the field is empty, and left empty it changes nothing."""

    secrets = SecretsField(
        required=False,
        help_text='A JSON object, sealed for this workspace: Twilio {"auth_token": …}; VAPI {"api_key": …, "webhook_secret": …}; '
        'SMTP {"username": …, "password": …, "webhook_secret": "user:password"}; Postmark {"server_token": …, '
        '"webhook_secret": "user:password"}; SendGrid {"api_key": …, "event_public_key": …, "webhook_secret": "user:password"} (the '
        "verification key of its signed event webhook; the password for Inbound Parse); Amazon SES "
        '{"access_key_id": …, "secret_access_key": …}. What is not named keeps its value; null removes it.',
    )

    def clean_config(self) -> dict[str, Any]:
        return self._object("config")

    def clean(self) -> dict[str, Any]:
        """What Amazon SES cannot do without is asked for here, not at the first mail."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("provider") == Provider.SES and "config" in given:
            missing = [name for name in ("region", "topic_arn") if not given["config"].get(name)]
            if missing:
                words = " and ".join(f"“{name}”" for name in missing)
                self.add_error(
                    "config", f"Amazon SES needs {words} here, and a “configuration_set” that publishes to that topic."
                )
        return given

    def clean_secrets(self) -> dict[str, Any]:
        return self._object("secrets")

    def _object(self, name: str) -> dict[str, Any]:
        value = self.cleaned_data[name]
        if value is not None and not isinstance(value, dict):
            raise forms.ValidationError("This must be a JSON object: {…}.")
        return value or {}


@admin.register(Sender)
class SenderPage(TenantAdmin):
    form = SenderForm
    list_display = ("name", "channel", "provider", "address", "simulated", "is_default", "paused_until")
    list_filter = ("channel", "provider")
    search_fields = ("name", "address")
    readonly_fields = ("public_id", "stored_secrets", "webhook_address", "created_at")
    fields = (*SENDER_FIELDS, "secrets", *readonly_fields)
    actions = (verb("Resume after a pause", lambda r, row: _unpause(r, row), "resumed"),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # messages and their callbacks point to it; pause it instead

    def save_model(self, request: HttpRequest, obj: Sender, form: Any, change: bool) -> None:
        if given := form.cleaned_data["secrets"]:
            kept = obj.credentials | given
            obj.set_credentials({name: value for name, value in kept.items() if value is not None})
        if obj.is_default and (not change or {"is_default", "channel"} & set(form.changed_data)):
            inherit_limits(obj)
        super().save_model(request, obj, form, change)

    @admin.display(description="Stored secrets")
    def stored_secrets(self, obj: Sender) -> str:
        """Their names; of the values nothing."""
        return ", ".join(sorted(obj.credentials)) or "none"

    @admin.display(description="Webhook address")
    def webhook_address(self, obj: Sender) -> SafeString | str:
        if obj.pk is None:
            return "known after saving"
        ways = DOORS.get(obj.provider, (f"{obj.provider}/{{key}}",))
        addresses = [(f"{settings.PUBLIC_URL}/hooks/{way.format(key=obj.webhook_key)}",) for way in ways]
        return format_html_join(" ", "<code>{}</code>", addresses)


def _unpause(request: HttpRequest, row: Sender) -> bool:
    paused = Sender.objects.filter(pk=row.pk, paused_until__isnull=False)
    return bool(paused.update(paused_until=None, pause_reason=""))


def _sequence_verb(name: str) -> Any:
    act = getattr(definitions, f"{name}_sequence")
    return lambda request, row: act(row, by=member_of(request), now=now())


def _restore(request: HttpRequest, row: Sequence) -> bool:
    try:
        return definitions.restore_sequence(row, by=member_of(request), now=now())
    except definitions.NameTaken:
        return False


def _enrollment_verb(act: Any) -> Any:
    return lambda request, row: act(row, by=actor(request), now=now())


@admin.register(Sequence)
class SequencePage(ReadOnly):
    list_display = ("name", "status", "owner", "published", "updated_at")
    list_filter = ("status",)
    list_select_related = ("owner__user", "published")
    search_fields = ("name",)
    actions = (
        verb("Pause", _sequence_verb("pause"), "paused"),
        verb("Resume", _sequence_verb("resume"), "resumed"),
        verb("Archive", _sequence_verb("archive"), "archived"),
        verb("Restore", _restore, "restored"),
    )


@admin.register(Version)
class VersionPage(ReadOnly):
    list_display = ("sequence", "number", "revision", "published_at", "published_by")
    list_select_related = ("sequence", "published_by__user")
    search_fields = ("sequence__name",)


@admin.register(Step)
class StepPage(ReadOnly):
    list_display = ("__str__", "kind", "version", "position", "key", "enabled")
    list_filter = ("kind", "enabled")
    list_select_related = ("version",)
    search_fields = ("key__exact", "name")


@admin.register(Edge)
class EdgePage(ReadOnly):
    list_display = ("version", "source", "target", "label")
    list_select_related = ("version", "source", "target")


@admin.register(Enrollment)
class EnrollmentPage(ReadOnly):
    list_display = ("contact", "sequence", "status", "status_reason", "step", "next_run_at", "needs_human_intervention")
    list_filter = ("status", "needs_human_intervention")
    list_select_related = ("contact", "sequence", "step")
    search_fields = ("contact__email__exact", "contact__phone__exact")
    actions = (
        verb("Pause", _enrollment_verb(enrollments.pause_enrollment), "paused"),
        verb("Resume", _enrollment_verb(enrollments.resume_enrollment), "resumed"),
        verb("Take out", _enrollment_verb(enrollments.exit_enrollment), "taken out"),
    )


@admin.register(Execution)
class ExecutionPage(ReadOnly):
    """The receipts."""

    list_display = ("at", "enrollment", "decision", "reason", "channel", "turn", "next_run_at")
    list_filter = ("decision", "channel")
    list_select_related = ("enrollment",)
    search_fields = ("enrollment__contact__email__exact", "reason__exact")


@admin.register(Task)
class TaskPage(ReadOnly):
    list_display = ("title", "contact", "created_at", "done_at", "done_by")
    list_select_related = ("contact", "done_by__user")
    search_fields = ("title", "contact__email__exact")
    actions = (
        verb("Mark as done", lambda r, row: finish_task(row, by=member_of(r), now=now()), "done"),
        verb("Open again", lambda r, row: reopen_task(row, by=member_of(r), now=now()), "opened again"),
    )


@admin.register(Message)
class MessagePage(ReadOnly):
    list_display = ("created_at", "contact", "channel", "purpose", "state", "state_reason", "sender", "attempt")
    list_filter = ("state", "channel", "purpose")
    list_select_related = ("contact", "sender")
    search_fields = ("to_address__exact", "provider_id__exact")


@admin.register(ProviderEvent)
class ProviderEventPage(ReadOnly):
    list_display = ("received_at", "provider", "kind", "state", "tries", "event_key", "sender")
    list_filter = ("state", "provider")
    list_select_related = ("sender",)
    search_fields = ("event_key__exact",)


@admin.register(SequenceNumbers)
class SequenceNumbersPage(ReadOnly):
    list_display = ("sequence", "people", "counted_at", "took_ms")
    list_select_related = ("sequence",)


@admin.register(Spending)
class SpendingPage(ReadOnly):
    list_display = ("day", "scope", "scope_id", "used", "amount")
    list_filter = ("scope",)


@admin.register(Pace)
class PacePage(ReadOnly):
    list_display = ("sender", "tokens", "at")
    list_select_related = ("sender",)


@admin.register(VoiceSlot)
class VoiceSlotPage(ReadOnly):
    list_display = ("sender", "message_id", "taken_at", "expires_at")
    list_select_related = ("sender",)


@admin.register(Polling)
class PollingPage(ReadOnly):
    list_display = ("sender", "kind", "read_until", "asked_at", "found", "problem")
    list_select_related = ("sender",)


class NobodysPage(ReadOnly):
    """Belongs to no tenant and says nothing about one."""

    exclude = ()
    form = forms.ModelForm


@admin.register(Switch)
class SwitchPage(NobodysPage):
    """Moved on the Operations page."""

    list_display = ("key", "off", "reason", "by", "moved_at")


@admin.register(SendEpoch)
class SendEpochPage(NobodysPage):
    """Written by `manage.py thaw` alone."""

    list_display = ("epoch", "thawed_at", "thawed_by")


@admin.register(Wakeup)
class WakeupPage(NobodysPage):
    """What the workers were last asked to do."""

    list_display = ("kind", "cluster", "asked_at", "started_at", "finished_at")


@admin.register(Vitals)
class VitalsPage(NobodysPage):
    """How the machine did when the pulse last looked; the Operations page says it in words."""

    list_display = ("beat_at", "measured_at")


@admin.register(Tally)
class TallyPage(NobodysPage):
    """What /metrics counts."""

    list_display = ("key", "value")
