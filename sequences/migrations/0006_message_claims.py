"""Indexes of the dispatcher's fair claim and of the messages held for a person."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("sequences", "0005_attention")]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["channel", "tenant", "not_before"],
                condition=Q(("state__in", ("ready", "deferred"))),
                name="message_by_tenant",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["expires_at"], condition=Q(("state", "held")), name="message_held"),
        ),
    ]
