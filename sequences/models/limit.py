"""What may be spent, and the switches that stop everything: read, and spent, in the transaction that claims a message."""

from django.db import models

from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models.base import TenantModel


class Switch(models.Model):
    """A kill switch for every tenant at once: `all`, or one channel. No row means: not switched off. Belongs to no tenant."""

    key = models.CharField(max_length=10, primary_key=True, help_text="all, sms, email or voice")
    off = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=120, blank=True, help_text="Who moved it last.")
    moved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "switches"

    def __str__(self) -> str:
        return f"{self.key}: {'off' if self.off else 'on'}"


class SendEpoch(models.Model):
    """Which life of this database may send. Equal to OMNIFY_SEND_EPOCH or nothing is claimed: a restored copy is older than
    the secret store says, and stays frozen until `manage.py thaw` has written the new epoch. At most one row; none means
    the first epoch, 1. Belongs to no tenant."""

    epoch = models.IntegerField(default=1)
    thawed_at = models.DateTimeField(null=True)
    thawed_by = models.CharField(max_length=120, blank=True)

    def __str__(self) -> str:
        return f"send epoch {self.epoch}"


class Spending(TenantModel):
    """What one sender, or one tenant, has used of a day's allowance on a channel: updated under its cap, never only read."""

    scope = models.CharField(max_length=6, choices=[("sender", "Sender"), ("tenant", "Tenant")])
    scope_id = models.BigIntegerField()
    day = models.DateField(help_text="In the tenant's time zone.")
    used = models.IntegerField(default=0, help_text="Messages.")
    amount = models.DecimalField(max_digits=12, decimal_places=5, default=0, help_text="US dollars.")

    class Meta(TenantModel.Meta):
        verbose_name_plural = "spending"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "scope", "scope_id", "day"], name="spending_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.scope_id} on {self.day}: {self.used}"


class Pace(TenantModel):
    """A sender's token bucket: how many messages it may send at once right now, as of a moment."""

    sender = TenantForeignKey("sequences.Sender", on_delete=models.CASCADE, related_name="+", db_index=False)
    tokens = models.FloatField()
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["sender"], name="one_pace_a_sender")]

    def __str__(self) -> str:
        return f"{self.tokens:.1f} tokens"


class VoiceSlot(TenantModel):
    """A call under way. Freed when the call's end is told, or, if nobody tells, by the reaper at `expires_at`."""

    sender = TenantForeignKey("sequences.Sender", on_delete=models.CASCADE, related_name="+", db_index=False)
    message_id = models.BigIntegerField()
    taken_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["sender", "message_id"], name="one_slot_a_call")]
        indexes = [models.Index(fields=["expires_at"], name="voice_slot_by_end")]

    def __str__(self) -> str:
        return f"call of message {self.message_id}"


class Polling(TenantModel):
    """How far we have re-read what a provider holds for one sender: what its webhooks could not tell us is found here."""

    sender = TenantForeignKey("sequences.Sender", on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=16, help_text="inbound, status or call: what was listed")
    read_until = models.DateTimeField(null=True, help_text="Everything before this has been read at least once.")
    asked_at = models.DateTimeField(null=True, help_text="The last attempt, also one that failed.")
    found = models.IntegerField(default=0, help_text="Events that no webhook had brought, ever.")
    problem = models.CharField(max_length=300, blank=True, help_text="Why the last attempt failed.")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["sender", "kind"], name="polling_once")]

    def __str__(self) -> str:
        return f"{self.kind} of sender {self.sender_id}"
