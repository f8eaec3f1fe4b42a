"""A mail to whoever logs in on a browser that they never used before: if it was not they, they learn of it at once."""

from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from omnify.tenants.models import User

_SALT = "omnify.device"
YEAR = 365 * 24 * 3600


def cookie_name(user: User) -> str:
    """One cookie a user and browser, so that two people who share a browser are not told of each other."""
    return f"{'__Host-' if settings.HTTPS else ''}device-{user.pk}"


def is_known_device(request: HttpRequest, user: User) -> bool:
    """Whether this browser holds our signed word that this user has logged in on it within the last year."""
    try:
        return signing.loads(request.COOKIES.get(cookie_name(user), ""), salt=_SALT, max_age=YEAR) == user.pk
    except signing.BadSignature:
        return False


def remember_device(response: HttpResponse, user: User) -> None:
    response.set_cookie(
        cookie_name(user),
        signing.dumps(user.pk, salt=_SALT),
        max_age=YEAR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def tell_of_new_device(request: HttpRequest, user: User, adapter: Any) -> bool:
    """Mails the user where and with what somebody just logged in. False: the browser is known, nothing is mailed."""
    if is_known_device(request, user):
        return False
    adapter.send_notification_mail("account/email/new_device", user)
    return True
