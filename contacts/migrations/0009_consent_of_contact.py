"""A consent's tenant is that of its contact, by their composite key: a second key to the tenant was checked for nothing."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0008_unplaced"), ("tenants", "0002_roles_and_policies")]

    operations = [
        migrations.AlterField(
            model_name="consent",
            name="tenant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
    ]
