"""What the machine could not settle: messages whose fate nobody can prove, and events that failed twice."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role
from sequences import held, parked
from sequences.models import Message, ProviderEvent
from sequences.models.message import EventState, MessageState

SHOWN = 100


@member_required(Role.VIEWER)
@require_safe
def list_held(request: HttpRequest) -> HttpResponse:
    """All that waits for a decision, what is decided soonest by itself first; and the events that were set aside."""
    waiting = Message.objects.filter(state=MessageState.HELD).select_related(
        "contact", "enrollment__sequence", "sender"
    )
    rows = list(waiting.order_by("expires_at", "id")[: SHOWN + 1])
    # The body, which may be large, is nobody's to read here.
    aside = ProviderEvent.objects.filter(state=EventState.PARKED).select_related("sender").defer("body", "headers")
    events = list(aside.order_by("-id")[: SHOWN + 1])
    facts = {
        "rows": rows[:SHOWN],
        "more": len(rows) > SHOWN,
        "events": events[:SHOWN],
        "more_events": len(events) > SHOWN,
        "may_decide": request.member.may(Role.AGENT),  # type: ignore[attr-defined]
        "shown": SHOWN,
        "moment": now(),
    }
    return render(request, "sequences/held.html", facts)


@member_required(Role.AGENT)
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """One decision (`sent:<id>`, `again:<id>`, `skip:<id>`), or `skip` for all chosen ones."""
    choice, _, one = request.POST.get("decision", "").partition(":")
    verb = {"sent": held.mark_sent, "again": held.send_again, "skip": held.skip}.get(choice)
    chosen = [one] if one else request.POST.getlist("messages")[:SHOWN]
    if verb is None or (not one and choice != "skip"):
        return HttpResponse("A held message is sent, again or skip.", status=400, content_type="text/plain")
    try:
        found = list(Message.objects.filter(public_id__in=chosen).order_by("id"))
    except ValidationError:
        found = []
    done = sum(verb(message, by=request.member, now=now()) for message in found)  # type: ignore[attr-defined]
    did = {"sent": "marked as sent", "again": "to be sent again, through every check", "skip": "skipped"}[choice]
    if done:
        messages.success(request, f"{done} message{'s' if done != 1 else ''} {did}.")
    else:
        messages.warning(
            request, "Nothing changed: it was settled meanwhile, is too old to go out, or nothing was chosen."
        )
    return redirect("sequences:held")


@member_required(Role.AGENT)
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Has a parked event of this tenant tried again."""
    return _decided(
        request, pk, parked.retry_event, "It is tried again at once; if it fails twice more, it comes back here."
    )


@member_required(Role.AGENT)
@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """A member has seen to a parked event of this tenant; it is not tried again."""
    return _decided(
        request, pk, parked.dismiss_event, "Done with it. It is kept with the other reports, and not tried again."
    )


def _decided(request: HttpRequest, pk: int, verb: Callable[..., bool], done: str) -> HttpResponse:
    event = get_object_or_404(ProviderEvent.objects.defer("body", "headers"), pk=pk)
    if verb(event, by=request.member, now=now()):  # type: ignore[attr-defined]
        messages.success(request, done)
    else:
        messages.warning(request, "It was taken up meanwhile.")
    return redirect("sequences:held")
