"""Row-level security, composite keys and storage settings of the engine's tables, and the index of the wake-up queue."""

from django.db import migrations

from omnify.tenants.rls import TenantTables

# A callback's tenant is found by the 128-bit key in its URL; the signature is checked with that very row's secret.
WEBHOOK_KEY = "webhook_key = (SELECT nullif(current_setting('app.webhook_key', true), ''))"

# Room on each page for the next version of a row, and vacuum before the due index fills with dead entries.
HOT = "\n".join(
    f"ALTER TABLE {table} SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);"
    for table in ("sequences_enrollment", "sequences_message")
)


class Migration(migrations.Migration):
    dependencies = [
        ("sequences", "0002_initial"),
        ("contacts", "0003_policies"),
        ("tenants", "0002_roles_and_policies"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [
        TenantTables(
            "Sequence",
            "Version",
            "Step",
            "Edge",
            "Sender",
            "Enrollment",
            "Execution",
            "Task",
            "Message",
            "ProviderEvent",
            visible_if={"Sender": WEBHOOK_KEY},
        ),
        migrations.RunSQL(HOT, migrations.RunSQL.noop),
        migrations.RunSQL(
            "CREATE INDEX django_q_ormq_take ON django_q_ormq (key, lock, id)", "DROP INDEX django_q_ormq_take"
        ),
    ]
