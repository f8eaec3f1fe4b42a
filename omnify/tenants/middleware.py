"""Every request of a logged-in member or API key runs inside that tenant's context: no view can forget it.

A view that talks to another machine says @outside_transaction (omnify.tenants.access): only the look-up of who asks has a
transaction then, and the view enters tenant_context for its own queries; forgetting it raises TenantNotSet.
"""

from collections.abc import Callable

from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve

from omnify.tenants import deadlocks
from omnify.tenants.context import set_local, tenant_context
from omnify.tenants.models import ApiKey, Membership

SESSION_KEY = "tenant_id"


class TenantMiddleware:
    """Sets request.member (Membership or None), request.api_key (ApiKey or None) and request.tenant, and wraps the view in one transaction.

    A response of 500 or an exception in the view rolls the transaction back. Who lost a deadlock is tried again, twice.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        deadlocks.keep_body(request)
        for _ in range(deadlocks.TRIES):
            response = self.once(request)
            if not getattr(request, "lost_deadlock", False):
                return response
            if not deadlocks.forget(request):
                break
        return deadlocks.busy(request)

    def once(self, request: HttpRequest) -> HttpResponse:
        """The request in a transaction; after a lost deadlock, undone, with request.lost_deadlock set."""
        if (
            getattr(request, "visit", None) is not None
        ):  # omnify.tenants.visiting has said who, where, and that nothing is written
            return self.get_response(request)
        request.member = request.api_key = request.tenant = None  # type: ignore[attr-defined]
        key = bearer(request)
        if key:
            return self.as_key(request, key)
        if not request.user.is_authenticated:
            return self.get_response(request)
        if runs_outside(request):
            with transaction.atomic():
                self.choose_member(request)
            return self.get_response(request)
        with transaction.atomic():
            member = self.choose_member(request)
            if member is None:
                return self.get_response(request)
            return self.inside(request, member.tenant_id)

    def choose_member(self, request: HttpRequest) -> Membership | None:
        """Sets request.memberships, request.member and request.tenant: the workspace chosen in the session, else the first."""
        members = memberships_of(request.user.pk)  # type: ignore[arg-type]
        chosen = request.session.get(SESSION_KEY)
        member = next((each for each in members if each.tenant_id == chosen), members[0] if members else None)
        request.memberships = members  # type: ignore[attr-defined]
        if member is not None:
            request.member, request.tenant = member, member.tenant  # type: ignore[attr-defined]
        return member

    def as_key(self, request: HttpRequest, key: str) -> HttpResponse:
        with transaction.atomic():
            request.api_key = key_of(key)  # type: ignore[attr-defined]
            if request.api_key is None:  # type: ignore[attr-defined]
                return self.get_response(request)
            request.tenant = request.api_key.tenant  # type: ignore[attr-defined]
            return self.inside(request, request.api_key.tenant_id)  # type: ignore[attr-defined]

    def inside(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        with tenant_context(tenant_id):
            response = self.get_response(request)
            failed = response.status_code >= 500 or getattr(request, "view_failed", False)
            if failed and connection.in_atomic_block:
                transaction.set_rollback(True)
            return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django turns a view's exception into a response before this middleware sees it: remember that what the view wrote
        must be undone. Only afterwards: the error page and django-allauth's redirect still read the database.
        """
        request.view_failed = True  # type: ignore[attr-defined]
        if not deadlocks.lost(exception) or runs_outside(request):
            return None
        request.lost_deadlock = True  # type: ignore[attr-defined]
        return HttpResponse(status=503)  # nobody sees it: __call__ tries again, or says that it could not


def runs_outside(request: HttpRequest) -> bool:
    """Whether the view this request leads to manages its transactions itself."""
    try:
        return bool(getattr(resolve(request.path_info).func, "outside_transaction", False))
    except Http404:
        return False


def bearer(request: HttpRequest) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def memberships_of(user_id: int) -> list[Membership]:
    """All of a user's memberships, tenants joined: the policy on both tables lets a user see their own."""
    set_local(user_id=str(user_id))
    return list(
        Membership.objects.all_tenants()
        .filter(user_id=user_id)
        .select_related("tenant", "user")
        .order_by("tenant__name")
    )


def key_of(key: str) -> ApiKey | None:
    """The live API key with this digest; the policy lets a bearer of the key see its row and nothing else."""
    from omnify.lib.clock import now

    digest = ApiKey.digest_of(key)
    set_local(api_key_digest=digest)
    row = ApiKey.objects.all_tenants().select_related("tenant").filter(digest=digest, revoked_at__isnull=True).first()
    if row is None or (row.expires_at is not None and row.expires_at <= now()):
        return None
    return row
