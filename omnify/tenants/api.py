"""What every endpoint of the API has in common: who asks, what they may, pages, throttle and errors in plain sentences.

`request.auth` is who asks: an ApiKey, or the Membership of somebody logged in. Both have tenant_id and role.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core import signing
from django.core.exceptions import PermissionDenied as NotAllowed
from django.db.models import Q
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.pagination import BasePagination
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

from omnify.lib.clock import now
from omnify.tenants import rates
from omnify.tenants.context import require_tenant_id
from omnify.tenants.middleware import bearer
from omnify.tenants.models import ApiKey, Membership
from omnify.tenants.models.people import RANK, Role
from omnify.tenants.rates import BAD_KEYS

STAMPED_EVERY = timedelta(minutes=1)


def actor(request: Request) -> str:
    """How the ledger names who asks: key:<id> or member:<id>."""
    return f"{'key' if isinstance(request.auth, ApiKey) else 'member'}:{request.auth.pk}"


class Conflict(exceptions.APIException):
    """The request makes sense, but not in the present state."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This does not fit the present state."
    default_code = "conflict"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer omk_…`. The middleware has looked the key up, because the tenant's context hangs on it."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        if not bearer(request._request):
            return None
        key: ApiKey | None = getattr(request._request, "api_key", None)
        if key is None:
            if not rates.within("bad key", rates.address_of(request._request), most=BAD_KEYS[0], seconds=BAD_KEYS[1]):
                raise exceptions.Throttled(BAD_KEYS[1], "Too many keys that do not exist.")
            raise exceptions.AuthenticationFailed("This API key is unknown, revoked or expired.")
        stamp(key)
        return request._request.user, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Omnify API"'


class MemberSessionAuthentication(SessionAuthentication):
    """Somebody logged in, for pages that call the API; every call that changes something needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, Membership] | None:
        member: Membership | None = getattr(request._request, "member", None)
        if member is None or not member.user.is_active:
            return None
        self.enforce_csrf(request)
        return member.user, member


def stamp(key: ApiKey) -> None:
    """Keeps when the key was last used, to the minute: not one more write for each request."""
    moment = now()
    if key.last_used_at is not None and moment - key.last_used_at < STAMPED_EVERY:
        return
    due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=moment - STAMPED_EVERY)
    ApiKey.objects.filter(due, pk=key.pk).update(last_used_at=moment)


class IsMember(BasePermission):
    """Reading needs the role viewer, changing what the view's `write_role` says (agent)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        who = request.auth
        if who is None:
            return False
        needed = Role.VIEWER if request.method in SAFE_METHODS else Role(getattr(view, "write_role", Role.AGENT))
        self.message = f"This needs the role {needed.value}; yours is {who.role}."  # type: ignore[union-attr]
        return RANK[Role(who.role)] >= RANK[needed]  # type: ignore[union-attr]


class TenantThrottle(SimpleRateThrottle):
    """So many requests a minute for each key or member. The bucket's name begins with the tenant; no header can change it."""

    scope = "tenant"

    def get_cache_key(self, request: Request, view: Any) -> str:
        who = request.auth
        if who is None:
            return f"throttle:anonymous:{request._request.META.get('REMOTE_ADDR', '')}"
        kind = "key" if isinstance(who, ApiKey) else "member"
        return f"throttle:{who.tenant_id}:{kind}:{who.pk}"  # type: ignore[union-attr]


class KeysetPagination(BasePagination):
    """Newest first by id; `next` continues behind the last row shown, so rows that come or go never shift a page.

    The cursor is signed for its tenant. `limit`: rows a page, 1 to 200.
    """

    page_size, largest = 50, 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        size = self.size(request)
        after = self.position(request)
        rows = queryset.order_by("-id")
        if after is not None:
            rows = rows.filter(pk__lt=after)
        chunk = list(rows[: size + 1])
        self.next = cursor(chunk[size - 1].pk) if len(chunk) > size else None
        return chunk[:size]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.next})

    def size(self, request: Request) -> int:
        given = request.query_params.get("limit", str(self.page_size))
        # Read whole, its leading zeros too; but no number of a thousand digits.
        if not (given.isascii() and given.isdigit() and len(given) <= 20 and 1 <= int(given) <= self.largest):
            raise exceptions.ValidationError({"limit": [f"limit is a number from 1 to {self.largest}."]})
        return int(given)

    def position(self, request: Request) -> int | None:
        given = request.query_params.get("cursor", "")
        if not given:
            return None
        try:
            return int(signing.loads(given, salt=cursor_salt()))
        except (signing.BadSignature, ValueError, TypeError) as error:
            raise exceptions.ValidationError(
                {"cursor": ["This cursor is none of ours. Begin again without."]}
            ) from error

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": schema,
                "next": {
                    "type": "string",
                    "nullable": True,
                    "description": "Give it as `cursor` to get the following page; null on the last one.",
                },
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "limit",
                "in": "query",
                "description": "Rows a page.",
                "schema": {"type": "integer", "minimum": 1, "maximum": self.largest, "default": self.page_size},
            },
            {
                "name": "cursor",
                "in": "query",
                "description": "`next` of the page before.",
                "schema": {"type": "string"},
            },
        ]


def cursor_salt() -> str:
    return f"omnify.api.cursor.{require_tenant_id()}"


def cursor(pk: int) -> str:
    return signing.dumps(pk, salt=cursor_salt())


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal as an RFC 9457 problem: title, status, detail, and for wrong values `errors` by field. Nothing is kept."""
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing here, or it belongs to somebody else.")
    elif isinstance(error, NotAllowed):
        error = exceptions.PermissionDenied(*error.args)
    if not isinstance(error, exceptions.APIException):
        return None
    # The middleware rolls back what this request wrote before it was refused.
    context["request"]._request.view_failed = True
    body: dict[str, Any] = {"title": title_of(error), "status": error.status_code}
    if isinstance(error, exceptions.ValidationError):
        body["detail"] = "Nothing was changed."
        body["errors"] = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    else:
        body["detail"] = str(error.detail)
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return Response(body, status=error.status_code, headers=headers, content_type="application/problem+json")


TITLES: Sequence[tuple[type[exceptions.APIException], str]] = (
    (exceptions.ValidationError, "Some values are not right."),
    (exceptions.ParseError, "This is no JSON."),
    (exceptions.AuthenticationFailed, "Who are you?"),
    (exceptions.NotAuthenticated, "Who are you?"),
    (exceptions.PermissionDenied, "You may not do this."),
    (exceptions.NotFound, "Not found."),
    (exceptions.MethodNotAllowed, "This address does not do that."),
    (exceptions.Throttled, "Too many requests."),
    (exceptions.UnsupportedMediaType, "Send application/json."),
    (Conflict, "This does not fit the present state."),
)


def title_of(error: exceptions.APIException) -> str:
    return next((title for kind, title in TITLES if isinstance(error, kind)), "It did not work.")
