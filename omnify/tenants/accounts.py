"""Log-in rules for django-allauth."""

import logging
from collections.abc import Iterable
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest

from omnify.tenants.devices import remember_device, tell_of_new_device
from omnify.tenants.models import User
from omnify.tenants.standing import announce_standing

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by invitation: an open sign-up would let strangers into a system that writes to people."""

    def is_open_for_signup(self, request: Any) -> bool:
        return bool(getattr(settings, "SIGNUP_OPEN", False))

    def post_login(self, request: Any, user: User, **kwargs: Any) -> Any:
        own_address(user)
        tell_of_new_device(request, user, self)
        response = super().post_login(request, user, **kwargs)
        remember_device(response, user)
        return response

    def logout(self, request: HttpRequest) -> None:
        user_id = request.user.pk
        super().logout(request)
        if user_id is not None:
            announce_standing(user_id)

    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, password)
        announce_standing(user.pk)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Writes the mail now and sends it once the request's transaction has committed: no mail server is waited for inside
        one, and nothing is mailed of what was rolled back."""
        request: HttpRequest = self.request
        facts = {"request": request, "email": email, "current_site": get_current_site(request), **context}
        letter = self.render_mail(template_prefix, email, facts)
        transaction.on_commit(lambda: sent(letter))


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Ends sessions, and their open pages' sockets with them."""

    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        ending = list(sessions)
        super().end_sessions(ending)
        for user_id in {each.user_id for each in ending}:
            announce_standing(user_id)


def sent(letter: EmailMessage) -> bool:
    """Hands a mail of Omnify's own to the mail server. False, and a line in the log, when it is not taken: whoever asked for
    the mail asks again, and the request that wrote it has long been done."""
    try:
        letter.send()
    except (SMTPException, OSError) as error:
        logger.error("An account's mail could not be sent: %s", type(error).__name__)
        return False
    return True


def own_address(user: User) -> None:
    """Lists the address an account was made with among its verified ones, unless any account has listed it already.

    It counts as verified because nobody chose it for themselves: whoever runs Omnify made the account for it, or an owner
    did, and then its password was set from a link that was mailed there. django-allauth would add it, unverified, the first
    time somebody looks at the page of addresses, and from then on refuse two-factor log-in.
    """
    if not EmailAddress.objects.filter(email__iexact=user.email).exists():
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
