"""The page behind the link under every mail: a GET only asks, a POST unsubscribes, with or without a browser (RFC 8058)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from contacts.locks import until_it_is_done
from contacts.permissions import suppressed
from omnify.lib.clock import now as read_clock
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences import matching, optouts, unsubscribe
from sequences.models import Message

PAGE = "sequences/unsubscribe.html"


# No cookie and no log-in takes part, so there is nothing a forged request could borrow: the signed token is all there is.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """GET and HEAD change nothing, whatever follows links before a person does; POST, also a mail program's own, unsubscribes."""
    found = unsubscribe.read(token)
    changing = request.method == "POST"
    context = until_it_is_done(lambda: _context(*found, changing=changing)) if found else {}
    return render(request, PAGE, context | {"token": token}, status=200 if context.get("address") else 404)


def _context(tenant_id: int, mark: UUID, *, changing: bool) -> dict[str, Any]:
    """What the page says, read and done inside the token's tenant; the page itself is rendered outside it again."""
    with tenant_context(tenant_id):
        tenant = Tenant.objects.filter(pk=tenant_id).first()
        message = Message.objects.filter(public_id=mark, channel="email").first()
        if tenant is None or message is None or not message.to_address:
            return {"tenant": tenant}
        address = message.to_address
        done = bool(suppressed(tenant_id, [("email", address)]))
        if changing and not done:
            take_off(message, read_clock())
        return {"tenant": tenant, "address": veiled(address), "done": done or changing}


def take_off(message: Message, now: datetime) -> None:
    """No more mail to this message's address, nor to the person it was written to; their sequences end."""
    optouts.opt_out(
        matching.concerned(message, message.to_address),
        tenant_id=message.tenant_id,
        address=message.to_address,
        channels=("email",),
        reason=optouts.OPTED_OUT,
        source="email",
        quote="unsubscribe link",
        now=now,
    )


def veiled(address: str) -> str:
    """ "p•••@people.example", "•••• 23": enough to recognise one's own address, too little for whoever else holds the link."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}" if at else f"•••• {address[-2:]}"
