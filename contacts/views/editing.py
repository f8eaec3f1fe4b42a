"""New, changed and deleted contacts."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from contacts.actions import EmailTaken, OnHold, create_contact, delete_contact, update_contact
from contacts.forms import ContactForm
from contacts.models import Contact
from contacts.views.lookups import actor_of, contact_of
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role

METHODS = ["GET", "HEAD", "POST"]


def page(request: HttpRequest, form: ContactForm, contact: Contact | None, status: int = 200) -> HttpResponse:
    return render(request, "contacts/edit.html", {"form": form, "contact": contact}, status=status)


@member_required(Role.AGENT)
@require_http_methods(METHODS)
def create(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return page(request, ContactForm(), None)
    form = ContactForm(request.POST)
    if form.is_valid():
        try:
            contact = create_contact(form.cleaned_data, actor=actor_of(request), now=now())
        except EmailTaken as taken:
            form.add_error("email", str(taken))
        else:
            messages.success(request, f"{contact} is in your contacts. Note what they agreed to before you write.")
            return redirect(contact)
    return page(request, form, None, 422)


@member_required(Role.AGENT)
@require_http_methods(METHODS)
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    contact = contact_of(public_id)
    if request.method != "POST":
        return page(request, ContactForm(contact=contact), contact)
    form = ContactForm(request.POST, contact=contact)
    if form.is_valid():
        try:
            changed = update_contact(contact, form.cleaned_data, actor=actor_of(request), now=now())
        except EmailTaken as taken:
            form.add_error("email", str(taken))
        else:
            messages.success(request, "Saved." if changed else "Nothing was different.")
            return redirect(contact)
    return page(request, form, contact, 422)


@member_required(Role.AGENT)
@require_http_methods(METHODS)
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Asks for the person's name, because this cannot be undone."""
    contact = contact_of(public_id)
    expected = str(contact)
    typed = request.POST.get("name", "").strip()
    if request.method == "POST" and typed.casefold() == expected.casefold():
        try:
            delete_contact(contact, actor=actor_of(request), now=now())
        except OnHold as hold:
            messages.error(request, str(hold))
            return redirect(contact)
        messages.success(request, f"{expected} is deleted. What they forbade stays in force.")
        return redirect("contacts:list")
    wrong = request.method == "POST"
    facts = {"contact": contact, "expected": expected, "typed": typed, "wrong": wrong}
    return render(request, "contacts/delete.html", facts, status=422 if wrong else 200)
