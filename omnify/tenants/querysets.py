"""The second, explicit tenant filter: forgetting it raises instead of returning somebody else's rows."""

from typing import Any, Self

from django.db import models

from omnify.tenants.context import require_tenant_id


class TenantQuerySet(models.QuerySet):
    """Rows of one tenant, with words for the two ways to say which."""

    def for_tenant(self, tenant_id: int) -> Self:
        return self.filter(tenant_id=tenant_id)

    def create(self, **kwargs: Any) -> Any:
        if "tenant" not in kwargs and "tenant_id" not in kwargs:
            kwargs["tenant_id"] = require_tenant_id()
        return super().create(**kwargs)


class TenantManager(models.Manager.from_queryset(TenantQuerySet)):  # type: ignore[misc]
    """`Model.objects`: the current tenant's rows; raises TenantNotSet when there is none."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(tenant_id=require_tenant_id())

    def all_tenants(self) -> Any:
        """Every tenant's rows the database role may see. For the engine's claims, the demo and the bench; tests list its callers."""
        return super().get_queryset()

    def create(self, **kwargs: Any) -> Any:
        return self.all_tenants().create(**kwargs)

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        return self.all_tenants().bulk_create(objs, *args, **kwargs)
