"""Log-in rules for django-allauth."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.conf import settings

from omnify.tenants.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by invitation: an open sign-up would let strangers into a system that writes to people."""

    def is_open_for_signup(self, request: Any) -> bool:
        return bool(getattr(settings, "SIGNUP_OPEN", False))

    def post_login(self, request: Any, user: User, **kwargs: Any) -> Any:
        own_address(user)
        return super().post_login(request, user, **kwargs)


def own_address(user: User) -> None:
    """Lists the address an account was made with among its verified ones, unless any account has listed it already.

    It counts as verified because nobody chose it for themselves: whoever runs Omnify made the account for it, or an owner
    did, and then its password was set from a link that was mailed there. django-allauth would add it, unverified, the first
    time somebody looks at the page of addresses, and from then on refuse two-factor log-in.
    """
    if not EmailAddress.objects.filter(email__iexact=user.email).exists():
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
