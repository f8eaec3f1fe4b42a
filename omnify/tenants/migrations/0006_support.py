"""Looks that our staff take at a workspace: who, why, from when until when."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import omnify.lib.ids
from omnify.tenants.rls import TenantTables

# Of a look only its end is written later; the look itself stays.
STAYS = """
CREATE FUNCTION tenants_visit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.tenant_id, NEW.public_id, NEW.staff_user, NEW.staff_name, NEW.reason, NEW.began_at, NEW.until)
       IS DISTINCT FROM
       (OLD.id, OLD.tenant_id, OLD.public_id, OLD.staff_user, OLD.staff_name, OLD.reason, OLD.began_at, OLD.until)
       OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at) THEN
        RAISE EXCEPTION 'A look stays as it was (visit %).', OLD.id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER visit_stays BEFORE UPDATE ON tenants_supportvisit FOR EACH ROW EXECUTE FUNCTION tenants_visit_stays();
REVOKE DELETE, TRUNCATE ON tenants_supportvisit FROM omnify_web, omnify_system;
"""
NOT_ANY_MORE = """
DROP TRIGGER visit_stays ON tenants_supportvisit;
DROP FUNCTION tenants_visit_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_approvals")]

    operations = [
        migrations.CreateModel(
            name="SupportVisit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=omnify.lib.ids.public_id, editable=False, unique=True)),
                ("staff_user", models.BigIntegerField(help_text="Who looks: a user, who need not be a member here.")),
                ("staff_name", models.CharField(max_length=254)),
                ("reason", models.CharField(max_length=300)),
                ("began_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
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
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("tenant", "staff_user"),
                        name="one_visit_at_a_time",
                    )
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_unscoped", django.db.models.manager.Manager()),
            ],
        ),
        TenantTables("SupportVisit"),
        migrations.RunSQL(STAYS, NOT_ANY_MORE),
    ]
