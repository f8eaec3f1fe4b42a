"""What the pulse has asked the workers to do, and whether they have begun: how it knows not to ask twice, and that one hangs."""

from django.db import models


class Wakeup(models.Model):
    """One kind of work. Not a queue: the due rows themselves say what is to be done. Belongs to no tenant."""

    kind = models.CharField(max_length=20, primary_key=True)
    cluster = models.CharField(
        max_length=20,
        default="default",
        db_default="default",
        help_text="Who was asked last: one that comes up anew has forgotten.",
    )
    asked_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.kind
