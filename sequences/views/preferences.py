"""The page on which a person chooses how they may be reached. The token in its address is the permission; only a POST changes."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from contacts.locks import until_it_is_done
from omnify.lib.clock import now
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences import preferences, unsubscribe
from sequences.models import Message
from sequences.views.unsubscribe import veiled

PAGE = "sequences/preferences.html"
NAMES = {"email": "Email", "sms": "Texts", "voice": "Calls"}


# As for the unsubscribe page: no cookie and no log-in takes part, so there is nothing that a forged request could borrow.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences_page(request: HttpRequest, token: str) -> HttpResponse:
    """GET and HEAD show what is open; a POST of `stop` (a channel, or all) or `open` (email) changes it and shows it again."""
    found = unsubscribe.read(token)
    context = until_it_is_done(lambda: _context(*found, request)) if found else {}
    return render(request, PAGE, context, status=200 if context.get("choices") else 404)


def _context(tenant_id: int, mark: UUID, request: HttpRequest) -> dict[str, Any]:
    """What the page says, read and done inside the token's tenant."""
    with tenant_context(tenant_id):
        tenant = Tenant.objects.filter(pk=tenant_id).first()
        message = Message.objects.filter(public_id=mark, channel="email").first()
        if message is None or not message.to_address:
            return {"tenant": tenant}
        said = _changed(message, request) if request.method == "POST" else ""
        choices = [
            {"channel": each.channel, "name": NAMES[each.channel], "address": veiled(each.address),
             "open": each.open, "reopens": each.reopens}
            for each in preferences.choices(message)
        ]  # fmt: skip
    return {"tenant": tenant, "said": said, "choices": choices, "any_open": any(each["open"] for each in choices)}


def _changed(message: Message, request: HttpRequest) -> str:
    """Does what was asked; what it says to the person."""
    wanted, moment = request.POST.get("stop", ""), now()
    if wanted == "all":
        preferences.stop(message, preferences.CHANNELS, moment)
        return "Everything has stopped."
    if wanted in NAMES:
        preferences.stop(message, (wanted,), moment)
        return f"{NAMES[wanted]}: stopped."
    if request.POST.get("open") == "email":
        opened = preferences.reopen(message, moment)
        return "You will get mail again." if opened else "That cannot be opened here."
    return ""
