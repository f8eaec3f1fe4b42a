"""`manage.py demo`: a fictional company to try Omnify with; safe to run again."""

from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand

from omnify.demo.loading import load_demo
from omnify.demo.manners import introduce
from omnify.lib.clock import now
from omnify.simulator.client import SimulatorClient
from omnify.simulator.wiring import register_accounts


class Command(BaseCommand):
    help = "Loads the demo tenant: people, simulated senders, a published sequence. Enrols nobody. Prints the log-in."

    def handle(self, *args: Any, **options: Any) -> None:
        demo = load_demo(settings.STATE_DIR, now=now())
        self.stdout.write(f"{demo.tenant} is ready. Log in: {demo.email} / {demo.password}")
        if settings.SIMULATOR_URL:
            client = SimulatorClient(settings.SIMULATOR_URL)
            try:
                if client.healthy():  # else `manage.py up` tells it before it starts
                    register_accounts(client)
                    introduce(client)
            except httpx.HTTPError as error:
                self.stderr.write(f"The simulator was not told ({type(error).__name__}): manage.py simulator_accounts")
            finally:
                client.close()
