"""What people type about a contact, cleaned as an import cleans it."""

from typing import Any

from django import forms

from contacts import emails, phones
from contacts.addressing import country_code
from contacts.importing.cleaning import tags_of
from contacts.importing.consents import KINDS
from contacts.models import Contact
from contacts.models.permission import Channel, ConsentKind
from contacts.zones import resolve
from omnify.tenants.models import Membership

_SINGLE = ("first_name", "last_name", "title", "address_line", "city", "state", "postal_code", "language")


def _text(label: str, limit: int, autocomplete: str = "off", **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=limit, required=False, widget=forms.TextInput({"autocomplete": autocomplete}), **more
    )


class ContactForm(forms.Form):
    """cleaned_data: the values of contacts.actions, addresses normalised."""

    first_name = _text("First name", 100)
    last_name = _text("Last name", 100)
    title = _text("Role", 120)
    company = _text("Company", 200)
    email = _text("Email", 254)
    phone = _text("Phone", 60, help_text="As you would dial it, with the country code outside the United States.")
    alternative_email = _text("Second email", 254)
    alternative_phone = _text("Second phone", 60)
    address_line = _text("Street", 200)
    city = _text("City", 100)
    state = _text("State or province", 60)
    postal_code = _text("Postal code", 20)
    country = _text("Country", 60, help_text="Name or two letters.")
    timezone = _text("Time zone", 60, help_text="Leave empty to work it out from the address and the phone.")
    language = _text("Language", 10, help_text="Such as en or de.")
    tags = _text("Tags", 2000, help_text="Separated by commas.")
    owner = forms.ModelChoiceField(Membership._unscoped.none(), label="Owner", required=False, empty_label="Nobody")

    def __init__(self, *args: Any, contact: Contact | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = Membership.objects.select_related("user").order_by("user__email")  # type: ignore[attr-defined]
        if contact is not None:
            self.initial = {
                name: getattr(contact, name) for name in self.fields if name not in ("company", "tags", "owner")
            } | {
                "company": contact.company.name if contact.company else "",
                "tags": ", ".join(contact.tags),
                "owner": contact.owner_id,
            }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in _SINGLE:
            data[name] = " ".join((data.get(name) or "").split())
        data["country"] = self._country(data.get("country") or "")
        for name in ("email", "alternative_email"):
            data[name] = self._email(name, data.get(name) or "")
        for name in ("phone", "alternative_phone"):
            data[name] = self._phone(name, data.get(name) or "", data["country"] or "US")
        data["timezone"] = self._zone((data.get("timezone") or "").strip())
        data["tags"] = tags_of(data.get("tags") or "")
        data["owner_id"] = owner.pk if (owner := data.pop("owner", None)) else None
        if not (data["email"] or data["phone"] or self.errors):
            self.add_error(None, "Give an email address or a phone number: otherwise nobody can be reached.")
        return data

    def _email(self, name: str, raw: str) -> str:
        try:
            return emails.normalise(raw) if raw.strip() else ""
        except emails.NotAnEmail as error:
            self.add_error(name, str(error))
            return ""

    def _phone(self, name: str, raw: str, region: str) -> str:
        if not raw.strip():
            return ""
        found = phones.normalise(raw, region)
        if isinstance(found, phones.Phone):
            return found.e164
        self.add_error(name, found.reason)
        return ""

    def _country(self, raw: str) -> str:
        code = country_code(raw)
        if raw.strip() and not code:
            self.add_error("country", "This is no country we know by that name.")
        return code

    def _zone(self, raw: str) -> str:
        zones = resolve(raw)
        if raw and not zones:
            self.add_error("timezone", "This is no time zone we know by that name. Try America/New_York.")
        return zones[0] if zones else ""


class PermissionForm(forms.Form):
    """What a member notes about a channel: an agreement with its evidence, its end, or a wish not to be contacted."""

    action = forms.ChoiceField(
        choices=[("give", "Agreed"), ("revoke", "Took it back"), ("suppress", "Asked us to stop")]
    )
    channel = forms.ChoiceField(choices=Channel.choices)
    kind = forms.ChoiceField(choices=[choice for choice in ConsentKind.choices if choice[0] != "none"], required=False)
    source = forms.CharField(max_length=120, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("action") == "give" and not data.get("kind"):
            self.add_error("kind", "Say what they agreed to.")
        elif data.get("action") == "give" and data["kind"] not in KINDS.get(data.get("channel", ""), ()):
            self.add_error("kind", "That kind of consent does not exist for that channel.")
        if data.get("action") == "give" and not (data.get("source") or "").strip():
            self.add_error("source", "Say where they agreed: it is kept as the evidence.")
        return data
