"""Who may open a page: decorators for views. A stranger gets 404, a member whose role is too low gets 403."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from omnify.tenants.models.people import Role


def member_required(role: str = Role.VIEWER) -> Callable[..., Any]:
    """The view runs for a logged-in member of a tenant whose role is at least `role`; `request.member` is never None in it."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @login_required
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            member = request.member  # type: ignore[attr-defined]
            if member is None:
                return redirect("tenants:none")
            if not member.may(role):
                raise PermissionDenied(f"This needs the role {role}; yours is {member.role}.")
            return view(request, *args, **kwargs)

        guarded.required_role = role  # type: ignore[attr-defined]
        return guarded

    return decorate


def outside_transaction(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For a view that waits for another machine: no transaction is open around it, so a slow answer holds no lock and no
    snapshot. Its queries belong into `with tenant_context(request.member.tenant_id)`, its network calls outside of it."""
    view.outside_transaction = True  # type: ignore[attr-defined]
    return view
