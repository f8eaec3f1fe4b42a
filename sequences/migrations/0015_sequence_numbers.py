"""The numbers of large sequences, counted by a worker."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import omnify.tenants.fields
from omnify.tenants.rls import TenantTables


class Migration(migrations.Migration):
    dependencies = [
        ("sequences", "0014_events_go_with_their_sender"),
        ("tenants", "0003_audit"),
    ]

    operations = [
        migrations.CreateModel(
            name="SequenceNumbers",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("counted_at", models.DateTimeField()),
                (
                    "took_ms",
                    models.FloatField(help_text="How long the count took: the longer, the less often it is made."),
                ),
                ("people", models.IntegerField()),
                ("states", models.JSONField(help_text="Status -> reason -> people.")),
                (
                    "steps",
                    models.JSONField(
                        help_text="Key of a step -> people there now (here), decisions so far (send, skip …)."
                    ),
                ),
                ("messages", models.JSONField(help_text="State -> messages.")),
                (
                    "sequence",
                    omnify.tenants.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="sequences.sequence",
                    ),
                ),
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
                "verbose_name_plural": "sequence numbers",
                "abstract": False,
                "base_manager_name": "_unscoped",
                "constraints": [models.UniqueConstraint(fields=("sequence",), name="numbers_once_a_sequence")],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_unscoped", django.db.models.manager.Manager()),
            ],
        ),
        TenantTables("SequenceNumbers"),
    ]
