"""A request of somebody of our staff who looks at a tenant's workspace: reading only, three times over.

No method but GET, HEAD and OPTIONS gets any further; addresses that hold secrets, exports or the admin are closed; and the
request's transaction is read-only in the database, so that a view which tried to write could not.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve

from omnify.lib.clock import now
from omnify.tenants import support
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Membership, SupportVisit
from omnify.tenants.models.people import Role
from omnify.tenants.standing import VISIT_KEY

READING = ("GET", "HEAD", "OPTIONS")
# What stays closed: exports and files, keys, the API (which reads by the thousand), the admin, the visitor's own account, and
# the simulated phones, which are people's.
CLOSED = (
    "contacts:export", "contacts:import_errors", "tenants:key", "tenants:data_export", "api:", "admin:", "account_", "mfa_", "usersessions_", "phone:",
)  # fmt: skip
# What ends a look: its own button, and logging out.
ENDING = ("tenants:support_end", "account_logout")
NOBODY = 0  # a member that no row belongs to
# A write in a read-only transaction, and the wish to make it another one.
WRITES = ("25006", "25001")

Respond = Callable[[HttpRequest], HttpResponse]


class VisitMiddleware:
    """Before TenantMiddleware, which leaves a request with a visit as it is. Sets request.visit (SupportVisit or None)."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.visit = visit_of(request)  # type: ignore[attr-defined]
        if request.visit is None:  # type: ignore[attr-defined]
            return self.get_response(request)
        return as_visitor(request, request.visit, self.get_response)  # type: ignore[attr-defined]

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """As in TenantMiddleware: by the time the response comes by, the exception has become a page."""
        if getattr(request, "visit", None) is not None:
            request.view_failed = True  # type: ignore[attr-defined]
            request.tried_to_write = tried_to_write(exception)  # type: ignore[attr-defined]


def visit_of(request: HttpRequest) -> SupportVisit | None:
    """The look that this session has open. One that is over is forgotten, and the request is answered as anybody's."""
    kept = request.session.get(VISIT_KEY)
    if not kept or not request.user.is_authenticated:
        return None
    visit = support.found(int(kept["tenant"]), int(kept["visit"]), request.user, now())
    if visit is None:
        del request.session[VISIT_KEY]
    return visit


def as_visitor(request: HttpRequest, visit: SupportVisit, respond: Respond) -> HttpResponse:
    """Answers the request as a page of that workspace, reading only."""
    name = name_of(request)
    if request.method == "POST" and name in ENDING:
        with tenant_context(visit.tenant_id):
            support.end(visit, now=now())
        del request.session[VISIT_KEY]
        request.visit = None  # type: ignore[attr-defined]
        return respond(request)
    if request.method not in READING or name.startswith(CLOSED):
        return refusal(request, visit)
    support.looked(visit, request.path, now())
    request.member, request.api_key = visitor(visit, request), None  # type: ignore[attr-defined]
    request.memberships, request.tenant = [], visit.tenant  # type: ignore[attr-defined]
    with reading_only(), tenant_context(visit.tenant_id):
        response = respond(request)
        failed = response.status_code >= 500 or getattr(request, "view_failed", False)
        transaction.set_rollback(True)  # nothing was written; and what failed must not be read from again
    if failed and getattr(request, "tried_to_write", False):
        return refusal(request, visit)
    response["Cache-Control"] = "no-store"
    return response


@contextmanager
def reading_only() -> Iterator[None]:
    """A transaction in which the database refuses every write (SQLSTATE 25006), whatever the code in it does."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        yield


def visitor(visit: SupportVisit, request: HttpRequest) -> Membership:
    """Somebody with an owner's eyes, who is no row: what is theirs is nothing, and nothing can be written in their name."""
    return Membership(pk=NOBODY, tenant=visit.tenant, user_id=int(request.user.pk or NOBODY), role=Role.OWNER)


def tried_to_write(exception: BaseException | None) -> bool:
    """Whether the database refused a write, here or at the bottom of what was raised from it."""
    while exception is not None:
        if getattr(exception, "sqlstate", "") in WRITES:
            return True
        exception = exception.__cause__ or exception.__context__
    return False


def refusal(request: HttpRequest, visit: SupportVisit) -> HttpResponse:
    """A plain page that says no; and a line in the ledger of those who are looked at."""
    support.refused(visit, request.method or "", request.path, now())
    request.member = request.tenant = request.api_key = None  # type: ignore[attr-defined]
    return render(request, "tenants/visit_refused.html", {"visit": visit}, status=403)


def name_of(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name or ""
    except Http404:
        return ""


def begin_here(request: HttpRequest, visit: SupportVisit) -> HttpResponse:
    """From now on this session looks at that workspace."""
    request.session[VISIT_KEY] = {"tenant": visit.tenant_id, "visit": visit.pk}
    return redirect("home")
