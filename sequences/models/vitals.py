"""How the machine does: one row that the pulse writes, and counters that outlive every process. Neither belongs to a tenant,
neither names one: pages without a log-in read them."""

from django.db import models


class Vitals(models.Model):
    """At most one row (id 1). Times are the database's own, so that a machine with a wrong clock looks as old as it is."""

    beat_at = models.DateTimeField(help_text="When the leading pulse was last alive.")
    measured_at = models.DateTimeField(null=True, help_text="When the facts were last read; older: reading them fails.")
    facts = models.JSONField(default=dict, help_text="sequences.vitals says what is in it.")

    class Meta:
        verbose_name_plural = "vitals"

    def __str__(self) -> str:
        return f"vitals of {self.beat_at:%Y-%m-%d %H:%M:%S}"


class Tally(models.Model):
    """A number that only grows: `sends|sms|accepted`. Written in batches by sequences.tally."""

    key = models.CharField(max_length=80, primary_key=True)
    value = models.FloatField(default=0)

    class Meta:
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"{self.key}: {self.value:g}"
