"""The page "Phone": the handset of a simulated person. What it shows comes from the simulator's ledger, not from Omnify's tables.

Every view talks to another process and so runs outside the request's transaction.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from contacts.models import Contact
from omnify.lib.clock import now
from omnify.simulator.client import SimulatorClient
from omnify.simulator.forms import ReplyForm, TemperamentForm
from omnify.simulator.handsets import Bubble, addresses_of, handsets, visible
from omnify.simulator.people import normal
from omnify.tenants.access import member_required, outside_transaction
from omnify.tenants.context import tenant_context
from omnify.tenants.models.people import Role, SendingMode
from sequences.models import Sender

SECONDS = 10.0  # how long a page waits for the simulator
View = Callable[..., HttpResponse]


@contextmanager
def simulator() -> Iterator[SimulatorClient]:
    client = SimulatorClient(settings.SIMULATOR_URL, timeout=SECONDS)
    try:
        yield client
    finally:
        client.close()


def phone_page(view: View) -> View:
    """For an agent of a tenant whose sending is simulated, where a simulator is set up; says so when it does not answer."""

    @outside_transaction
    @member_required(Role.AGENT)
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        tenant = request.member.tenant  # type: ignore[attr-defined]
        if not settings.SIMULATOR_URL or tenant.sending_mode != SendingMode.SIMULATED:
            raise Http404("Nothing is simulated here.")
        try:
            return view(request, *args, **kwargs)
        except httpx.HTTPError:
            return page(request, "phone/silent.html", {}, status=503)

    return guarded


def page(request: HttpRequest, template: str, facts: dict[str, Any], status: int = 200) -> HttpResponse:
    with tenant_context(request.member.tenant_id):  # type: ignore[attr-defined]
        return render(request, template, facts, status=status)


def contact_of(request: HttpRequest, public_id: UUID) -> Contact:
    with tenant_context(request.member.tenant_id):  # type: ignore[attr-defined]
        found: Contact = get_object_or_404(Contact.objects.alive().select_related("company"), public_id=public_id)
    return found


@phone_page
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who has a handset here, those who received something first."""
    search = request.GET.get("q", "").strip()[:100]
    with simulator() as client:
        everyone = client.people()
    with tenant_context(request.member.tenant_id):  # type: ignore[attr-defined]
        rows = handsets(everyone, search, now=now())
    return page(request, "phone/list.html", {"rows": rows, "search": search})


@phone_page
@require_safe
def handset(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One person's handset. htmx asks with ?have=<state> and gets 204 while nothing is new, so an open call is not redrawn."""
    contact = contact_of(request, public_id)
    facts = shown(request, contact)
    if request.GET.get("have") == facts["state"]:
        return HttpResponse(status=204)
    template = "phone/thread.html" if "have" in request.GET else "phone/handset.html"
    return page(request, template, facts)


@phone_page
@require_POST
def reply(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The person answers; says how Omnify's webhook took it. To this tenant's own number or mailbox, and to no other."""
    contact, form = contact_of(request, public_id), ReplyForm(request.POST)
    if not form.is_valid():
        return page(request, "phone/handset.html", {**shown(request, contact), "form": form}, status=422)
    channel = form.cleaned_data["channel"]
    last = next((each for each in reversed(thread(request, contact)) if each.channel == channel), None)
    to = last.ours if last is not None else default_address(request, channel)
    try:
        with simulator() as client:
            status = client.reply(
                contact.address_for(channel),
                channel,
                form.cleaned_data["body"],
                in_reply_to=last.message_id if last is not None and last.received else "",
                to=to if channel == "sms" else "",
            )
    except ValueError as error:
        messages.error(request, f"It could not be sent: {error}.")
    else:
        say_how_it_went(request, status)
    return redirect("phone:handset", public_id)


@phone_page
@require_POST
def temperament(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """How this person behaves from now on, on their number and their mailbox."""
    contact, form = contact_of(request, public_id), TemperamentForm(request.POST)
    if not form.is_valid():
        messages.error(request, "There is no such temperament.")
        return redirect("phone:handset", public_id)
    with simulator() as client:
        for address in addresses_of(contact):
            client.set_person(address, temperament=form.cleaned_data["temperament"], name=str(contact))
    messages.success(request, f"{contact} is now: {form.cleaned_data['temperament'].replace('_', ' ')}.")
    return redirect("phone:handset", public_id)


@phone_page
@require_POST
def read(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Somebody has looked at this handset."""
    contact = contact_of(request, public_id)
    with simulator() as client:
        for address in addresses_of(contact):
            client.mark_read(address)
    return HttpResponse(status=204)


@phone_page
@require_safe
@xframe_options_sameorigin
def mail(request: HttpRequest, public_id: UUID, seq: int) -> HttpResponse:
    """The HTML of one mail, for a sandboxed frame: no script, nothing fetched, its own styles only."""
    contact = contact_of(request, public_id)
    if seq not in {each.seq for each in thread(request, contact) if each.channel == "email" and each.received}:
        raise Http404("This handset has no such mail.")
    with simulator() as client:
        found = [one for address in addresses_of(contact) for one in client.ledger(to=address, after=seq - 1)[:1]]
    record = next((each for each in found if each["seq"] == seq), None)
    if record is None or not record.get("html"):
        raise Http404("This mail has no HTML.")
    response = HttpResponse(record["html"])
    response["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
    )
    return response


def threads_of(contact: Contact) -> list[dict[str, Any]]:
    with simulator() as client:
        return [client.thread(address) for address in addresses_of(contact)]


def thread(request: HttpRequest, contact: Contact) -> list[Bubble]:
    threads = threads_of(contact)
    with tenant_context(request.member.tenant_id):  # type: ignore[attr-defined]
        return visible(threads)


def shown(request: HttpRequest, contact: Contact) -> dict[str, Any]:
    threads = threads_of(contact)
    with tenant_context(request.member.tenant_id):  # type: ignore[attr-defined]
        bubbles = visible(threads)
    return {
        "contact": contact,
        "bubbles": bubbles,
        "state": hashlib.sha256(repr(bubbles).encode()).hexdigest()[:16],
        "unread": sum(each["unread"] for each in threads),
        "temperament": next((each["temperament"] for each in threads), "manual"),
        "temperaments": TemperamentForm.base_fields["temperament"].choices,  # type: ignore[attr-defined]
        "may_mail": any(each.channel == "email" and each.received for each in bubbles),
        "form": ReplyForm(initial={"channel": "sms" if contact.phone else "email"}),
    }


def default_address(request: HttpRequest, channel: str) -> str:
    """Our own number, for a person who writes first."""
    with tenant_context(request.member.tenant_id):  # type: ignore[attr-defined]
        found = Sender.objects.filter(channel=channel, is_default=True, simulated=True).first()
    return normal(found.address) if found else ""


def say_how_it_went(request: HttpRequest, status: int) -> None:
    if 200 <= status < 300:
        messages.success(request, f"Sent. Omnify's webhook took it ({status}).")
    elif status:
        messages.warning(request, f"Sent, but Omnify's webhook answered {status}. The provider tries again.")
    else:
        messages.warning(request, "Sent, but Omnify's webhook could not be reached.")
