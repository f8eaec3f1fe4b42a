"""What went to a number is found by the number: several contacts may have it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0010_forgotten"),
        ("sequences", "0016_two_mail_providers"),
        ("tenants", "0006_support"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("channel__in", ("sms", "voice")), ("state__in", ("claimed", "sending", "unknown"))),
                fields=["tenant", "to_address"],
                name="message_in_flight_to",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("channel__in", ("sms", "voice")), ("sending_started_at__isnull", False)),
                fields=["tenant", "to_address", "sending_started_at"],
                name="message_by_number",
            ),
        ),
    ]
