"""A CSV import: a job with its counts, and the rows that could not be taken, each with its reason."""

from django.db import models

from omnify.lib.ids import public_id
from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models.base import TenantModel


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", "Uploaded: map its columns"
    REVIEWING = "reviewing", "Being checked"
    REVIEWED = "reviewed", "Checked: ready to import"
    IMPORTING = "importing", "Importing"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Duplicates(models.TextChoices):
    UPDATE = "update", "Update the existing contact"
    SKIP = "skip", "Leave the existing contact as it is"


class ImportJob(TenantModel):
    """One uploaded file on its way into contacts. Nobody is enrolled by an import."""

    public_id = models.UUIDField(default=public_id, unique=True, editable=False)
    file_name = models.CharField(max_length=255)
    file_path = models.CharField(max_length=400)
    file_size = models.BigIntegerField()
    encoding = models.CharField(max_length=40, blank=True)
    delimiter = models.CharField(max_length=4, blank=True)
    header = models.JSONField(default=list)
    samples = models.JSONField(default=list)
    # column index -> contact field, "custom:<name>", or "" for left out
    mapping = models.JSONField(default=dict)
    duplicates = models.CharField(max_length=8, choices=Duplicates.choices, default=Duplicates.UPDATE)
    default_region = models.CharField(max_length=2, default="US")
    consent = models.JSONField(
        default=dict, help_text="What these people agreed to, as the importer states it: {channel: kind, source, text}."
    )
    tags = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.UPLOADED)
    rows_total = models.IntegerField(default=0)
    rows_done = models.IntegerField(default=0)
    count_new = models.IntegerField(default=0)
    count_update = models.IntegerField(default=0)
    count_skip = models.IntegerField(default=0)
    count_error = models.IntegerField(default=0)
    problem = models.TextField(blank=True)
    created_by = TenantForeignKey(
        "tenants.Membership", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file_name


class ImportProblem(TenantModel):
    """One value of one row that could not be taken, or was taken with a warning."""

    job = TenantForeignKey(ImportJob, on_delete=models.CASCADE, related_name="problems")
    row = models.IntegerField(help_text="As a spreadsheet numbers it: the header is row 1.")
    column = models.CharField(max_length=200, blank=True)
    value = models.CharField(max_length=500, blank=True)
    message = models.CharField(max_length=300)
    fatal = models.BooleanField(default=True)
    raw = models.JSONField(default=list)

    class Meta(TenantModel.Meta):
        ordering = ["row", "id"]

    def __str__(self) -> str:
        return f"Row {self.row}: {self.message}"
