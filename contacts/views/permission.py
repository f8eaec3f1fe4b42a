"""What a member notes about a person's permissions."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from contacts.forms import PermissionForm
from contacts.models import Contact
from contacts.pacing import TooFast
from contacts.permissions import give_consent, revoke_consent, suppress
from contacts.views.lookups import actor_of, contact_of
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role


@member_required(Role.AGENT)
@require_POST
def permission(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """`action` is give, revoke or suppress, for one `channel`. A suppression ends only by the person's own START."""
    contact, form = contact_of(public_id), PermissionForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    elif not contact.address_for(form.cleaned_data["channel"]):
        messages.error(request, "There is no address for that channel.")
    else:
        try:
            messages.success(request, _note(contact, form.cleaned_data, actor_of(request)))
        except TooFast as error:
            messages.error(request, str(error))
    return redirect(contact)


def _note(contact: Contact, data: dict[str, str], actor: str) -> str:
    moment, channel = now(), data["channel"]
    address = contact.address_for(channel)
    if data["action"] == "give":
        give_consent(
            contact_id=contact.pk,
            address=address,
            channel=channel,
            kind=data["kind"],
            source=data["source"],
            now=moment,
            actor=actor,
        )
        return "Noted, with its evidence."
    if data["action"] == "revoke":
        ended = revoke_consent(contact_id=contact.pk, channel=channel, now=moment, actor=actor)
        return "Their consent has ended." if ended else "There was no consent to end."
    suppress(
        tenant_id=contact.tenant_id, address=address, channels=[channel], reason="asked_us", source="member", quote=data["source"],
        now=moment, actor=actor,
    )  # fmt: skip
    return "Nothing more will be sent there. Only their own START can change that."
