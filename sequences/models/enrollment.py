"""A person's way through a sequence, and the receipt of every decision on it. The two hottest tables: kept lean."""

from django.db import models
from django.db.models import Q

from omnify.lib.ids import public_id
from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models.base import TenantModel


class EnrollmentStatus(models.TextChoices):
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    COMPLETED = "completed", "Completed"
    EXITED = "exited", "Exited"
    FAILED = "failed", "Parked"


OPEN_STATUSES = (EnrollmentStatus.ACTIVE, EnrollmentStatus.PAUSED, EnrollmentStatus.FAILED)


class Enrollment(TenantModel):
    """One person in one sequence. `next_run_at` is NULL for everyone who waits for nothing: the due index holds only the others."""

    public_id = models.UUIDField(default=public_id, editable=False)
    sequence = TenantForeignKey(
        "sequences.Sequence", on_delete=models.PROTECT, related_name="enrollments", db_index=False
    )
    version = TenantForeignKey("sequences.Version", on_delete=models.PROTECT, related_name="+", db_index=False)
    contact = TenantForeignKey("contacts.Contact", on_delete=models.CASCADE, related_name="enrollments", db_index=False)
    # The step to be done next. No constraint: it always belongs to `version`, and the table is updated at every step.
    step = TenantForeignKey(
        "sequences.Step", null=True, on_delete=models.PROTECT, related_name="+", db_index=False, enforced=False
    )
    status = models.CharField(max_length=9, choices=EnrollmentStatus.choices, default=EnrollmentStatus.ACTIVE)
    status_reason = models.CharField(max_length=40, blank=True)
    next_run_at = models.DateTimeField(null=True, blank=True)
    turn = models.IntegerField(default=0, help_text="Decisions taken so far; the receipt of decision n has turn n.")
    visit = models.IntegerField(default=0, help_text="Steps entered so far; a visit has at most one message.")
    waited = models.BooleanField(
        default=False, help_text="The wait step it stands on has been served until next_run_at."
    )
    enrolled_at = models.DateTimeField()
    last_step_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    replied_at = models.DateTimeField(null=True, blank=True)
    custom_variables = models.JSONField(null=True, blank=True)
    # Emotional intelligence
    engagement_score = models.SmallIntegerField(default=50)
    sentiment_trend = models.CharField(max_length=10, blank=True)
    needs_human_intervention = models.BooleanField(default=False)
    last_emotion = models.CharField(max_length=12, blank=True)
    objections_detected = models.JSONField(null=True, blank=True)
    recommended_tone = models.CharField(max_length=12, blank=True)
    is_hot_lead = models.BooleanField(default=False)
    is_at_risk = models.BooleanField(default=False)
    # Self-healing
    healing_actions_taken = models.JSONField(null=True, blank=True)
    failed_channels = models.JSONField(null=True, blank=True)
    channel_overrides = models.JSONField(null=True, blank=True)
    # Learning
    converting_step_id = models.BigIntegerField(null=True, blank=True)
    conversion_type = models.CharField(max_length=8, blank=True)
    time_to_conversion_seconds = models.IntegerField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["contact", "sequence"], name="enrolled_once")]
        indexes = [
            # Read by claims.due(); everything not waiting is absent from it.
            models.Index(fields=["next_run_at"], condition=Q(next_run_at__isnull=False), name="enrollment_due"),
            # Read by the People tab, page by page.
            models.Index(fields=["sequence", "-id"], name="enrollment_people"),
            # Read by the home page: who waits for a human, who is parked. Almost everybody is absent from it.
            models.Index(
                fields=["tenant", "-id"],
                condition=Q(needs_human_intervention=True) | Q(status="failed"),
                name="enrollment_attention",
            ),
        ]

    def __str__(self) -> str:
        return f"Enrolment {self.pk} ({self.status})"


class Decision(models.TextChoices):
    SEND = "send", "Sent to dispatch"
    WAIT = "wait", "Not now"
    SKIP = "skip", "Skipped"
    BRANCH = "branch", "Branched"
    TASK = "task", "Task created"
    HANDOFF = "handoff", "Handed to a person"
    EXIT = "exit", "Left the sequence"


class Execution(TenantModel):
    """The receipt of one decision: what was decided for this person at this step, by which rule, on which facts.

    Also the document's sequence_execution_log. What became of a message is on the Message.
    """

    tenant = models.ForeignKey(
        "tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    enrollment = TenantForeignKey(Enrollment, on_delete=models.CASCADE, related_name="executions", db_index=False)
    sequence_id = models.BigIntegerField()
    step_id = models.BigIntegerField(null=True)
    turn = models.IntegerField()
    visit = models.IntegerField()
    at = models.DateTimeField()
    decision = models.CharField(max_length=7, choices=Decision.choices)
    reason = models.CharField(max_length=40)
    channel = models.CharField(max_length=5, blank=True)
    facts = models.JSONField(default=dict, help_text="What the rule saw, and what would change its mind.")
    next_run_at = models.DateTimeField(null=True)
    variant_id = models.BigIntegerField(null=True)
    execution_cost = models.DecimalField(max_digits=10, decimal_places=5, null=True)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["enrollment", "turn"], name="receipt_once")]
        indexes = [models.Index(fields=["sequence_id", "-id"], name="execution_log")]

    def __str__(self) -> str:
        return f"{self.get_decision_display()}: {self.reason}"


class Task(TenantModel):
    """Something a person of the tenant should do for a contact (manual step)."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    enrollment = TenantForeignKey(Enrollment, null=True, on_delete=models.CASCADE, related_name="tasks")
    contact = TenantForeignKey("contacts.Contact", on_delete=models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = TenantForeignKey(
        "tenants.Membership", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta(TenantModel.Meta):
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title
