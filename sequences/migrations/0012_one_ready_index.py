"""One index of what is ready instead of two: each send pays for every index when it is made and when it changes state."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sequences", "0011_vitals")]

    operations = [migrations.RemoveIndex(model_name="message", name="message_ready")]
