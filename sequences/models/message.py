"""One thing on the wire, and the raw events that providers send about it."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from contacts.models.permission import Channel
from omnify.lib.ids import public_id
from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models.base import TenantModel


class MessageState(models.TextChoices):
    """The send-state machine: docs/reliability.md has the transitions."""

    READY = "ready", "Ready"
    CLAIMED = "claimed", "Claimed"
    SENDING = "sending", "On the wire"
    ACCEPTED = "accepted", "Accepted by the provider"
    SENT = "sent", "Sent"
    DELIVERED = "delivered", "Delivered"
    UNDELIVERED = "undelivered", "Not delivered"
    REJECTED = "rejected", "Refused by the provider"
    UNKNOWN = "unknown", "Unknown: asking the provider"
    HELD = "held", "Held for a person"
    SUPPRESSED = "suppressed", "Suppressed"
    DEFERRED = "deferred", "Put off"
    EXPIRED = "expired", "Expired"
    CANCELLED = "cancelled", "Cancelled"


IN_FLIGHT = (MessageState.CLAIMED, MessageState.SENDING, MessageState.UNKNOWN)
# Still waiting for its turn on the wire; DEFERRED is waiting with a later not_before.
WAITING = (MessageState.READY, MessageState.DEFERRED)
# Nothing more is to be done with it; a late report may still say what became of it.
OVER = tuple(each for each in MessageState if each not in (*IN_FLIGHT, *WAITING, MessageState.HELD))


class Purpose(models.TextChoices):
    MARKETING = "marketing", "Marketing"
    CONFIRMATION = "confirmation", "The one confirmation of an opt-out"
    HELP = "help", "Answer to HELP"
    REPLY = "reply", "A member's own words"


class Message(TenantModel):
    """The row is the truth about one send; queues only point at it. At most one message a visit of an enrolment."""

    tenant = models.ForeignKey(
        "tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    enrollment = TenantForeignKey(
        "sequences.Enrollment", null=True, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    contact = TenantForeignKey(
        "contacts.Contact", on_delete=models.CASCADE, related_name="messages", db_index=False, enforced=False
    )
    execution_id = models.BigIntegerField(null=True)
    step_id = models.BigIntegerField(null=True)
    visit = models.IntegerField(default=0)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.MARKETING)
    sender = TenantForeignKey(
        "sequences.Sender", null=True, on_delete=models.PROTECT, related_name="+", db_index=False, enforced=False
    )
    to_address = models.CharField(max_length=254)
    subject = models.CharField(max_length=998, blank=True)
    body = models.TextField()
    state = models.CharField(max_length=11, choices=MessageState.choices, default=MessageState.READY)
    state_reason = models.CharField(max_length=60, blank=True)
    state_at = models.DateTimeField()
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    # {"days": …, "start": …, "end": …}: the sequence's window when it was decided; checked again at the wire.
    send_window = models.JSONField(null=True)
    attempt = models.SmallIntegerField(
        default=0, help_text="Times it was put on the wire. Never above 2, and 2 only after proof of absence."
    )
    crashes = models.SmallIntegerField(default=0, help_text="Times a claim was found abandoned before the wire.")
    claim_token = models.UUIDField(null=True)
    sending_started_at = models.DateTimeField(null=True)
    looked_up_at = models.DateTimeField(
        null=True, help_text="The reconciler's last clean look at the provider that did not find it."
    )
    lookups = models.SmallIntegerField(default=0)
    provider = models.CharField(max_length=12, blank=True)
    provider_id = models.CharField(max_length=120, blank=True)
    status_rank = models.SmallIntegerField(
        default=0, help_text="How far the provider's reports have gone; a lower one changes nothing."
    )
    failure_type = models.CharField(max_length=24, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_text = models.CharField(max_length=500, blank=True)
    permanent = models.BooleanField(null=True)
    cost = models.DecimalField(max_digits=10, decimal_places=5, null=True)
    segments = models.SmallIntegerField(null=True)
    # Why it was allowed at the wire, kept with the claim: {"rules": [ids], "places": […], "until": …, "consents": […], "epoch": n}.
    permit = models.JSONField(null=True)
    estimate = models.DecimalField(
        max_digits=10,
        decimal_places=5,
        null=True,
        help_text="US dollars taken from the day's budget when it was claimed.",
    )
    account = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        help_text="Which account it was sent from: only that one may be asked about it.",
    )

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["enrollment", "visit"], name="one_message_a_visit"),
            # Single flight: while one message to a person is uncertain, no other may start, on any channel.
            models.UniqueConstraint(
                fields=["contact"], condition=Q(state__in=("claimed", "sending", "unknown")), name="one_in_flight"
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_id"], condition=~Q(provider_id=""), name="provider_id_once"
            ),
        ]
        indexes = [
            # Read by claiming.tenants_with_work(), the claim and the pulse: one tenant's backlog is not in another's way.
            models.Index(
                fields=["channel", "tenant", "not_before"],
                condition=Q(state__in=("ready", "deferred")),
                name="message_by_tenant",
            ),
            models.Index(
                fields=["state_at"], condition=Q(state__in=("claimed", "sending", "unknown")), name="message_unsettled"
            ),
            models.Index(fields=["expires_at"], condition=Q(state="held"), name="message_held"),
            # Read when a person answers (what waits for them, which of two people we wrote to) and by their page.
            models.Index(fields=["contact", "-id"], name="message_by_contact"),
            # Read by the claim: what is, or was, on its way to a number that several contacts may have.
            models.Index(
                fields=["tenant", "to_address"],
                condition=Q(channel__in=("sms", "voice"), state__in=("claimed", "sending", "unknown")),
                name="message_in_flight_to",
            ),
            models.Index(
                fields=["tenant", "to_address", "sending_started_at"],
                condition=Q(channel__in=("sms", "voice"), sending_started_at__isnull=False),
                name="message_by_number",
            ),
            # Read by the home page: what a person must look at, and what was made today (a few pages for a whole day).
            models.Index(
                fields=["tenant", "-id"], condition=Q(state__in=("unknown", "held")), name="message_attention"
            ),
            BrinIndex(fields=["created_at"], autosummarize=True, name="message_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.to_address[:3]}… ({self.state})"


class EventState(models.TextChoices):
    NEW = "new", "Waiting"
    DONE = "done", "Applied"
    UNMATCHED = "unmatched", "Nothing matches it yet"
    PARKED = "parked", "Parked after it failed twice"


class ProviderEvent(TenantModel):
    """What a provider told us, raw, stored once and before anything else is done with it."""

    tenant = models.ForeignKey(
        "tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    sender = TenantForeignKey("sequences.Sender", on_delete=models.CASCADE, related_name="+", db_index=False)
    provider = models.CharField(max_length=12)
    kind = models.CharField(max_length=16, help_text="inbound, status, call, mail … : which parser reads it")
    event_key = models.CharField(max_length=200, help_text="What makes two deliveries the same event.")
    mark = models.CharField(
        max_length=40, blank=True, help_text="Our message's public id, where the callback URL carried it."
    )
    headers = models.JSONField(default=dict)
    body = models.TextField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=EventState.choices, default=EventState.NEW)
    applied_at = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(default=0, help_text="Counted before the work begins, so that a crash counts too.")
    problem = models.CharField(max_length=500, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["sender", "provider", "event_key"], name="provider_event_once")]
        indexes = [
            models.Index(
                fields=["state", "id"], condition=Q(state__in=("new", "unmatched")), name="provider_event_waiting"
            ),
            # What people said is taken up before everything else.
            models.Index(
                fields=["id"], condition=Q(state="new", kind__in=("inbound", "call")), name="provider_event_said"
            ),
            # Read by the page of what waits for a decision, and counted by the vitals.
            models.Index(fields=["tenant", "-id"], condition=Q(state="parked"), name="provider_event_parked"),
            BrinIndex(fields=["applied_at"], autosummarize=True, name="provider_event_by_day"),  # read by retention
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.event_key}"
