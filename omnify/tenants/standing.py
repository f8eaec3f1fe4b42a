"""Where a browser session stands right now: logged in or not, and in which tenant. Asked anew, never from memory."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import transaction
from django.http import HttpRequest

from omnify.lib import live
from omnify.lib.clock import now
from omnify.tenants.context import tenant_context
from omnify.tenants.middleware import SESSION_KEY, memberships_of
from omnify.tenants.models import SupportVisit

# The topic of the hint upon which every open page's socket looks at its session again; no page hears of it.
STANDING = "standing"
# Where a session keeps the look that one of our staff takes at a workspace (omnify.tenants.visiting).
VISIT_KEY = "support_visit"


def announce_standing(user_id: int) -> None:
    """Says to the sockets of this user's workspaces that sessions or rights have changed, once the transaction has committed."""
    with transaction.atomic():
        for member in memberships_of(user_id):
            live.hint(member.tenant_id, STANDING)


def standing_of_session(session_key: str) -> tuple[int, str] | None:
    """The tenant this session works in and the role it has there, or None: no such session, logged out, password changed, or a
    member of no tenant.

    Reads the session, the user and the memberships from the database, so that it sees what ended a second ago.
    """
    if not session_key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated or not user.is_active:
        return None
    if kept := request.session.get(VISIT_KEY):
        return standing_of_visit(int(kept["tenant"]), int(kept["visit"]), user.pk)
    with transaction.atomic():
        members = memberships_of(user.pk)
    chosen = request.session.get(SESSION_KEY)
    current = next((each for each in members if each.tenant_id == chosen), members[0] if members else None)
    return None if current is None else (current.tenant_id, current.role)


def standing_of_visit(tenant_id: int, visit_id: int, user_id: int) -> tuple[int, str] | None:
    """The tenant that support looks at, while the look lasts."""
    with tenant_context(tenant_id):
        still = SupportVisit.objects.filter(pk=visit_id, staff_user=user_id, ended_at=None, until__gt=now())
        return (tenant_id, f"support:{visit_id}") if still.exists() else None
