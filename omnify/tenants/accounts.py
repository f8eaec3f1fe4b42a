"""Log-in rules for django-allauth."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by invitation: an open sign-up would let strangers into a system that writes to people."""

    def is_open_for_signup(self, request: Any) -> bool:
        return bool(getattr(settings, "SIGNUP_OPEN", False))
