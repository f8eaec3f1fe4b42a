"""One index for all that is asked about a person's messages, instead of one for those that wait."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sequences", "0006_message_claims")]

    operations = [
        migrations.RemoveIndex(model_name="message", name="message_waiting_for"),
        migrations.AddIndex(
            model_name="message", index=models.Index(fields=["contact", "-id"], name="message_by_contact")
        ),
    ]
