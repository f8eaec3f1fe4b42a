"""Looks that our own staff take at a tenant's pages. Each has a reason, an end, and its lines in the tenant's ledger."""

from django.db import models

from omnify.lib.ids import public_id
from omnify.tenants.models.base import TenantModel


class SupportVisit(TenantModel):
    """One member of the staff looks at this tenant's pages, reading only, until a moment or until they stop."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    staff_user = models.BigIntegerField(help_text="Who looks: a user, who need not be a member here.")
    staff_name = models.CharField(max_length=254)
    reason = models.CharField(max_length=300)
    began_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "staff_user"], condition=models.Q(ended_at__isnull=True), name="one_visit_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.staff_name} from {self.began_at:%Y-%m-%d %H:%M}"
