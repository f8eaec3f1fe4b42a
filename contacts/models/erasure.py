"""What is kept of people who were erased."""

from django.db import models

from contacts.models.permission import Channel
from omnify.tenants.models.base import TenantModel


class Forgotten(TenantModel):
    """An address that an erased person had forbidden, as a keyed hash (contacts.erasing)."""

    digest = models.CharField(max_length=64)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    reason = models.CharField(max_length=40)
    source = models.CharField(max_length=40)
    created_at = models.DateTimeField(help_text="When it was forbidden.")
    address = models.CharField(max_length=254, blank=True, help_text="Until the clear rows are swept away, then empty.")

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        verbose_name_plural = "forgotten"
        constraints = [models.UniqueConstraint(fields=["tenant", "digest", "channel"], name="forgotten_once")]
        indexes = [
            models.Index(fields=["tenant"], name="forgotten_to_sweep", condition=~models.Q(address="")),
        ]

    def __str__(self) -> str:
        return f"{self.channel} forbidden by somebody erased"
