"""What erased people had forbidden, as keyed hashes."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

from omnify.tenants.rls import TenantTables


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0009_consent_of_contact"),
        ("tenants", "0006_support"),
    ]

    operations = [
        migrations.CreateModel(
            name="Forgotten",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                (
                    "channel",
                    models.CharField(choices=[("sms", "SMS"), ("email", "Email"), ("voice", "Voice")], max_length=5),
                ),
                ("reason", models.CharField(max_length=40)),
                ("source", models.CharField(max_length=40)),
                ("created_at", models.DateTimeField(help_text="When it was forbidden.")),
                (
                    "address",
                    models.CharField(
                        blank=True, help_text="Until the clear rows are swept away, then empty.", max_length=254
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
                "verbose_name_plural": "forgotten",
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "_unscoped",
                "indexes": [
                    models.Index(
                        condition=models.Q(("address", ""), _negated=True), fields=["tenant"], name="forgotten_to_sweep"
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("tenant", "digest", "channel"), name="forgotten_once")],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_unscoped", django.db.models.manager.Manager()),
            ],
        ),
        TenantTables("Forgotten"),
    ]
