"""A sequence, its immutable published versions, their steps and the edges between them."""

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from omnify.lib.ids import public_id
from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models.base import TenantModel


class SequenceStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    ARCHIVED = "archived", "Archived"


class Sequence(TenantModel):
    """What a tenant's staff draw. People are always in one of its published versions."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=8, choices=SequenceStatus.choices, default=SequenceStatus.DRAFT)
    owner = TenantForeignKey(
        "tenants.Membership", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    published = TenantForeignKey(
        "sequences.Version", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # {"days": [0..6], "start": "08:00", "end": "21:00"} in the person's zones; empty: the tenant's business hours.
    send_window = models.JSONField(default=dict, blank=True)
    # {"on_reply": "pause" | "exit", "on_booked": "exit"}; a reply always stops the automation until someone decides.
    exit_rules = models.JSONField(default=dict, blank=True)
    allow_reentry = models.BooleanField(default=False)
    enable_adaptive_mutation = models.BooleanField(default=False)
    mutation_aggressiveness = models.CharField(
        max_length=12,
        choices=[("conservative", "Conservative"), ("moderate", "Moderate"), ("aggressive", "Aggressive")],
        default="conservative",
    )
    tags = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(TenantModel.Meta):
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint(
                "tenant",
                Lower("name"),
                condition=~models.Q(status="archived"),
                name="sequence_name_once",
                violation_error_message="Another sequence has this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("sequences:sequence", args=[self.public_id])


class Version(TenantModel):
    """One version of a sequence: the draft while `published_at` is empty (at most one), immutable afterwards."""

    sequence = TenantForeignKey(Sequence, on_delete=models.CASCADE, related_name="versions")
    number = models.IntegerField()
    revision = models.IntegerField(
        default=0, help_text="Counts the draft's changes; an editor that holds an older one is told so."
    )
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = TenantForeignKey(
        "tenants.Membership", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta(TenantModel.Meta):
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["sequence", "number"], name="version_number_once"),
            models.UniqueConstraint(
                fields=["sequence"], condition=models.Q(published_at__isnull=True), name="one_draft"
            ),
        ]

    def __str__(self) -> str:
        return f"Version {self.number}" + ("" if self.published_at else " (draft)")


class StepKind(models.TextChoices):
    SMS = "sms", "SMS"
    EMAIL = "email", "Email"
    VOICE = "voice", "AI call"
    WAIT = "wait", "Wait"
    TASK = "task", "Task for a person"
    EXIT = "exit", "Exit"


MESSAGE_KINDS = {StepKind.SMS, StepKind.EMAIL, StepKind.VOICE}


def step_key() -> str:
    """A step's name for its whole life: twelve hex digits, the same in every version that keeps the step."""
    return uuid.uuid4().hex[:12]


class Step(TenantModel):
    """One step of one version. `key` stays the same across versions; people in flight are moved by it."""

    version = TenantForeignKey(Version, on_delete=models.CASCADE, related_name="steps")
    key = models.CharField(max_length=12, default=step_key)
    position = models.IntegerField(help_text="Order in the editor's list; the edges decide the way.")
    kind = models.CharField(max_length=5, choices=StepKind.choices)
    name = models.CharField(max_length=120, blank=True)
    subject = models.CharField(max_length=300, blank=True, help_text="E-mail subject, Liquid.")
    body = models.TextField(
        blank=True, help_text="Text of the message, first words and instructions of a call, or the task; Liquid."
    )
    # wait: {"days": 2, "hours": 0, "minutes": 0, "business_days": false, "at": "09:00" | ""}; voice: {"first_message": "…"}
    config = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    enable_ai_mutation = models.BooleanField(default=False)
    mutation_instructions = models.TextField(blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="step_key_once")]

    def __str__(self) -> str:
        return self.name or self.get_kind_display()


class Edge(TenantModel):
    """The way from one step to the next. Linear today: one unlabelled edge a step; `label` and `condition` carry branches."""

    version = TenantForeignKey(Version, on_delete=models.CASCADE, related_name="edges")
    source = TenantForeignKey(Step, on_delete=models.CASCADE, related_name="edges_out", db_index=False)
    target = TenantForeignKey(Step, on_delete=models.CASCADE, related_name="edges_in", db_index=False)
    label = models.CharField(max_length=40, blank=True)
    condition = models.JSONField(null=True, blank=True)
    position = models.IntegerField(default=0)

    class Meta(TenantModel.Meta):
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["source", "label"], name="edge_label_once")]

    def __str__(self) -> str:
        return f"{self.source_id} → {self.target_id}"
