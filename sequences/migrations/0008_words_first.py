"""The index off which what people said is taken up, before a campaign's reports."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("sequences", "0007_message_by_contact")]

    operations = [
        migrations.AddIndex(
            model_name="providerevent",
            index=models.Index(
                fields=["id"],
                condition=Q(("kind__in", ("inbound", "call")), ("state", "new")),
                name="provider_event_said",
            ),
        ),
    ]
