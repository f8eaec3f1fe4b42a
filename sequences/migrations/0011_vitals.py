"""How the machine does, counters that outlive processes, and which cluster was asked. Only workers write the first two."""

from django.db import migrations, models

READ_ONLY = "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON sequences_vitals, sequences_tally FROM omnify_web"


class Migration(migrations.Migration):
    dependencies = [
        ("sequences", "0010_limit_policies"),
        ("tenants", "0002_roles_and_policies"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("key", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("value", models.FloatField(default=0)),
            ],
            options={
                "verbose_name_plural": "tallies",
            },
        ),
        migrations.CreateModel(
            name="Vitals",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("beat_at", models.DateTimeField(help_text="When the leading pulse was last alive.")),
                (
                    "measured_at",
                    models.DateTimeField(
                        help_text="When the facts were last read; older: reading them fails.", null=True
                    ),
                ),
                ("facts", models.JSONField(default=dict, help_text="sequences.vitals says what is in it.")),
            ],
            options={
                "verbose_name_plural": "vitals",
            },
        ),
        migrations.AddField(
            model_name="wakeup",
            name="cluster",
            field=models.CharField(
                db_default="default",
                default="default",
                help_text="Who was asked last: one that comes up anew has forgotten.",
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="providerevent",
            index=models.Index(
                condition=models.Q(("state", "parked")), fields=["tenant", "-id"], name="provider_event_parked"
            ),
        ),
        migrations.RunSQL(READ_ONLY, migrations.RunSQL.noop),
    ]
