"""A chain of hashes over the ledger. Seals and events only grow: by privilege, and by trigger for whoever owns the tables."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

from omnify.tenants.rls import TenantTables

LOCKED = """
REVOKE INSERT ON tenants_seal FROM omnify_web;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON tenants_sealhead, tenants_sealstate FROM omnify_web;
REVOKE DELETE, TRUNCATE ON tenants_sealhead, tenants_sealstate FROM omnify_system;
"""

ONLY_GROWS = """
CREATE FUNCTION tenants_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are never changed or removed.', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON tenants_event FOR EACH ROW EXECUTE FUNCTION tenants_only_grows();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON tenants_seal FOR EACH ROW EXECUTE FUNCTION tenants_only_grows();
"""

MAY_SHRINK = """
DROP TRIGGER only_grows ON tenants_seal;
DROP TRIGGER only_grows ON tenants_event;
DROP FUNCTION tenants_only_grows();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0003_audit"),
    ]

    operations = [
        migrations.CreateModel(
            name="SealState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "sealed_upto",
                    models.BigIntegerField(default=0, help_text="Every event up to this id is under a seal."),
                ),
                ("sealed_at", models.DateTimeField(help_text="When this was last looked after.", null=True)),
                ("last_made", models.BigIntegerField(default=0, help_text="The id of the newest seal.")),
                ("horizon", models.BigIntegerField(null=True)),
                ("waits_for", models.JSONField(default=list)),
                ("shipped", models.BigIntegerField(default=0, help_text="The id of the last seal that the sink has.")),
                ("shipped_at", models.DateTimeField(null=True)),
                ("ship_problem", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "verbose_name_plural": "seal states",
            },
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(help_text="1, 2, 3 … within the tenant.")),
                ("after", models.BigIntegerField()),
                ("upto", models.BigIntegerField()),
                ("count", models.IntegerField()),
                (
                    "previous",
                    models.CharField(
                        blank=True, help_text="The root of the seal before, empty for the first.", max_length=64
                    ),
                ),
                ("root", models.CharField(help_text="omnify.tenants.chain says of what.", max_length=64)),
                (
                    "leaves",
                    models.BinaryField(
                        help_text="For each event its id and the start of its hash: names the row that differs."
                    ),
                ),
                ("signature", models.CharField(help_text="By a key that is not in the database.", max_length=80)),
                ("made_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "_unscoped",
                "constraints": [models.UniqueConstraint(fields=("tenant", "number"), name="seal_number")],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="SealHead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField()),
                ("upto", models.BigIntegerField()),
                ("root", models.CharField(max_length=64)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["tenant"],
                "abstract": False,
                "base_manager_name": "_unscoped",
                "constraints": [models.UniqueConstraint(fields=("tenant",), name="seal_head_once")],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_unscoped", django.db.models.manager.Manager()),
            ],
        ),
        TenantTables("Seal", "SealHead", append_only=("Seal",)),
        migrations.RunSQL(LOCKED, migrations.RunSQL.noop),
        migrations.RunSQL(ONLY_GROWS, MAY_SHRINK),
    ]
