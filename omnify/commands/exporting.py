"""Everything of one workspace as a zip of JSON lines, a file a table: for a customer who leaves, or asks what is kept.

Secrets are not part of it: what opens an account, a webhook or an API is left out by name, and a test looks for them.
Rows are read and written one after the other, so that a large workspace needs no more memory than a small one.
"""

import json
import zipfile
from datetime import datetime
from typing import IO, Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from omnify.tenants.models.base import TenantModel

# Columns that open something, and what only means something inside.
LEFT_OUT = {
    "sequences.Sender": {"sealed_credentials", "webhook_key"},
    "tenants.ApiKey": {"digest"},
    "tenants.Seal": {"leaves"},
}
CHUNK = 1000


def tables() -> list[type[Model]]:
    """Every table that belongs to tenants, in the order of names."""
    found = (model for model in apps.get_models() if issubclass(model, TenantModel))
    return sorted(found, key=lambda model: model._meta.label)


def columns(model: type[Model]) -> list[str]:
    left_out = LEFT_OUT.get(model._meta.label, set())
    return [field.attname for field in model._meta.concrete_fields if field.attname not in left_out]


def export(tenant: Tenant, target: IO[bytes], *, now: datetime) -> dict[str, int]:
    """Writes the zip; returns how many rows of each table. What is written meanwhile may be in one table and not in another."""
    counts: dict[str, int] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, tenant_context(tenant.pk):
        for model in tables():
            counts[model._meta.label] = _table(archive, model)
        own = {name: getattr(tenant, name) for name in columns(Tenant)}
        about = {"exported_at": now, "tenant": own, "rows": counts}
        archive.writestr("about.json", json.dumps(about, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False))
    return counts


def _table(archive: zipfile.ZipFile, model: type[Model]) -> int:
    manager: Any = model._default_manager
    rows = manager.order_by("pk").values(*columns(model)).iterator(chunk_size=CHUNK)
    count = 0
    with archive.open(f"{model._meta.label_lower}.jsonl", "w", force_zip64=True) as file:
        for row in rows:
            file.write(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n")
            count += 1
    return count
