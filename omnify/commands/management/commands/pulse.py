"""`manage.py pulse`: the metronome. Runs until it is told to stop; start as many as you like, one leads."""

import logging
import signal
import time
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection

from sequences.pulse import PERIOD, Pulse
from sequences.timekeeping import database_clock

logger = logging.getLogger("omnify.pulse")


class Command(BaseCommand):
    help = "Wakes the workers when anything is due, and notices when one hangs."

    def handle(self, *args: Any, **options: Any) -> None:
        self.running = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        pulse = Pulse(settings.STATE_DIR)
        logger.info("The pulse beats.")
        while self.running:
            self.beat(pulse)

    def beat(self, pulse: Pulse) -> None:
        """One beat, then sleep until the next look or NOTIFY; a lost database is waited for, not died of."""
        began = time.monotonic()
        try:
            if pulse.lead():
                pulse.beat(database_clock()())
            look = began + pulse.pause
            # In short turns, so that it ends soon when it is told to.
            while self.running and (left := look - time.monotonic()) > 0:
                if (within := pulse.wait(min(left, PERIOD))) is not None:
                    look = min(look, time.monotonic() + within)
        except (OperationalError, psycopg.OperationalError) as error:
            logger.warning("The database is away (%s); trying again in a second.", type(error).__name__)
            connection.close()
            pulse.listener = None
            time.sleep(PERIOD)

    def stop(self, *_: Any) -> None:
        self.running = False
