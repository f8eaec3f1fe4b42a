"""`manage.py export <workspace> <file.zip>`: everything of one workspace, without its secrets."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from omnify.lib.clock import now
from omnify.tenants.context import tenant_context
from omnify.tenants.events import record
from omnify.tenants.exporting import Export
from omnify.tenants.models import Tenant


class Command(BaseCommand):
    help = "Writes every table of one workspace as JSON lines into a zip that only its maker may read. Secrets are left out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", help="its slug")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, workspace: str, file: Path, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=workspace).first()
        if tenant is None:
            raise CommandError(f"There is no workspace {workspace!r}.")
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CommandError(f"{file} is there already.") from None
        export = Export(tenant, now=now())
        with os.fdopen(descriptor, "wb") as target:
            target.writelines(export.pieces())
        counts = export.counts
        with tenant_context(tenant.pk):
            record("tenant.exported", tenant_id=tenant.pk, now=now(), actor="command", rows=sum(counts.values()))
        self.stdout.write(f"{file}: {sum(counts.values())} rows of {len(counts)} tables")
