"""Everything of one workspace as a zip of JSON lines, a file a table: for a customer who leaves, or asks what is kept.

Secrets are not part of it: what opens an account, a webhook or an API is left out by name, and a test looks for them.
Rows are read and packed a thousand at a time, each lot in a transaction of its own, so that a large workspace needs no more memory
than a small one and no transaction is long. What is written meanwhile may be in one table and not in another.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

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


class Export:
    """One export. `counts`: rows by table, as far as it has come."""

    def __init__(self, tenant: Tenant, *, now: datetime) -> None:
        self.tenant, self.now, self.counts = tenant, now, dict[str, int]()

    def pieces(self) -> Iterator[bytes]:
        """The zip, piece by piece. Broken off anywhere it is no zip at all: its list of contents comes last."""
        out = _Outlet()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for model in tables():
                for _ in self._table(archive, model):
                    yield out.taken()
            about = {"exported_at": self.now, "tenant": self._own(), "rows": self.counts}
            archive.writestr(self._entry("about.json"), _json(about, indent=1))
        yield out.taken()

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name, self.now.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        return entry

    def _own(self) -> dict[str, Any]:
        return {name: getattr(self.tenant, name) for name in columns(Tenant)}

    def _table(self, archive: zipfile.ZipFile, model: type[Model]) -> Iterator[None]:
        """Writes one table; yields after each lot of rows."""
        label, after = model._meta.label, 0
        manager: Any = model._default_manager
        self.counts[label] = 0
        with archive.open(self._entry(f"{model._meta.label_lower}.jsonl"), "w", force_zip64=True) as file:
            while True:
                with tenant_context(self.tenant.pk):
                    rows = list(manager.filter(pk__gt=after).order_by("pk").values(*columns(model))[:CHUNK])
                file.writelines(_json(row).encode() + b"\n" for row in rows)
                self.counts[label] += len(rows)
                yield
                if len(rows) < CHUNK:
                    return
                after = rows[-1]["id"]


class _Outlet(io.RawIOBase):
    """What the zip writes into, and we carry on: it can only be written forwards."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.waiting += data
        return len(data)

    def taken(self) -> bytes:
        piece = bytes(self.waiting)
        self.waiting.clear()
        return piece


def _json(value: Any, **more: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, **more)
