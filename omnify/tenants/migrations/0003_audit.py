"""The audit page reads a tenant's ledger from its newest line back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_roles_and_policies")]

    operations = [
        migrations.AddIndex(model_name="event", index=models.Index(fields=["tenant", "-id"], name="event_newest")),
    ]
