"""A row of any tenant-owned table, made from the model alone: what a proof over all tables needs, today's and tomorrow's."""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from omnify.tenants.models import Tenant, User
from omnify.tenants.models.base import TenantModel

MOMENT = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
Made = dict[type[models.Model], models.Model]


def tenant_models() -> list[type[TenantModel]]:
    """Every tenant-owned model of every app, by name."""
    found = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    return sorted(found, key=lambda model: model._meta.label)


def fill(tenant: Tenant, known: Made) -> Made:
    """One row of each tenant-owned model for this tenant; `known` has those that exist. Call inside the tenant's context."""
    for model in tenant_models():
        row_of(model, tenant, known)
    return known


def row_of(model: type[models.Model], tenant: Tenant, known: Made) -> models.Model:
    """The tenant's row of this model, made with all it points to where there is none yet."""
    if model not in known and issubclass(model, TenantModel):
        there = model.objects.order_by("pk").first()
        if there is not None:
            known[model] = there
    if model not in known:
        values: dict[str, Any] = {"tenant": tenant} if issubclass(model, TenantModel) else {}
        for field in model._meta.concrete_fields:
            if field.name not in values and not field.primary_key and _needs_value(field):
                values[field.name] = _value(field, tenant, known)
        known[model] = model._base_manager.create(**values)
    return known[model]


def _needs_value(field: Any) -> bool:
    return not (field.null or field.has_default() or field.has_db_default())


def _value(field: Any, tenant: Tenant, known: Made) -> Any:
    if isinstance(field, models.ForeignKey):
        target = field.remote_field.model
        if target is Tenant:
            return tenant
        if target is User:
            return known.setdefault(User, User.objects.create_user(f"{uuid.uuid4()}@x.example"))
        return row_of(target, tenant, known)
    if field.choices:
        return field.choices[0][0]
    for kind, make in _PLAIN:
        if isinstance(field, kind):
            return str(make())[: field.max_length] if isinstance(field, models.CharField) else make()
    raise TypeError(f"No value is known for {field}: add its kind to omnify/promises/rows.py.")


_PLAIN: tuple[tuple[type, Any], ...] = (
    (models.DateTimeField, lambda: MOMENT),
    (models.DateField, MOMENT.date),
    (models.BooleanField, lambda: False),
    (models.UUIDField, uuid.uuid4),
    (models.JSONField, dict),
    (ArrayField, list),
    (models.EmailField, lambda: f"{uuid.uuid4().hex[:12]}@x.example"),
    (models.TextField, lambda: uuid.uuid4().hex[:8]),
    (models.CharField, lambda: uuid.uuid4().hex),
    (models.BinaryField, lambda: b"x"),
    (models.IntegerField, lambda: 1),
    (models.FloatField, lambda: 1.0),
    (models.DecimalField, lambda: 1),
)
