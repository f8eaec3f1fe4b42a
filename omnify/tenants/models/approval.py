"""What one person asked for and another signs. What was asked for never changes, and a decision is made once: by trigger."""

from django.db import models

from omnify.lib.ids import public_id
from omnify.tenants.models.base import TenantModel


class ApprovalKind(models.TextChoices):
    ENROL = "enrol", "Enrolling many people"
    CONSENT = "consent", "Importing written consent"
    LIMITS = "limits", "Raising limits"
    HOURS = "hours", "Widening a sequence's hours"
    SETTINGS = "settings", "Loosening the workspace's settings"


class Decision(models.TextChoices):
    WAITING = "", "Waiting"
    SIGNED = "signed", "Signed"
    REFUSED = "refused", "Turned down"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"
    CHANGED = "changed", "Overtaken"


class Approval(TenantModel):
    """One request for a second signature, with the change it would make. Written by omnify.tenants.approvals alone."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=ApprovalKind.choices)
    title = models.CharField(max_length=200)
    url = models.CharField(max_length=300, blank=True, help_text="The page it was asked for on.")
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    change = models.JSONField(help_text="Exactly what would be done.")
    state = models.JSONField(help_text="What it would be done to, as the asker saw it.")
    lines = models.JSONField(default=list, help_text="The change for people's eyes: what, before, after.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of subject, change and state.")
    phrase = models.CharField(max_length=120, help_text="What somebody who signs alone must type.")
    asked_by = models.CharField(max_length=80, help_text="member:<id> or key:<id>")
    asked_user = models.BigIntegerField(
        null=True, help_text="The person behind it: the member's, or whoever made the key."
    )
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decision = models.CharField(max_length=10, choices=Decision.choices, default=Decision.WAITING, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    alone = models.BooleanField(default=False, help_text="Signed by the asker, because nobody else could.")
    note = models.CharField(max_length=300, blank=True)
    applied_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=300, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "digest"], condition=models.Q(decision=""), name="approval_waits_once"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="approval_newest"),
            # Read by the hourly task that lets them expire.
            models.Index(fields=["expires_at"], name="approval_by_end", condition=models.Q(decision="")),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_waiting(self) -> bool:
        return self.decision == Decision.WAITING
