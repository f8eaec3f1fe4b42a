"""Sequences and enrolments as the API shows and takes them. Every field is named here."""

from typing import Any

from rest_framework import serializers

from contacts.serializers import refuse_strangers
from sequences.models import Enrollment, Sequence, Step

MOST_AT_ONCE = 1000


class SequenceOut(serializers.ModelSerializer[Sequence]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    published_version = serializers.IntegerField(source="published.number", default=None, read_only=True)

    class Meta:
        model = Sequence
        fields: tuple[str, ...] = (
            "id", "name", "description", "status", "published_version", "send_window", "allow_reentry", "tags",
            "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields


class StepOut(serializers.ModelSerializer[Step]):
    class Meta:
        model = Step
        fields = ("key", "kind", "name", "subject", "body", "config", "enabled")
        read_only_fields = fields


class SequenceWithSteps(SequenceOut):
    steps = StepOut(many=True, read_only=True, help_text="Of the published version, in order; empty before the first.")

    class Meta(SequenceOut.Meta):
        fields = (*SequenceOut.Meta.fields, "steps")
        read_only_fields = fields


class EnrollmentOut(serializers.ModelSerializer[Enrollment]):
    """One person in one sequence; both ids together name it."""

    sequence = serializers.UUIDField(source="sequence.public_id", read_only=True)
    contact = serializers.UUIDField(source="contact.public_id", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    step = serializers.CharField(source="step.key", default=None, read_only=True, help_text="The one to be done next.")

    class Meta:
        model = Enrollment
        fields = (
            "sequence", "contact", "status", "status_reason", "version", "step", "next_run_at", "enrolled_at",
            "last_step_at", "replied_at", "finished_at", "needs_human_intervention",
        )  # fmt: skip
        read_only_fields = fields


class EnrollIn(serializers.Serializer[Any]):
    sequence = serializers.UUIDField()
    contacts = serializers.ListField(
        child=serializers.UUIDField(),
        min_length=1,
        max_length=MOST_AT_ONCE,
        help_text=f"1 to {MOST_AT_ONCE} contact ids.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        refuse_strangers(self)
        return attrs


class EnrollResultOut(serializers.Serializer[Any]):
    enrolled = serializers.IntegerField()
    skipped = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="How many were left out, by reason: already_in, been_through, opted_out, no_address, suppressed, no_consent, unknown.",
    )
