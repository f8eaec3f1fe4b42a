"""Which tenant the running code acts for: a transaction, a database setting that row-level security reads, and a context variable.

Three nets, each enough alone: the ORM's manager filters by the context variable, the database's policies by `app.tenant_id`,
and composite foreign keys refuse a row that points into another tenant.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

from omnify.lib.logs import logged

_current: ContextVar[int | None] = ContextVar("omnify_tenant", default=None)


class TenantNotSet(RuntimeError):
    """Tenant-owned rows were asked for outside any tenant_context. Enter one, or say all_tenants() and why."""


def current_tenant_id() -> int | None:
    """The tenant the running code acts for, or None outside every tenant_context."""
    return _current.get()


def require_tenant_id() -> int:
    tenant_id = _current.get()
    if tenant_id is None:
        raise TenantNotSet(
            "No tenant is set. Wrap the call in tenant_context(tenant_id), or use .all_tenants() where crossing tenants is meant."
        )
    return tenant_id


def set_local(**settings: str) -> None:
    """Sets database settings `app.<name>` until the end of the current transaction. Needs a transaction: outside one it would do nothing."""
    if not connection.in_atomic_block:
        raise TenantNotSet(
            "A tenant can only be set inside a transaction; a session-wide setting would leak through the pool."
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join("set_config(%s, %s, true)" for _ in settings),
            [part for name, value in settings.items() for part in (f"app.{name}", value)],
        )


@contextmanager
def tenant_context(tenant_id: int) -> Iterator[None]:
    """One transaction in which only this tenant's rows exist. Nested contexts restore the outer tenant, '' included."""
    outer = _current.get()
    with transaction.atomic(), logged(tenant=int(tenant_id)):
        set_local(tenant_id=str(int(tenant_id)))
        token = _current.set(int(tenant_id))
        try:
            yield
        finally:
            _current.reset(token)
        # Not after an error: its rollback gives the outer tenant back, and a broken transaction would hide the error
        # behind its own ("current transaction is aborted"), so that a deadlock could not be told from a fault of ours.
        if not connection.needs_rollback:
            set_local(tenant_id="" if outer is None else str(outer))
