"""A tenant's account at a provider: a number, a mailbox, an assistant."""

import secrets
from typing import Any

from django.db import models

from contacts.models.permission import Channel
from omnify.lib import sealing
from omnify.lib.ids import public_id
from omnify.tenants.models.base import TenantModel


class Provider(models.TextChoices):
    TWILIO = "twilio", "Twilio"
    VAPI = "vapi", "VAPI"
    SMTP = "smtp", "SMTP server"
    POSTMARK = "postmark", "Postmark"
    SENDGRID = "sendgrid", "SendGrid"
    SES = "ses", "Amazon SES"


def webhook_key() -> str:
    """128 random bits for the webhook URL: the tenant of a callback is decided by it and by the signature, together."""
    return secrets.token_hex(16)


class Sender(TenantModel):
    """Where messages of one channel leave from. Credentials are sealed for this tenant: a ciphertext moved to another row opens nothing."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    name = models.CharField(max_length=80)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    provider = models.CharField(max_length=12, choices=Provider.choices)
    address = models.CharField(
        max_length=254, help_text="The number, the mailbox, or the provider's phone number id for calls."
    )
    # Not secret: account_sid, assistant_id, phone_number_id, host, port, use_tls, from_name, reply_to …
    config = models.JSONField(default=dict, blank=True)
    sealed_credentials = models.TextField(blank=True, editable=False)
    webhook_key = models.CharField(max_length=32, default=webhook_key, unique=True, editable=False)
    simulated = models.BooleanField(default=False, help_text="Speaks to the simulator instead of the provider.")
    is_default = models.BooleanField(default=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=200, blank=True)
    # Allowances; empty: no limit of ours, 0: nothing may leave. Spent in the claim: sequences.limits.
    per_second = models.FloatField(
        null=True, blank=True, help_text="Messages a second; empty: as fast as the provider."
    )
    per_day = models.PositiveIntegerField(
        null=True, blank=True, help_text="Messages a day in the tenant's zone; empty: no limit, 0: none."
    )
    max_concurrent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Calls at the same time; empty: no limit, 0: none."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering = ["channel", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "channel"], condition=models.Q(is_default=True), name="one_default_sender_a_channel"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_provider_display()})"

    @property
    def credentials(self) -> dict[str, Any]:
        """The secrets, opened: auth_token, api_key, webhook_secret, password, server_token … Never log or show them."""
        return (
            sealing.open_sealed(self.sealed_credentials, context=f"sender:{self.tenant_id}")
            if self.sealed_credentials
            else {}
        )

    def set_credentials(self, secrets_: dict[str, Any]) -> None:
        """Seals these secrets for this tenant; save() is the caller's."""
        self.sealed_credentials = sealing.seal(secrets_, context=f"sender:{self.tenant_id}")
