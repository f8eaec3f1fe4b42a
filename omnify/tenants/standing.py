"""Where a browser session stands right now: logged in or not, and in which tenant. Asked anew, never from memory."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import transaction
from django.http import HttpRequest

from omnify.tenants.middleware import SESSION_KEY, memberships_of


def tenant_of_session(session_key: str) -> int | None:
    """The tenant this session works in, or None: no such session, logged out, password changed, or a member of no tenant.

    Reads the session, the user and the memberships from the database, so that it sees what ended a second ago.
    """
    if not session_key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated or not user.is_active:
        return None
    with transaction.atomic():
        members = memberships_of(user.pk)
    chosen = request.session.get(SESSION_KEY)
    current = next((each for each in members if each.tenant_id == chosen), members[0] if members else None)
    return None if current is None else current.tenant_id
