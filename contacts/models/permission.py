"""What a person allowed, and what they forbade. Rows are added and ended, never rewritten."""

from datetime import UTC, date, time

from django.db import models

from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models.base import TenantModel


class Channel(models.TextChoices):
    SMS = "sms", "SMS"
    EMAIL = "email", "Email"
    VOICE = "voice", "Voice"


class ConsentKind(models.TextChoices):
    """4-reliability §5.3: what the person agreed to, from nothing to written consent for artificial voices."""

    NONE = "none", "None"
    INQUIRY = "inquiry", "They asked us something"
    PRIOR_EXPRESS = "prior_express", "Prior express consent"
    PEWC_TEXT = "pewc_text", "Written consent to marketing texts"
    PEWC_ARTIFICIAL_VOICE = "pewc_artificial_voice", "Written consent to calls by an artificial voice"
    EMAIL_OPTIN = "email_optin", "Email opt-in"


class Consent(TenantModel):
    """One act of consent by one person for one address and channel, with its evidence."""

    # The key to the contact already says that the tenant exists; checking it again takes a long list a tenth of its time.
    tenant = models.ForeignKey(
        "tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    contact = TenantForeignKey("contacts.Contact", on_delete=models.CASCADE, related_name="consents", db_index=False)
    address = models.CharField(max_length=254)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    kind = models.CharField(max_length=24, choices=ConsentKind.choices)
    seller = models.CharField(max_length=120, blank=True)
    text_shown = models.TextField(blank=True)
    source = models.CharField(max_length=120, blank=True)
    source_url = models.CharField(max_length=500, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    given_at = models.DateTimeField()
    evidence_hash = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["contact", "channel"], name="consent_by_contact")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.channel})"

    @property
    def given_on(self) -> date | None:
        """The day they agreed, where only the day is known: a list's bare date is kept as 00:00:00 UTC. Otherwise None."""
        given = self.given_at.astimezone(UTC)
        return given.date() if given.time() == time.min else None


class Suppression(TenantModel):
    """This tenant may not use this channel to this address. Keyed by the address, so it holds for every contact that has it."""

    channel = models.CharField(max_length=5, choices=Channel.choices)
    address = models.CharField(max_length=254, help_text="E.164 or lower-case e-mail.")
    reason = models.CharField(max_length=40)
    source = models.CharField(max_length=40, help_text="sms, email, voice, provider, import or member")
    quote = models.CharField(max_length=300, blank=True, help_text="The words it rests on.")
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=40, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "address", "channel"],
                condition=models.Q(lifted_at__isnull=True),
                name="suppression_in_force_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.address}: no {self.channel} ({self.reason})"
