# ruff: noqa: S608  (names of tables and columns come from our own models)
"""G6: every tenant-owned table, tried from another tenant: by the role of the web processes, by that of the workers inside a
tenant's context, by no tenant at all, by a foreign key, and by the managers."""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from psycopg.errors import InsufficientPrivilege

from omnify.promises import scene
from omnify.promises.outcome import Outcome
from omnify.promises.rows import MOMENT, Made, fill, tenant_models
from omnify.tenants.context import TenantNotSet, set_local, tenant_context
from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models import Tenant
from omnify.tenants.models.base import TenantModel

WEB, SYSTEM = "omnify_web", "omnify_system"


class _Undo(Exception):
    """Takes back what a probe has done."""


def prove_walls(scale: str, seed: int) -> Outcome:
    """Tried: one probe each. Failed: rows of a stranger that could be seen, changed, removed, made or pointed at."""
    mine, theirs = _tenant("mine"), _tenant("theirs")
    tried, leaks, models_seen = 0, [], 0
    for model in tenant_models():
        models_seen += 1
        for name, probe in _probes(model, mine[model], theirs[model]):
            tried += 1
            with connection.cursor() as cursor:
                if probe(cursor):
                    leaks.append(f"{model._meta.label}: {name}")
    print("\n".join(leaks), flush=True)
    return Outcome(tried, len(leaks), f"probes of {models_seen} tables {'; '.join(leaks[:5])}".strip())


def _tenant(word: str) -> Made:
    made = scene.make(MOMENT, word=word)
    with tenant_context(made.tenant.pk):
        return fill(made.tenant, {Tenant: made.tenant})


def _probes(model: type[TenantModel], mine: Any, theirs: Any) -> list[tuple[str, Callable[[Any], bool]]]:
    """(what is tried, the probe): a probe is True when it got through."""
    table, here, there = model._meta.db_table, mine.tenant_id, theirs.tenant_id
    which = f"WHERE tenant_id = {there}"
    see, change = f'SELECT 1 FROM "{table}" {which}', f'UPDATE "{table}" SET tenant_id = tenant_id {which}'
    remove, move = f'DELETE FROM "{table}" {which}', f'UPDATE "{table}" SET tenant_id = {there} WHERE id = {mine.pk}'
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields if field.column != "tenant_id")
    plant = (
        f'INSERT INTO "{table}" (tenant_id, {columns}) SELECT {there}, {columns} FROM "{table}" WHERE id = {mine.pk}'
    )
    found: list[tuple[str, Callable[[Any], bool]]] = []
    for role in (WEB, SYSTEM):
        for name, statement in (("see", see), ("change", change), ("remove", remove), ("move", move), ("plant", plant)):
            found.append((f"{name} as {role}", _statement(role, here, statement)))
    found.append(("see with no tenant", _statement(WEB, None, f'SELECT 1 FROM "{table}"')))
    found.append(("ask the manager", lambda _: _manager_answers(model, mine, theirs)))
    found.append(("ask the manager with no tenant", lambda _: _manager_answers_nobody(model)))
    for field in model._meta.local_fields:
        if isinstance(field, TenantForeignKey) and field.enforced:
            found.append((f"point {field.name} at theirs", _pointing(model, field, mine, there)))
    return found


def _statement(role: str, tenant_id: int | None, statement: str) -> Callable[[Any], bool]:
    def probe(cursor: Any) -> bool:
        touched = 0
        try:
            with transaction.atomic():
                cursor.execute(f"SET LOCAL ROLE {role}")
                set_local(tenant_id="" if tenant_id is None else str(tenant_id))
                cursor.execute(statement)
                touched = cursor.rowcount
                raise _Undo
        except _Undo:
            return touched > 0
        except DatabaseError as error:
            # Refused by a policy or a missing privilege. Any other error means that it got past both.
            return not isinstance(error.__cause__, InsufficientPrivilege)

    return probe


def _pointing(model: type[TenantModel], field: TenantForeignKey, mine: Any, there: int) -> Callable[[Any], bool]:
    """As the workers' role across all tenants, the most that any process of ours may do: only the key itself is in the way."""
    target = field.remote_field.model._meta.db_table

    def probe(cursor: Any) -> bool:
        try:
            with transaction.atomic():
                cursor.execute(f'SELECT id FROM "{target}" WHERE tenant_id = %s LIMIT 1', [there])
                (other,) = cursor.fetchone()
                cursor.execute(
                    f'UPDATE "{model._meta.db_table}" SET "{field.column}" = %s WHERE id = %s', [other, mine.pk]
                )
                reached = cursor.rowcount
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                raise _Undo
        except _Undo:
            return bool(reached)
        except IntegrityError:
            return False
        except DatabaseError as error:
            return not isinstance(error.__cause__, InsufficientPrivilege)

    return probe


def _manager_answers(model: type[TenantModel], mine: Any, theirs: Any) -> bool:
    """True when the manager shows theirs to us, or does not even show them to themselves: then it proves nothing."""
    with tenant_context(theirs.tenant_id):
        visible = model.objects.filter(pk=theirs.pk).exists()
    with tenant_context(mine.tenant_id):
        return bool(model.objects.filter(pk=theirs.pk).exists() or not visible)


def _manager_answers_nobody(model: type[TenantModel]) -> bool:
    try:
        list(model.objects.all()[:1])
    except TenantNotSet:
        return False
    return True
