"""Seals over the event ledger: a chain of hashes a tenant, made after the fact, so that no writer ever waits for it."""

from django.db import models

from omnify.tenants.models.base import TenantModel


class Seal(TenantModel):
    """One link: the hash of every event of a tenant with `after` < id <= `upto`, together with the seal before it. Never changed."""

    number = models.BigIntegerField(help_text="1, 2, 3 … within the tenant.")
    after = models.BigIntegerField()
    upto = models.BigIntegerField()
    count = models.IntegerField()
    previous = models.CharField(
        max_length=64, blank=True, help_text="The root of the seal before, empty for the first."
    )
    root = models.CharField(max_length=64, help_text="omnify.tenants.chain says of what.")
    leaves = models.BinaryField(
        help_text="For each event its id and the start of its hash: names the row that differs."
    )
    signature = models.CharField(max_length=80, help_text="By a key that is not in the database.")
    made_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="seal_number")]

    def __str__(self) -> str:
        return f"Seal {self.number} of workspace {self.tenant_id}, {self.count} events"


class SealHead(TenantModel):
    """Where a tenant's chain ends: a chain whose last seals were taken away is shorter than this says."""

    number = models.BigIntegerField()
    upto = models.BigIntegerField()
    root = models.CharField(max_length=64)

    class Meta(TenantModel.Meta):
        ordering = ["tenant"]
        constraints = [models.UniqueConstraint(fields=["tenant"], name="seal_head_once")]

    def __str__(self) -> str:
        return f"Chain of workspace {self.tenant_id}, {self.number} seals"


class SealState(models.Model):
    """How far sealing and shipping have come, of all tenants together: at most one row (id 1)."""

    sealed_upto = models.BigIntegerField(default=0, help_text="Every event up to this id is under a seal.")
    sealed_at = models.DateTimeField(null=True, help_text="When this was last looked after.")
    last_made = models.BigIntegerField(default=0, help_text="The id of the newest seal.")
    # The next horizon: certain as soon as none of these transactions runs any more (omnify.tenants.notary).
    horizon = models.BigIntegerField(null=True)
    waits_for = models.JSONField(default=list)
    shipped = models.BigIntegerField(default=0, help_text="The id of the last seal that the sink has.")
    shipped_at = models.DateTimeField(null=True)
    ship_problem = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "seal states"

    def __str__(self) -> str:
        return f"sealed up to event {self.sealed_upto}, shipped up to seal {self.shipped}"
