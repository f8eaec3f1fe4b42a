"""What can be done to several chosen contacts at once."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from contacts.actions import OnHold, delete_contact, tag_contacts, untag_contacts
from contacts.models import Contact
from contacts.views.lookups import actor_of
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role

MOST = 200


@member_required(Role.AGENT)
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """`action` is tag, untag, delete or enroll; `contact` the chosen public ids; goes back to `next`."""
    rows = list(Contact.objects.alive().filter(public_id__in=_ids(request)).order_by("pk"))
    action, tag = request.POST.get("action", ""), request.POST.get("tag", "").strip()
    if not rows:
        messages.info(request, "Choose at least one contact.")
    elif action == "enroll":
        chosen = urlencode({"who": "selected", "ids": ",".join(str(row.public_id) for row in rows)})
        return redirect(f"{reverse('sequences:choose')}?{chosen}")
    elif action in ("tag", "untag") and not tag:
        messages.info(request, "Type the tag first.")
    elif action in ("tag", "untag"):
        verb = tag_contacts if action == "tag" else untag_contacts
        changed = verb(rows, tag, actor=actor_of(request), now=now())
        messages.success(request, f"“{tag}” {'added to' if action == 'tag' else 'taken off'} {changed}.")
    elif action == "delete":
        moment = now()
        try:
            gone = sum(delete_contact(row, actor=actor_of(request), now=moment) for row in rows)
            messages.success(request, f"{gone} deleted. What they forbade stays in force.")
        except OnHold as hold:
            messages.error(request, str(hold))
    else:
        return HttpResponse("Unknown action.", status=400, content_type="text/plain")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else reverse("contacts:list"))


def _ids(request: HttpRequest) -> list[UUID]:
    found = []
    for text in request.POST.getlist("contact")[:MOST]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
