"""Contacts as the API shows and takes them. Every field is named here; what is not, cannot be read or written."""

import math
from typing import Any

from rest_framework import serializers

from contacts.forms import ContactForm
from contacts.models import Contact

MOST_CUSTOM_FIELDS, LONGEST_NAME, LONGEST_VALUE = 100, 60, 1000
# Cleaned as a member's typing is; the others are taken as they come.
TYPED = (
    "first_name", "last_name", "title", "company", "email", "phone", "alternative_email", "alternative_phone",
    "address_line", "city", "state", "postal_code", "country", "timezone", "language",
)  # fmt: skip


class ContactOut(serializers.ModelSerializer[Contact]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    company = serializers.CharField(source="company.name", default="", read_only=True)
    owner = serializers.EmailField(source="owner.user.email", default=None, read_only=True, help_text="A member.")

    class Meta:
        model = Contact
        fields = (
            "id", "first_name", "last_name", "title", "company", "owner", "email", "phone", "alternative_email",
            "alternative_phone", "email_valid", "phone_valid", "phone_type", "timezone", "zones", "places", "address_line", "city",
            "state", "postal_code", "country", "language", "tags", "custom_fields", "source", "lead_score",
            "engagement_score", "sentiment_trend", "interaction_count", "last_outbound_at", "last_inbound_at",
            "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class ContactIn(serializers.Serializer[Any]):
    """What a caller may write. Numbers as one dials them, countries and zones by name or code; see the answer for our spelling."""

    first_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    title = serializers.CharField(max_length=120, required=False, allow_blank=True)
    company = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="Made where it is new.")
    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=60, required=False, allow_blank=True)
    alternative_email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    alternative_phone = serializers.CharField(max_length=60, required=False, allow_blank=True)
    address_line = serializers.CharField(max_length=200, required=False, allow_blank=True)
    city = serializers.CharField(max_length=100, required=False, allow_blank=True)
    state = serializers.CharField(max_length=60, required=False, allow_blank=True)
    postal_code = serializers.CharField(max_length=20, required=False, allow_blank=True)
    country = serializers.CharField(max_length=60, required=False, allow_blank=True)
    timezone = serializers.CharField(max_length=60, required=False, allow_blank=True)
    language = serializers.CharField(max_length=10, required=False, allow_blank=True)
    source = serializers.CharField(max_length=80, required=False, allow_blank=True)  # type: ignore[assignment]
    lead_score = serializers.IntegerField(min_value=0, max_value=100, required=False, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=60), max_length=50, required=False)
    custom_fields = serializers.DictField(
        child=serializers.JSONField(),
        required=False,
        help_text="Texts, numbers, true and false; replaces what was there.",
    )

    def validate_custom_fields(self, value: dict[str, Any]) -> dict[str, Any]:
        if len(value) > MOST_CUSTOM_FIELDS:
            raise serializers.ValidationError(f"At most {MOST_CUSTOM_FIELDS} custom fields.")
        for name, each in value.items():
            if not name.strip() or len(name) > LONGEST_NAME or not _storable(name):
                raise serializers.ValidationError(
                    f"“{name[:20].encode(errors='replace').decode()}” is no name for a field (1 to {LONGEST_NAME} characters)."
                )
            if not isinstance(each, str | int | float | bool) and each is not None:
                raise serializers.ValidationError(f"“{name}” is neither a text nor a number nor true or false.")
            if isinstance(each, str) and len(each) > LONGEST_VALUE:
                raise serializers.ValidationError(f"“{name}” has more than {LONGEST_VALUE} characters.")
            if (isinstance(each, str) and not _storable(each)) or (isinstance(each, float) and not math.isfinite(each)):
                raise serializers.ValidationError(f"“{name}” holds a sign or a number that cannot be kept.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The values of contacts.actions. For a change (`instance`) only those that were given."""
        refuse_strangers(self)
        known = _typed(self.instance) if self.instance is not None else {}
        tags = attrs.get("tags", [])
        form = ContactForm({**known, **{name: attrs[name] for name in TYPED if name in attrs}, "tags": ",".join(tags)})
        if not form.is_valid():
            wrong = {
                name if name != "__all__" else "": [str(each) for each in found]
                for name, found in form.errors.items()
                if name in attrs or name == "__all__"
            }
            if wrong:
                raise serializers.ValidationError(wrong)
        values = {name: form.cleaned_data[name] for name in (*TYPED, "tags") if name in attrs}
        return {name: value for name, value in attrs.items() if name not in values} | values


def _storable(text: str) -> bool:
    """Whether the database can hold it: no NUL, and no half of a surrogate pair, which JSON can spell."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _typed(contact: Contact) -> dict[str, str]:
    return {name: getattr(contact, name) for name in TYPED if name != "company"} | {
        "company": contact.company.name if contact.company else ""
    }


def refuse_strangers(serializer: serializers.Serializer[Any]) -> None:
    """A field that cannot be written is refused by name, so that nobody believes it was taken."""
    strange = sorted(set(serializer.initial_data) - set(serializer.fields))
    if strange:
        raise serializers.ValidationError({name: ["This field cannot be written."] for name in strange})
