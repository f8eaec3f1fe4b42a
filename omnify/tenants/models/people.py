"""Tenant, user, membership and API key."""

import hashlib
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from omnify.lib.ids import public_id
from omnify.tenants.models.base import TenantModel
from omnify.tenants.retention import FEWEST_RAW, FEWEST_WORDS


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """A user who logs in with this e-mail address, kept in lower case."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractUser):
    """A person who logs in. What they may do is their Membership's to say; is_staff opens the Django admin."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("email address"), unique=True)
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.get_full_name() or self.email


class SendingMode(models.TextChoices):
    SIMULATED = "simulated", "Simulated: nothing leaves this machine"
    LIVE = "live", "Live: real providers, real people"


class Tenant(models.Model):
    """A company that uses Omnify."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    industry = models.CharField(max_length=60, blank=True)
    timezone = models.CharField(max_length=60, default="America/New_York")
    # {"days": [0..6, Monday = 0], "start": "09:00", "end": "17:00"}: when its people work; sequences may narrow it.
    business_hours = models.JSONField(default=dict, blank=True)
    postal_address = models.CharField(
        max_length=300, blank=True, help_text="Printed under marketing mail (CAN-SPAM, 15 USC 7704(a)(5))."
    )
    support_contact = models.CharField(max_length=120, blank=True, help_text="Given in the answer to HELP.")
    brand_profile = models.JSONField(default=dict, blank=True)
    approved_facts = models.JSONField(default=list, blank=True)
    caps = models.JSONField(default=dict, blank=True)
    sending_mode = models.CharField(max_length=10, choices=SendingMode.choices, default=SendingMode.SIMULATED)
    sending_enabled = models.BooleanField(
        default=True, help_text="The kill switch: read in the transaction that claims a message."
    )
    two_signatures = models.BooleanField(
        default=True, help_text="What reaches many people or loosens a safeguard needs a second person's signature."
    )
    keep_words_days = models.PositiveIntegerField(
        default=1826,
        null=True,
        blank=True,
        help_text="What was written and said is removed after so many days (omnify.tenants.retention). Empty: never.",
    )
    keep_raw_days = models.PositiveIntegerField(
        default=90, help_text="What providers and lists brought, raw, and notifications are removed after so many days."
    )
    legal_hold = models.BooleanField(
        default=False, help_text="Nothing at all is removed while it is on: for a dispute, or an authority's question."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(keep_words_days__isnull=True) | models.Q(keep_words_days__gte=FEWEST_WORDS),
                name="words_kept_a_month",
            ),
            models.CheckConstraint(condition=models.Q(keep_raw_days__gte=FEWEST_RAW), name="raw_kept_a_week"),
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    AGENT = "agent", "Agent"
    VIEWER = "viewer", "Viewer"


RANK = {Role.VIEWER: 0, Role.AGENT: 1, Role.MANAGER: 2, Role.OWNER: 3}


class Membership(TenantModel):
    """One user's place in one tenant: the `member` of pages, actions and receipts."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    def may(self, role: str) -> bool:
        """Whether this member's role is at least `role` (viewer < agent < manager < owner)."""
        return RANK[Role(self.role)] >= RANK[Role(role)]


class ApiKey(TenantModel):
    """A developer's key. Only the SHA-256 of the key is kept; its first characters are shown to tell keys apart."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.AGENT)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(key: str) -> str:
        """SHA-256, hex. Keys are 256 random bits, so a slow password hash would add nothing."""
        return hashlib.sha256(key.encode()).hexdigest()
