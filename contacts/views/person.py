"""One contact: who they are, what may be done, and everything that was said."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from contacts.models import Contact
from contacts.models.permission import Channel
from contacts.reaching import reach
from contacts.timeline import timeline
from contacts.views.lookups import contact_of
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role


@member_required(Role.VIEWER)
@require_safe
def contact(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        row = contact_of(public_id)
    except Http404:
        kept = Contact.objects.alive().filter(merged__public_id=public_id).first()
        if kept is None:
            raise
        return redirect(kept)
    moment = now()
    facts = _history(request, row) | {
        "reach": reach([row], now=moment)[row.pk],
        "local_now": moment,
        "may_edit": request.member.may(Role.AGENT),  # type: ignore[attr-defined]
    }
    return render(request, "contacts/contact.html", facts)


@member_required(Role.VIEWER)
@require_safe
def timeline_part(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The timeline alone: after a live hint, for another channel, or for what is older."""
    part = "older" if request.GET.get("before") else "timeline"
    return render(request, f"contacts/contact.html#{part}", _history(request, contact_of(public_id)))


def _history(request: HttpRequest, row: Contact) -> dict[str, Any]:
    channel = request.GET.get("channel", "")
    channel = channel if channel in Channel.values else ""
    zone = row.zones[0] if row.zones else request.tenant.timezone  # type: ignore[attr-defined]
    history = timeline(row, ZoneInfo(zone), channel=channel, before=_moment(request.GET.get("before", "")))
    return {
        "contact": row,
        "zone": zone,
        "zone_known": bool(row.zones),
        "channel": channel,
        "history": history,
        "channels": Channel.choices,
    }


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
