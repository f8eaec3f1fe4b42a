"""A step as one contact would get it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from contacts.models import Contact
from contacts.variables import COLUMNS, template_variables
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role
from sequences.footer import opening
from sequences.mailpage import mail_page
from sequences.models import Step
from sequences.previewing import Preview, preview
from sequences.publishing import known_variables, step_values
from sequences.views.lookups import draft_for_reading, step_of

WORST = "worst"
# 3-pages: a mail brings its own styles, so it gets an address and a policy of its own, and may run nothing.
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


def preview_facts(request: HttpRequest, step: Step, known: tuple[str, ...]) -> dict[str, Any]:
    """The preview of a step as the contact of ?as=, the newest contact, or nobody ("worst": every value missing)."""
    chosen = request.GET.get("as") or request.POST.get("as") or ""
    person = None if chosen == WORST else sample(chosen)
    seen = preview(step_values(step), variables_of(person), known)
    return {
        "preview": seen,
        "preview_step": step,
        "person": person,
        "as": str(person.public_id) if person else WORST,
        "previous": neighbour(person, newer=True),
        "following": neighbour(person, newer=False),
        "address": person.address_for(step.kind) if person and step.kind in ("sms", "email", "voice") else "",
        "announced": announced(seen, request.tenant.name) if step.kind == "voice" else "",  # type: ignore[attr-defined]
        "tenant": request.tenant,  # type: ignore[attr-defined]
    }


def announced(seen: Preview, business: str) -> str:
    """What is said before the first words of a call because the law wants it and they leave it out."""
    words = seen.text("first_message").strip()
    return opening(words, business=business).removesuffix(words).strip()


def sample(public_id: str) -> Contact | None:
    """The contact of this id, else the newest one, else nobody."""
    rows = Contact.objects.alive().select_related("company")
    try:
        wanted = Q(public_id=UUID(public_id))
    except ValueError:
        return rows.first()
    return rows.filter(wanted).first() or rows.first()


def neighbour(person: Contact | None, *, newer: bool) -> str:
    """The public id of the next contact in the list, empty at its end."""
    if person is None:
        return ""
    rows = Contact.objects.alive().order_by("id" if newer else "-id")
    rows = rows.filter(pk__gt=person.pk) if newer else rows.filter(pk__lt=person.pk)
    return str(rows.values_list("public_id", flat=True).first() or "")


def variables_of(person: Contact | None) -> Mapping[str, Any]:
    """What a template may say about this person; for nobody, every value is empty."""
    columns: dict[str, Any] = {name: getattr(person, name) for name in COLUMNS} if person else {}
    if person is not None and person.company is not None:
        columns["company"] = person.company.name
    return template_variables(columns, now())


@member_required(Role.VIEWER)
@require_safe
def show(request: HttpRequest, public_id: UUID, key: str) -> HttpResponse:
    """The preview panel of one step: a fragment for htmx; without it, the editor with the step open."""
    draft = draft_for_reading(public_id)
    step = step_of(draft, key)
    if not request.htmx:  # type: ignore[attr-defined]
        query = urlencode({"step": key, "as": request.GET.get("as", "")})
        return HttpResponse(status=302, headers={"Location": f"{reverse('sequences:edit', args=[public_id])}?{query}"})
    facts = {"sequence": draft.sequence, "draft": draft, **preview_facts(request, step, known_variables())}
    return render(request, "sequences/parts/preview.html", facts)


@member_required(Role.VIEWER)
@require_safe
@xframe_options_sameorigin
def mail(request: HttpRequest, public_id: UUID, key: str) -> HttpResponse:
    """The mail of one step as a document of its own, for the preview's sandboxed frame."""
    draft = draft_for_reading(public_id)
    facts = preview_facts(request, step_of(draft, key), known_variables())
    response = HttpResponse(mail_page(facts["preview"], facts["tenant"]))
    response["Content-Security-Policy"] = MAIL_POLICY
    return response
