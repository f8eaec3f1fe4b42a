"""The one conversation with a person, across channels (the document's contact_interactions)."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from contacts.models.permission import Channel
from omnify.lib.ids import public_id
from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models.base import TenantModel


class Direction(models.TextChoices):
    OUTBOUND = "outbound", "To the person"
    INBOUND = "inbound", "From the person"


class Interaction(TenantModel):
    """One touch in the conversation, in either direction."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    contact = TenantForeignKey(
        "contacts.Contact", on_delete=models.CASCADE, related_name="interactions", db_index=False
    )
    # Plain ids of the floor above: contacts may not know its tables.
    enrollment_id = models.BigIntegerField(null=True, blank=True)
    step_id = models.BigIntegerField(null=True, blank=True)
    message_id = models.BigIntegerField(null=True, blank=True)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    direction = models.CharField(max_length=8, choices=Direction.choices)
    at = models.DateTimeField()
    content_subject = models.CharField(max_length=998, blank=True)
    content_body = models.TextField(blank=True)
    content_summary = models.TextField(blank=True)
    outcome = models.CharField(
        max_length=24, blank=True, help_text="sent, delivered, replied, answered, voicemail, bounced, opened, clicked …"
    )
    sentiment = models.CharField(max_length=12, blank=True)
    intent = models.CharField(max_length=16, blank=True)
    call_duration_seconds = models.IntegerField(null=True, blank=True)
    call_disposition = models.CharField(max_length=24, blank=True)
    appointment_booked = models.BooleanField(default=False)
    objections_raised = models.JSONField(default=list, blank=True)
    key_topics = models.JSONField(default=list, blank=True)
    provider_id = models.CharField(max_length=120, blank=True)
    emotional_analysis = models.JSONField(null=True, blank=True)
    engagement_score = models.SmallIntegerField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["contact", "-at", "-id"], name="interaction_timeline"),
            models.Index(
                fields=["message_id"], condition=models.Q(message_id__isnull=False), name="interaction_by_message"
            ),
            # Read by retention alone: a few pages for a day, and nearly nothing to keep.
            BrinIndex(fields=["at"], autosummarize=True, name="interaction_by_day"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider_id"],
                condition=models.Q(direction="inbound") & ~models.Q(provider_id=""),
                name="inbound_interaction_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.direction} at {self.at:%Y-%m-%d %H:%M}"
