"""Relations between tenant-owned rows."""

from typing import Any

from django.db import models


class TenantForeignKey(models.ForeignKey):
    """A foreign key whose constraint is (column, tenant_id) -> (id, tenant_id), made by the migration operation TenantTables.

    Django's own single-column constraint would accept a row of another tenant: foreign-key checks bypass row-level security.
    `enforced=False` leaves the constraint out where another key of the row already repeats it (hot ledgers).
    """

    def __init__(self, to: Any, on_delete: Any, *, enforced: bool = True, **kwargs: Any) -> None:
        self.enforced = enforced
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if not self.enforced:
            kwargs["enforced"] = False
        kwargs.pop("db_constraint", None)
        return name, path, args, kwargs
