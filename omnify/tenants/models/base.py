"""What every tenant-owned table has in common."""

from django.db import models

from omnify.tenants.querysets import TenantManager


class TenantModel(models.Model):
    """A row that belongs to one tenant. Its table must be named in a TenantTables operation; a test checks the database for it."""

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)

    objects = TenantManager()

    class Meta:
        abstract = True
        # Related managers and refresh_from_db go through this one: the row's own tenant is known, the policy still applies.
        base_manager_name = "_unscoped"

    _unscoped = models.Manager()
