"""`manage.py audit`: is the event ledger still what was sealed, and what was shipped?"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from omnify.lib.clock import now
from omnify.tenants.models import Tenant
from omnify.tenants.notary import seal
from omnify.tenants.proofreading import compare, verify
from omnify.tenants.shipping import ship


class Command(BaseCommand):
    help = (
        "verify: recomputes every seal and names the first row that was changed, removed or inserted afterwards. compare: holds "
        "a file that was shipped against the database. seal, ship: what the workers do once a minute, now."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("verify", "compare", "seal", "ship"))
        parser.add_argument("file", nargs="?", type=Path, help="for compare: JSON lines as the sink got them")
        parser.add_argument("--tenant", help="the slug of one workspace; all without it")

    def handle(self, *args: Any, what: str, file: Path | None, tenant: str | None, **options: Any) -> None:
        if what == "seal":
            self.stdout.write(f"{seal(now())} seals made")
        elif what == "ship":
            self.stdout.write(f"{ship(now())} seals shipped")
        elif what == "compare":
            self.compare(file)
        else:
            self.verify(tenant)

    def verify(self, slug: str | None) -> None:
        chosen = Tenant.objects.filter(slug=slug) if slug else Tenant.objects.all()
        found = [(each, verify(each.pk)) for each in chosen.order_by("pk")]
        if slug and not found:
            raise CommandError(f"There is no workspace {slug!r}.")
        for each, verdict in found:
            old = f", {verdict.old_keys} seals of keys that are gone" if verdict.old_keys else ""
            told = f"{verdict.seals} seals over {verdict.events} events{old}, {verdict.unsealed} not sealed yet"
            self.stdout.write(f"{each.slug}: {verdict.fault or 'unchanged'} ({told})")
        if any(verdict.fault for _, verdict in found):
            raise CommandError("The ledger is not what was sealed.")

    def compare(self, file: Path | None) -> None:
        if file is None or not file.is_file():
            raise CommandError("Name the file that was shipped.")
        with file.open() as lines:
            faults = list(compare(lines))
        for fault in faults:
            self.stdout.write(fault)
        if faults:
            raise CommandError("What was shipped and what is here differ.")
        self.stdout.write("What was shipped is what is here.")
