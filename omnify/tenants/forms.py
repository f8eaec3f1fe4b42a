"""Forms of the settings pages."""

from typing import Any
from zoneinfo import available_timezones

from django import forms

from omnify.tenants.models import Tenant
from omnify.tenants.models.people import RANK, Role

DAYS = [(str(number), name) for number, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))]
ROLE_CHOICES = [
    (Role.VIEWER, "Viewer: sees everything, changes nothing"),
    (Role.AGENT, "Agent: works with contacts and enrolments"),
    (Role.MANAGER, "Manager: also sequences, settings and API keys"),
    (Role.OWNER, "Owner: also members and their roles"),
]


A_YEAR = 365
# Days; 0: until it is revoked.
KEY_LASTS = [(30, "30 days"), (90, "90 days"), (A_YEAR, "A year"), (0, "Until it is revoked")]


def zone_names() -> list[tuple[str, str]]:
    """Zones of the shape Area/City, plus UTC: the other names are aliases and abbreviations."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return [(name, name.replace("_", " ")) for name in ["UTC", *names]]


class TenantForm(forms.Form):
    """Name, zone, hours, address and support contact of a tenant."""

    name = forms.CharField(max_length=120, label="Name")
    timezone = forms.ChoiceField(choices=zone_names, label="Time zone", help_text="Pages show times in this zone.")
    days = forms.MultipleChoiceField(
        choices=DAYS, required=False, label="Working days", widget=forms.CheckboxSelectMultiple
    )
    start = forms.TimeField(label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    end = forms.TimeField(label="Until", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    postal_address = forms.CharField(
        max_length=300,
        required=False,
        label="Postal address",
        help_text="Printed under every marketing mail; US law (15 USC 7704) asks for it. Without it no mail goes out.",
    )
    support_contact = forms.CharField(
        max_length=120,
        required=False,
        label="Support contact",
        help_text="A phone number or mail address, given to people who text HELP.",
    )

    @classmethod
    def initial_of(cls, tenant: Tenant) -> dict[str, Any]:
        hours = tenant.business_hours or {"days": [0, 1, 2, 3, 4], "start": "09:00", "end": "17:00"}
        return {
            "name": tenant.name,
            "timezone": tenant.timezone,
            "days": [str(day) for day in hours["days"]],
            "start": hours["start"],
            "end": hours["end"],
            "postal_address": tenant.postal_address,
            "support_contact": tenant.support_contact,
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and start >= end:
            self.add_error("end", "Must be later than the start.")
        return cleaned

    def columns(self) -> dict[str, Any]:
        """The tenant's columns as the form says them."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "timezone": data["timezone"],
            "postal_address": data["postal_address"],
            "support_contact": data["support_contact"],
            "business_hours": {
                "days": [int(day) for day in data["days"]],
                "start": f"{data['start']:%H:%M}",
                "end": f"{data['end']:%H:%M}",
            },
        }


FOR_EVER = 0
# Days; 0: for ever.
WORDS_LAST = [
    (90, "90 days"), (180, "180 days"), (365, "A year"), (730, "Two years"), (1826, "Five years"), (2557, "Seven years"),
    (FOR_EVER, "For ever"),
]  # fmt: skip
RAW_LASTS = [(7, "A week"), (30, "30 days"), (90, "90 days"), (180, "180 days"), (365, "A year")]


class RetentionForm(forms.Form):
    """How long words and raw data are kept. A term set elsewhere (in the admin) is offered too."""

    keep_words_days = forms.TypedChoiceField(
        coerce=int,
        label="What was written and said",
        help_text="Texts, mails, what was said on calls, and what was read out of it. US rules ask for five years of the record of calls "
        "(16 CFR 310.5): who, when, by which rule and consent, and what became of it. That record always stays.",
    )
    keep_raw_days = forms.TypedChoiceField(
        coerce=int,
        label="Raw data",
        help_text="What providers sent us word for word, rows of a list that could not be taken, and notifications.",
    )

    def __init__(self, given: Any = None, *, tenant: Tenant) -> None:
        present = {"keep_words_days": tenant.keep_words_days or FOR_EVER, "keep_raw_days": tenant.keep_raw_days}
        super().__init__(given, initial=present)
        for name, offered in (("keep_words_days", WORDS_LAST), ("keep_raw_days", RAW_LASTS)):
            own = [] if present[name] in dict(offered) else [(present[name], f"{present[name]:,} days")]
            self.fields[name].choices = [*own, *offered]  # type: ignore[attr-defined]

    def columns(self) -> dict[str, Any]:
        """The tenant's columns as the form says them."""
        data = self.cleaned_data
        return {"keep_words_days": data["keep_words_days"] or None, "keep_raw_days": data["keep_raw_days"]}


class MemberForm(forms.Form):
    email = forms.EmailField(label="Email address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=ROLE_CHOICES, initial=Role.AGENT)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class ApiKeyForm(forms.Form):
    """A key never reaches further than the member who makes it."""

    name = forms.CharField(max_length=80, label="Name", help_text="What will use it, for example “Website form”.")
    role = forms.ChoiceField(label="Role", choices=())
    lasts = forms.TypedChoiceField(choices=KEY_LASTS, coerce=int, initial=A_YEAR, required=False, label="Works for")

    def __init__(self, *args: Any, up_to: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = [(role, label) for role, label in ROLE_CHOICES if RANK[role] <= RANK[Role(up_to)]]
        self.fields["role"].choices = allowed  # type: ignore[attr-defined]
        self.fields["role"].initial = Role.AGENT
