"""Row-level security and composite keys on what may be spent and what was re-read; only workers write the send epoch."""

from django.db import migrations

from omnify.tenants.rls import TenantTables

EPOCH = "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON sequences_sendepoch FROM omnify_web"


class Migration(migrations.Migration):
    dependencies = [("sequences", "0009_limits"), ("tenants", "0002_roles_and_policies")]

    operations = [
        TenantTables("Spending", "Pace", "VoiceSlot", "Polling"),
        migrations.RunSQL(EPOCH, migrations.RunSQL.noop),
    ]
