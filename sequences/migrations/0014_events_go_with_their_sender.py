"""A sender that never wrote to anybody may be removed, and what its provider told us goes with it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sequences", "0013_receipts_stay")]

    operations = [
        migrations.RunSQL(
            "GRANT DELETE ON sequences_providerevent TO omnify_web, omnify_system",
            "REVOKE DELETE ON sequences_providerevent FROM omnify_web, omnify_system",
        )
    ]
