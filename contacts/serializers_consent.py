"""Consents as the API shows and takes them. Every field is named here; what is not, cannot be read or written."""

import hashlib
import json
from typing import Any

from rest_framework import serializers

from contacts.addresses import channels_of, normalised
from contacts.importing.consents import KINDS
from contacts.locks import addresses_of
from contacts.models import Consent
from contacts.models.permission import Channel, ConsentKind
from contacts.serializers import refuse_strangers

# Kinds that are consent in writing: without the words the person saw, nothing shows it (47 CFR 64.1200(f)(9)).
WRITTEN = (ConsentKind.PEWC_TEXT, ConsentKind.PEWC_ARTIFICIAL_VOICE)


class ConsentOut(serializers.ModelSerializer[Consent]):
    class Meta:
        model = Consent
        fields = (
            "channel", "kind", "address", "seller", "text_shown", "source", "source_url", "ip", "given_at", "expires_at",
            "revoked_at", "evidence_hash",
        )  # fmt: skip
        read_only_fields = fields


class ConsentIn(serializers.Serializer[Any]):
    """`context` has the contact and the moment. The validated data are the arguments of contacts.permissions.give_consent."""

    channel = serializers.ChoiceField(choices=Channel.choices)
    kind = serializers.ChoiceField(choices=ConsentKind.choices)
    address = serializers.CharField(
        max_length=254, required=False, allow_blank=True, help_text="One of the contact's own; left out: the main one."
    )
    text_shown = serializers.CharField(
        max_length=5000, required=False, allow_blank=True, help_text="The words they saw; needed for written consent."
    )
    source = serializers.CharField(max_length=120, help_text="Where they agreed: a form, a contract, a call.")  # type: ignore[assignment]
    source_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    seller = serializers.CharField(max_length=120, required=False, allow_blank=True, help_text="To whom they agreed.")
    ip = serializers.IPAddressField(required=False, allow_null=True)
    given_at = serializers.DateTimeField(required=False, help_text="When they agreed; left out: now.")
    expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        refuse_strangers(self)
        contact, now = self.context["contact"], self.context["now"]
        wrong: dict[str, list[str]] = {}
        if attrs["kind"] not in KINDS[attrs["channel"]]:
            wrong["kind"] = ["That kind of consent does not exist for that channel."]
        if attrs["kind"] in WRITTEN and not attrs.get("text_shown", "").strip():
            wrong["text_shown"] = ["Written consent needs the words they saw."]
        if attrs.get("given_at", now) > now:
            wrong["given_at"] = ["This lies in the future."]
        own = {normalised(each) for each in addresses_of(contact) if attrs["channel"] in channels_of(each)}
        address = normalised(attrs.get("address") or contact.address_for(attrs["channel"]))
        if address not in own:
            wrong["address"] = ["This is no address of theirs for that channel."]
        if wrong:
            raise serializers.ValidationError(wrong)
        evidence = {name: str(value) for name, value in sorted(attrs.items())} | {"address": address}
        digest = hashlib.sha256(json.dumps(evidence, sort_keys=True).encode()).hexdigest()
        return attrs | {"address": address, "evidence_hash": digest}


class ConsentRevocation(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(choices=Channel.choices)
    kind = serializers.ChoiceField(choices=ConsentKind.choices, required=False)
    ended = serializers.IntegerField(read_only=True, help_text="How many consents in force this ended.")
