"""How long a workspace keeps words and raw data, and how far the removal has come."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

from omnify.tenants.rls import TenantTables

# Marks are the workers' to move; pages read them.
LOCKED = "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON tenants_retentionmark FROM omnify_web"


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0006_support"),
    ]

    operations = [
        migrations.CreateModel(
            name="RetentionMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=24)),
                ("upto", models.DateTimeField()),
                ("counted", models.BigIntegerField(default=0, help_text="Rows since the ledger was last told.")),
                ("total", models.BigIntegerField(default=0)),
                ("cleared_at", models.DateTimeField(help_text="When there was last anything to remove.", null=True)),
            ],
            options={
                "ordering": ["kind"],
                "abstract": False,
                "base_manager_name": "_unscoped",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="tenant",
            name="keep_raw_days",
            field=models.PositiveIntegerField(
                default=90,
                help_text="What providers and lists brought, raw, and notifications are removed after so many days.",
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="keep_words_days",
            field=models.PositiveIntegerField(
                blank=True,
                default=1826,
                help_text="What was written and said is removed after so many days (omnify.tenants.retention). Empty: never.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="legal_hold",
            field=models.BooleanField(
                default=False,
                help_text="Nothing at all is removed while it is on: for a dispute, or an authority's question.",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["created_at"], name="notification_by_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(("keep_words_days__isnull", True), ("keep_words_days__gte", 30), _connector="OR"),
                name="words_kept_a_month",
            ),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(condition=models.Q(("keep_raw_days__gte", 7)), name="raw_kept_a_week"),
        ),
        migrations.AddField(
            model_name="retentionmark",
            name="tenant",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionmark",
            constraint=models.UniqueConstraint(fields=("tenant", "kind"), name="retention_mark_once"),
        ),
        TenantTables("RetentionMark"),
        migrations.RunSQL(LOCKED, migrations.RunSQL.noop),
    ]
