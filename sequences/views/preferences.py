"""The page on which a person chooses how they may be reached. The token in its address is the permission; only a POST changes."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

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
    if found is None:
        return render(request, PAGE, {}, status=404)
    tenant_id, mark = found
    with tenant_context(tenant_id):
        tenant = Tenant.objects.filter(pk=tenant_id).first()
        message = Message.objects.filter(public_id=mark, channel="email").first()
        context: dict[str, Any] = {"tenant": tenant}
        if message is not None and message.to_address:
            context["said"] = _changed(message, request) if request.method == "POST" else ""
            context["choices"] = [
                {"channel": each.channel, "name": NAMES[each.channel], "address": veiled(each.address),
                 "open": each.open, "reopens": each.reopens}
                for each in preferences.choices(message)
            ]  # fmt: skip
            context["any_open"] = any(each["open"] for each in context["choices"])
    return render(request, PAGE, context, status=200 if context.get("choices") else 404)


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
