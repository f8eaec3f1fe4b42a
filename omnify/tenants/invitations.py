"""The mail that brings a new member in: a link to choose a password, or, with an account already, to the log-in page."""

from urllib.parse import urljoin

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from omnify.tenants.models import Membership, User


def entrance_for(user: User) -> str:
    """The absolute address where this user gets in. The password link works once and as long as PASSWORD_RESET_TIMEOUT says."""
    if user.has_usable_password():
        path = reverse("account_login")
    else:
        path = reverse(
            "account_reset_password_from_key", args=[user_pk_to_url_str(user), default_token_generator.make_token(user)]
        )
    return urljoin(settings.PUBLIC_URL + "/", path.lstrip("/"))


def send_invitation_mail(member: Membership) -> None:
    """Writes to the member. Raises SMTPException or OSError when the mail server does not take it."""
    facts = {"member": member, "url": entrance_for(member.user), "new": not member.user.has_usable_password()}
    send_mail(
        subject=f"You are invited to {member.tenant.name} on Omnify",
        message=render_to_string("tenants/mail/invitation.txt", facts),
        from_email=settings.DEFAULT_FROM_EMAIL,
        recipient_list=[member.user.email],
    )
