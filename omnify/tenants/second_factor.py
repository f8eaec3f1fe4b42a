"""Owners and staff use a second factor where OMNIFY_REQUIRE_MFA says so: before anything else they set one up.

Once they have one, django-allauth asks for it at every log-in. Off on a laptop, so that the demo opens at once; on in production.
"""

from collections.abc import Callable
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from omnify.lib import sealing
from omnify.tenants.models.people import Role

# What somebody without one may still open: setting it up, proving who they are, leaving.
OPEN = {"account_logout", "account_reauthenticate", "mfa_index", "mfa_activate_totp", "unsubscribe"}
OPEN |= {"mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "mfa_reauthenticate"}
_CONTEXT = "second factor"


class SecondFactorMiddleware:
    """Leads owners and staff without a second factor to the page that sets one up. After TenantMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if not settings.REQUIRE_MFA or (match and match.view_name in OPEN) or not lacks_second_factor(request):
            return None
        return led_to_set_up(request)


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether an owner or a member of the staff is logged in whose password alone let them in."""
    if not request.user.is_authenticated:
        return False
    member = getattr(request, "member", None)
    powerful = request.user.is_staff or (member is not None and member.may(Role.OWNER))
    return powerful and not is_mfa_enabled(request.user)


def led_to_set_up(request: HttpRequest) -> HttpResponse:
    where = reverse("mfa_activate_totp")
    if request.path.startswith("/api/"):
        return JsonResponse(
            {"title": "You may not do this.", "status": 403, "detail": "Set up two-factor log-in first."}, status=403
        )
    messages.info(request, "Owners log in with a second factor. Set it up now; it takes a minute.")
    return HttpResponseClientRedirect(where) if getattr(request, "htmx", False) else redirect(where)


class SealedFactors(DefaultMFAAdapter):
    """Keeps the secrets of authenticator apps and recovery codes sealed. One written before that opens as it is."""

    def encrypt(self, text: str) -> str:
        return sealing.seal({"": text}, context=_CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        if not sealing.is_sealed(encrypted_text):
            return encrypted_text
        return str(sealing.open_sealed(encrypted_text, context=_CONTEXT)[""])
