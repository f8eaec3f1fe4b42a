"""`manage.py reseal`: every sealed secret under the current CREDENTIALS_KEY, while everything runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from omnify.lib.sealing import CannotOpen
from omnify.tenants.resealing import reseal_factors
from sequences.resealing import reseal_senders


class Command(BaseCommand):
    help = (
        "Seals credentials and second factors anew with CREDENTIALS_KEY; the old key must stand in CREDENTIALS_KEY_FALLBACKS. "
        "Run it until nothing is left, then take the old key out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=200, help="rows a transaction")

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        for what, reseal in (("senders", reseal_senders), ("second factors", reseal_factors)):
            try:
                count = reseal(batch=batch)
            except CannotOpen as error:
                self.stderr.write(f"{what}: {error}")
                raise SystemExit(1) from error
            self.stdout.write(f"{what}: {count} sealed anew")
