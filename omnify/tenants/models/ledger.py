"""The event ledger (append-only by privilege) and the notifications shown under the bell."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from omnify.lib.ids import public_id
from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models.base import TenantModel


class Event(TenantModel):
    """One thing that happened, written in the transaction that made it true. Never changed, never deleted."""

    kind = models.CharField(max_length=60)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80, help_text="member:<id>, key:<id>, engine, provider or person")
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["tenant", "subject_type", "subject_id", "-id"], name="event_by_subject"),
            models.Index(fields=["tenant", "-id"], name="event_newest"),  # read by the audit page
            # Read before people are enrolled: how many came in lately without a second signature.
            models.Index(fields=["tenant", "at"], name="event_enrolled", condition=models.Q(kind="sequence.enrolled")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class NotificationType(models.TextChoices):
    HOT_LEAD = "hot_lead", "Hot lead"
    NEEDS_HUMAN = "needs_human", "Needs a human"
    OBJECTION_DETECTED = "objection_detected", "Objection"
    SENTIMENT_DROP = "sentiment_drop", "Mood dropped"
    APPOINTMENT_BOOKED = "appointment_booked", "Appointment booked"
    SEQUENCE_COMPLETED = "sequence_completed", "Sequence completed"
    ESCALATION = "escalation", "Escalation"
    AT_RISK = "at_risk", "At risk"
    REPLY = "reply", "Reply"
    OPT_OUT = "opt_out", "Opted out"
    IMPORT_FINISHED = "import_finished", "Import finished"
    SENDING_PROBLEM = "sending_problem", "Sending problem"
    APPROVAL = "approval", "Second signature"
    SUPPORT = "support", "Support looked in"


class Priority(models.TextChoices):
    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"
    URGENT = "urgent", "Urgent"


class Notification(TenantModel):
    """Something the tenant's people should see: for one member, or, with `member` empty, for all."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    member = TenantForeignKey("tenants.Membership", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=24, choices=NotificationType.choices)
    title = models.CharField(max_length=160)
    body = models.TextField(blank=True)
    priority = models.CharField(max_length=6, choices=Priority.choices, default=Priority.NORMAL)
    url = models.CharField(max_length=300, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["tenant", "-id"], name="notification_unread", condition=models.Q(read_at__isnull=True)
            ),
            BrinIndex(fields=["created_at"], autosummarize=True, name="notification_by_day"),  # read by retention
        ]

    def __str__(self) -> str:
        return self.title
