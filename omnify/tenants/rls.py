"""The migration operation that turns a table into a tenant's table.

For each model: primary key (id, tenant_id), which composite foreign keys can point at; the composite keys of its
TenantForeignKeys; row-level security ENABLE and FORCE with one policy a role; append-only ledgers lose UPDATE and DELETE.
"""

from typing import Any

from django.db import models
from django.db.migrations.operations.base import Operation

from omnify.tenants.fields import TenantForeignKey

# Evaluated once a statement (a sub-select becomes an InitPlan), and NULL, which matches nothing, where no tenant is set:
# a setting that was local to an earlier transaction reads as '', hence nullif.
TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)"


class TenantTables(Operation):
    """Args: model names of this app. `append_only`: names among them that may only be inserted and read.
    `visible_if`: model name -> extra SQL condition under which the web role may see (not write) a row."""

    reduces_to_sql = True
    reversible = True

    def __init__(
        self, *names: str, append_only: tuple[str, ...] = (), visible_if: dict[str, str] | None = None
    ) -> None:
        self.names, self.append_only, self.visible_if = names, append_only, visible_if or {}

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (
            self.__class__.__name__,
            list(self.names),
            {"append_only": self.append_only, "visible_if": self.visible_if},
        )

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes nothing that Django's model state knows of."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        chosen = [to_state.apps.get_model(app_label, name) for name in self.names]
        for model in chosen:
            for statement in self.own_statements(model):
                schema_editor.execute(statement)
        for model in chosen:
            for statement in foreign_keys(model):
                schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """The tables themselves go when their own operations are reversed."""

    def describe(self) -> str:
        return f"Row-level security and composite keys on {', '.join(self.names)}"

    def own_statements(self, model: type[models.Model]) -> list[str]:
        table = model._meta.db_table
        extra = self.visible_if.get(model.__name__)
        statements = [
            f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey", ADD PRIMARY KEY (id, tenant_id)',
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
            f'CREATE POLICY tenant_rows ON "{table}" TO omnify_web USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT})',
            # Workers claim across tenants; inside a tenant_context they too see that tenant alone.
            f'CREATE POLICY system_rows ON "{table}" TO omnify_system '
            f"USING ({TENANT} IS NULL OR tenant_id = {TENANT}) WITH CHECK ({TENANT} IS NULL OR tenant_id = {TENANT})",
        ]
        if extra:
            statements.append(f'CREATE POLICY bearer_rows ON "{table}" FOR SELECT TO omnify_web USING ({extra})')
        if model.__name__ in self.append_only:
            statements.append(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM omnify_web, omnify_system')
        return statements


def foreign_keys(model: type[models.Model]) -> list[str]:
    """ALTER TABLE statements for the composite keys of one model, checked at commit so that Django may order its deletes freely."""
    table = model._meta.db_table
    statements = []
    for field in model._meta.local_fields:
        if isinstance(field, TenantForeignKey) and field.enforced:
            target = field.remote_field.model._meta.db_table
            statements.append(
                f'ALTER TABLE "{table}" ADD CONSTRAINT "{table[:40]}_{field.column[:16]}_tk" FOREIGN KEY ("{field.column}", tenant_id) '
                f'REFERENCES "{target}" (id, tenant_id) DEFERRABLE INITIALLY DEFERRED'
            )
    return statements
