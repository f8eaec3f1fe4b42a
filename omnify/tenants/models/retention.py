"""How far retention has come, for each workspace and each kind of thing."""

from django.db import models

from omnify.tenants.models.base import TenantModel


class RetentionMark(TenantModel):
    """Everything of this kind that is older than `upto` has been removed (omnify.tenants.clearing)."""

    kind = models.CharField(max_length=24)
    upto = models.DateTimeField()
    counted = models.BigIntegerField(default=0, help_text="Rows since the ledger was last told.")
    total = models.BigIntegerField(default=0)
    cleared_at = models.DateTimeField(null=True, help_text="When there was last anything to remove.")

    class Meta(TenantModel.Meta):
        ordering = ["kind"]
        constraints = [models.UniqueConstraint(fields=["tenant", "kind"], name="retention_mark_once")]

    def __str__(self) -> str:
        return f"{self.kind} removed up to {self.upto:%Y-%m-%d}"
