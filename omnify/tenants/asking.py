"""How a page goes on when what was pressed needs somebody else's signature first."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from omnify.lib.clock import now
from omnify.tenants.approvals import ask
from omnify.tenants.signatures import NeedsSignature


def asked(request: HttpRequest, needed: NeedsSignature) -> HttpResponse:
    """Asks for the signature in the member's name and leads to the request's page, which says what happens next."""
    row = ask(needed.wanted, by=request.member, now=now())  # type: ignore[attr-defined]
    messages.info(request, "Nothing has changed yet: this waits for a second signature.")
    return redirect("tenants:approval", row.public_id)
