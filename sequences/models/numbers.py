"""The numbers of a large sequence, counted now and then by a worker: no page counts a ledger of a million rows."""

from django.db import models

from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models.base import TenantModel


class SequenceNumbers(TenantModel):
    """How many people, decisions and messages a large sequence had at a moment. A small one is counted when it is looked at."""

    sequence = TenantForeignKey("sequences.Sequence", on_delete=models.CASCADE, related_name="+", db_index=False)
    counted_at = models.DateTimeField()
    took_ms = models.FloatField(help_text="How long the count took: the longer, the less often it is made.")
    people = models.IntegerField()
    states = models.JSONField(help_text="Status -> reason -> people.")
    steps = models.JSONField(help_text="Key of a step -> people there now (here), decisions so far (send, skip …).")
    messages = models.JSONField(help_text="State -> messages.")

    class Meta(TenantModel.Meta):
        verbose_name_plural = "sequence numbers"
        constraints = [models.UniqueConstraint(fields=["sequence"], name="numbers_once_a_sequence")]

    def __str__(self) -> str:
        return f"{self.people} people in sequence {self.sequence_id}"
