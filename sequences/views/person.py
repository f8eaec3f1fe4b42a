"""What sequences add to a contact's page: where the person stands, the latest decisions, and a quick reply."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from contacts.models import Contact
from contacts.models.permission import Channel
from contacts.permissions import suppressed
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role
from omnify.tenants.toasts import toast
from sequences import held
from sequences.forms import ReplyForm
from sequences.models import Enrollment, Execution, Message, Sequence
from sequences.reading import receipts_of
from sequences.replies import CannotReply, reply_to
from sequences.views.lookups import contact_of

RECEIPTS = 8


def panel(request: HttpRequest, contact: Contact, form: ReplyForm | None = None, status: int = 200) -> HttpResponse:
    rows = list(
        Enrollment.objects.filter(contact=contact)
        .select_related("sequence", "step")
        .order_by("-enrolled_at", "-id")[:20]
    )
    latest = Execution.objects.filter(enrollment_id__in=[row.pk for row in rows]).select_related("enrollment__sequence")
    channels = [(each, contact.address_for(each)) for each in ("sms", "email") if contact.address_for(each)]
    blocked = suppressed(contact.tenant_id, channels)
    usable = [each for each, address in channels if (each, address) not in blocked]
    form = form or ReplyForm()
    facts = {
        "contact": contact,
        "enrollments": rows,
        "receipts": receipts_of(list(latest.order_by("-at", "-id")[:RECEIPTS])),
        "held": Message.objects.filter(contact=contact, state="held").order_by("-id")[:5],
        "joinable": Sequence.objects.filter(status="active", published__isnull=False).order_by("name")[:50],
        "reply_channels": [(each, Channel(each).label, pair in blocked) for pair in channels for each in pair[:1]],
        "may_reply": bool(usable),
        "reply_channel": form.data.get("channel") or next(iter(usable), ""),
        "form": form,
    }
    return render(request, "sequences/parts/panel.html", facts, status=status)


@member_required(Role.VIEWER)
@require_safe
def contact_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return panel(request, contact_of(public_id))


@member_required(Role.AGENT)
@require_POST
def reply(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Sends a member's own words; answers htmx with the panel, a plain form with the contact's page."""
    contact, form = contact_of(public_id), ReplyForm(request.POST)
    if form.is_valid():
        try:
            reply_to(contact, by=request.member, now=now(), **form.cleaned_data)  # type: ignore[attr-defined]
        except CannotReply as error:
            form.add_error(None, str(error))
    if not request.htmx and not form.errors:  # type: ignore[attr-defined]
        return redirect(contact)
    if form.errors:
        return panel(request, contact, form, status=422)
    return toast(panel(request, contact), "Your message is on its way.")


@member_required(Role.AGENT)
@require_POST
def settle(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A person's word on a held message: `answer` is sent, again or skip."""
    message = get_object_or_404(Message.objects.select_related("contact"), public_id=public_id)
    answer = request.POST.get("answer", "")
    verb = {"sent": held.mark_sent, "again": held.send_again, "skip": held.skip}.get(answer)
    if verb is None:
        return HttpResponse("A held message is sent, again or skip.", status=400, content_type="text/plain")
    done = verb(message, by=request.member, now=now())  # type: ignore[attr-defined]
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(message.contact)
    said = ("Settled.", "good") if done else ("It was settled meanwhile, or may not go out again.", "warn")
    return toast(panel(request, message.contact), said[0], kind=said[1])
