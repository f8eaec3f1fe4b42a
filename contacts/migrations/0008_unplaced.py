"""The few people whose jurisdictions are not worked out yet are found without looking at everybody."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0007_said_once")]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True), ("places__isnull", True)),
                fields=["id"],
                name="contact_unplaced",
            ),
        ),
    ]
