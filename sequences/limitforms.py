"""The form of the page Limits: every allowance a tenant may set, with what an empty field and a 0 mean."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms

from omnify.tenants.models import Tenant
from sequences.limits import BadLimits, limits_of
from sequences.models import Sender

SCOPES = {"all": "All channels together", "sms": "Texts", "email": "Mails", "voice": "Calls"}
NUMBER = {"inputmode": "numeric", "placeholder": "no limit"}
AMOUNT = {"inputmode": "decimal", "placeholder": "no limit"}


class LimitsForm(forms.Form):
    """One person's caps by day and week, the tenant's money a day, and each sender's pace, day and lines."""

    money_per_day = forms.DecimalField(
        label="Money a day, in US dollars",
        required=False,
        min_value=Decimal(0),
        max_value=Decimal(1_000_000),
        decimal_places=2,
        widget=forms.TextInput(AMOUNT),
        help_text="Estimated before a message leaves, put right when the provider names its price. Begins at midnight here.",
    )

    def __init__(self, *args: Any, senders: Iterable[Sender], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.senders = list(senders)
        for scope, label in SCOPES.items():
            for period, word in (("day", "in 24 hours"), ("week", "in 7 days")):
                self.fields[f"{scope}_{period}"] = _whole(f"{label} to one person {word}", 1000)
        for sender in self.senders:
            at = f"s{sender.public_id.hex}"
            self.fields[f"{at}_per_second"] = forms.FloatField(
                label=f"{sender.name}: messages a second", required=False, min_value=0, max_value=1000,
                widget=forms.TextInput(AMOUNT),
            )  # fmt: skip
            self.fields[f"{at}_per_day"] = _whole(f"{sender.name}: messages a day", 10_000_000)
            if sender.channel == "voice":
                self.fields[f"{at}_max_concurrent"] = _whole(f"{sender.name}: calls at the same time", 1000)

    @staticmethod
    def initial_of(tenant: Tenant, senders: Iterable[Sender]) -> dict[str, Any]:
        """What is stored. Caps that cannot be read show as empty: saving puts them right."""

        values: dict[str, Any] = {}
        try:
            limits = limits_of(json.dumps(tenant.caps))
        except BadLimits:
            limits = limits_of("")
        for cap in limits.person:
            values[cap.id.removeprefix("cap:")] = cap.most
        values["money_per_day"] = limits.money_per_day
        for sender in senders:
            for name in ("per_second", "per_day", "max_concurrent"):
                values[f"s{sender.public_id.hex}_{name}"] = getattr(sender, name)
        return values

    def person_rows(self) -> list[tuple[str, Any, Any]]:
        return [(label, self[f"{scope}_day"], self[f"{scope}_week"]) for scope, label in SCOPES.items()]

    def sender_rows(self) -> list[tuple[Sender, list[Any]]]:
        """(sender, its fields: a second, a day, lines where it calls)."""
        found = []
        for sender in self.senders:
            at = f"s{sender.public_id.hex}_"
            found.append((sender, [self[name] for name in self.fields if name.startswith(at)]))
        return found

    def values(self) -> dict[str, Any]:
        """What change_limits takes."""
        data = self.cleaned_data
        return {
            "person": {scope: {period: data[f"{scope}_{period}"] for period in ("day", "week")} for scope in SCOPES},
            "money_per_day": data["money_per_day"],
            "senders": {
                sender.pk: {
                    name.rpartition(f"s{sender.public_id.hex}_")[2]: data[name]
                    for name in self.fields
                    if name.startswith(f"s{sender.public_id.hex}_")
                }
                for sender in self.senders
            },
        }


def _whole(label: str, most: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=0, max_value=most, widget=forms.TextInput(NUMBER))
