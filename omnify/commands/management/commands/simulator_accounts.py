"""`manage.py simulator_accounts`: the simulated providers learn whom they serve and where their webhooks go."""

from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from omnify.demo.manners import introduce, keep_manners
from omnify.simulator.client import SimulatorClient
from omnify.simulator.wiring import keep_accounts, register_accounts


class Command(BaseCommand):
    help = "Registers all simulated senders at the simulator: a running one, or, with --keep, one that starts later."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keep", type=Path, help="the configuration file of a simulator that is not running now")

    def handle(self, *args: Any, keep: Path | None, **options: Any) -> None:
        if keep is not None:
            told = keep_accounts(keep)
            keep_manners(keep)
        elif settings.SIMULATOR_URL:
            told = self.tell()
        else:
            raise CommandError("No simulator is set up: SIMULATOR_URL is empty.")
        if options["verbosity"] > 0:
            self.stdout.write(f"The simulator knows {told} account{'' if told == 1 else 's'}.")

    def tell(self) -> int:
        client = SimulatorClient(settings.SIMULATOR_URL)
        try:
            told = register_accounts(client)
            introduce(client)
        except httpx.HTTPError as error:
            raise CommandError(f"The simulator at {settings.SIMULATOR_URL} does not answer: {error}.") from error
        finally:
            client.close()
        return told
