"""Contact and company."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Collate, Lower
from django.urls import reverse

from omnify.lib.ids import public_id
from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models.base import TenantModel
from omnify.tenants.querysets import TenantManager, TenantQuerySet


class PhoneType(models.TextChoices):
    MOBILE = "mobile", "Mobile"
    LANDLINE = "landline", "Landline"
    VOIP = "voip", "VoIP"
    UNKNOWN = "unknown", "Unknown"


class SentimentTrend(models.TextChoices):
    WARMING = "warming", "Warming"
    STABLE = "stable", "Stable"
    COOLING = "cooling", "Cooling"
    HOT = "hot", "Hot"
    COLD = "cold", "Cold"


class Company(TenantModel):
    """A company that contacts belong to."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    name = models.CharField(max_length=200)
    domain = models.CharField(max_length=200, blank=True)
    industry = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "companies"
        constraints = [models.UniqueConstraint("tenant", Lower("name"), name="company_name_once")]

    def __str__(self) -> str:
        return self.name


class ContactQuerySet(TenantQuerySet):
    def alive(self) -> "ContactQuerySet":
        """Contacts that have not been deleted."""
        return self.filter(deleted_at__isnull=True)


class ContactManager(TenantManager.from_queryset(ContactQuerySet)):  # type: ignore[misc]
    pass


class Contact(TenantModel):
    """A person. Phones are E.164; `zones` are all time zones they may be in, and a message must be allowed in every one."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=120, blank=True)
    company = TenantForeignKey(Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="contacts")
    owner = TenantForeignKey(
        "tenants.Membership", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    email = models.CharField(max_length=254, blank=True, help_text="Lower case.")
    phone = models.CharField(max_length=20, blank=True, help_text="E.164.")
    alternative_email = models.CharField(max_length=254, blank=True)
    alternative_phone = models.CharField(max_length=20, blank=True)
    email_valid = models.BooleanField(null=True)
    phone_valid = models.BooleanField(null=True)
    phone_type = models.CharField(max_length=10, choices=PhoneType.choices, default=PhoneType.UNKNOWN)
    timezone = models.CharField(max_length=60, blank=True, help_text="As stated by the person or the list.")
    zones = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    places = ArrayField(
        models.CharField(max_length=6),
        null=True,
        blank=True,
        help_text="Jurisdictions they may be in: US-FL, CA-ON, GB. Empty or none: nobody knows, so the strictest rules hold.",
    )
    address_line = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=60, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2.")
    language = models.CharField(max_length=10, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    source = models.CharField(max_length=80, blank=True)
    # What the conversation amounts to so far, kept in one row so that no decision aggregates a ledger.
    engagement_score = models.SmallIntegerField(default=50)
    sentiment_trend = models.CharField(max_length=10, choices=SentimentTrend.choices, blank=True)
    lead_score = models.SmallIntegerField(null=True, blank=True)
    conversation_summary = models.TextField(blank=True)
    interaction_count = models.IntegerField(default=0)
    inbound_count = models.IntegerField(default=0)
    first_contacted_at = models.DateTimeField(null=True, blank=True)
    last_outbound_at = models.DateTimeField(null=True, blank=True)
    last_inbound_at = models.DateTimeField(null=True, blank=True)
    last_interaction_summary = models.CharField(max_length=300, blank=True)
    last_call_summary = models.CharField(max_length=1000, blank=True)
    last_sms_reply = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    # Written by contacts.merging alone, in a tenant's context; a constraint would be asked for every imported row.
    merged_into = TenantForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged", db_index=False, enforced=False
    )

    objects: ClassVar[ContactManager] = ContactManager()

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        constraints = [
            # E-mail identifies a person within a tenant; a phone may be shared by a household, so it only has an index.
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=~models.Q(email="") & models.Q(deleted_at__isnull=True),
                name="contact_email_once",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "phone"], condition=~models.Q(phone=""), name="contact_by_phone"),
            # Read with the main addresses whenever somebody writes or opts out: contacts.locks.having().
            models.Index(
                fields=["tenant", "alternative_phone"],
                condition=~models.Q(alternative_phone=""),
                name="contact_by_second_phone",
            ),
            models.Index(
                fields=["tenant", "alternative_email"],
                condition=~models.Q(alternative_email=""),
                name="contact_by_second_email",
            ),
            # Read by retention: whose words go, because they were deleted.
            models.Index(
                fields=["deleted_at"],
                condition=models.Q(deleted_at__isnull=False, merged_into__isnull=True),
                name="contact_erased",
            ),
            models.Index(fields=["merged_into"], condition=models.Q(merged_into__isnull=False), name="contact_merged"),
            models.Index(fields=["tenant", "-id"], condition=models.Q(deleted_at__isnull=True), name="contact_list"),
            # Read by contacts.placing, once a minute; empty as soon as everybody is placed.
            models.Index(
                fields=["id"],
                condition=models.Q(places__isnull=True, deleted_at__isnull=True),
                name="contact_unplaced",
            ),
            # Read by the list's search, as ranges: LIKE may not use an index under row-level security.
            models.Index("tenant", Collate("first_name", "C"), name="contact_by_first_name"),
            models.Index("tenant", Collate("last_name", "C"), name="contact_by_last_name"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email or self.phone or f"Contact {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("contacts:contact", args=[self.public_id])

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def address_for(self, channel: str) -> str:
        """The e-mail address for channel email, the phone for sms and voice."""
        return self.email if channel == "email" else self.phone
