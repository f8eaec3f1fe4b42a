"""Background work of this floor."""

import logging
from smtplib import SMTPException

from django.contrib.sessions.backends.db import SessionStore
from django.urls import reverse

from omnify.lib.clock import now
from omnify.tenants.context import tenant_context
from omnify.tenants.expiry import expire_due
from omnify.tenants.invitations import send_invitation_mail
from omnify.tenants.models import Membership
from omnify.tenants.models.ledger import NotificationType
from omnify.tenants.notary import seal
from omnify.tenants.notifications import notify
from omnify.tenants.shipping import ship

logger = logging.getLogger(__name__)


def send_invitation(member_id: int, tenant_id: int) -> bool:
    """Invites a member by mail. When the mail server refuses, the tenant's people are told, and can send it again."""
    with tenant_context(tenant_id):
        member = Membership.objects.select_related("user", "tenant").filter(pk=member_id).first()
    if member is None:
        return False  # removed again before the mail went out
    try:
        send_invitation_mail(member)
    except (SMTPException, OSError) as error:
        logger.warning("The invitation of member %s could not be sent: %s", member_id, type(error).__name__)
        with tenant_context(tenant_id):
            notify(
                tenant_id=tenant_id,
                type=NotificationType.SENDING_PROBLEM,
                title=f"The invitation to {member.user.email} could not be sent",
                body="The mail server did not take it. Send it again from the list of members.",
                url=reverse("tenants:members"),
            )
        return False
    return True


def seal_ledger() -> int:
    """Seals what is certain of the ledger and ships it, where a sink is configured; returns how many seals were made. Once a minute."""
    made = seal(now())
    ship(now())
    return made


def expire_approvals() -> int:
    """Closes requests for a second signature that nobody decided within their time; returns how many. Once an hour."""
    return expire_due(now())


def clear_sessions() -> None:
    """Removes the sessions of browsers that never came back. Once a day."""
    SessionStore.clear_expired()
