"""People who answer while everything falls down, and a listener that notes which of their words Omnify took."""

import logging
import random
import threading

import httpx

from omnify.simulator.client import SimulatorClient

# How common each temperament is; the others receive everything and never say a word.
SHARES = {"friendly": 0.12, "stopper": 0.12, "busy": 0.06}
WORDS = ("STOP", "please stop texting me", "sounds good, how much?", "STOP", "who is this?")
EVERY = 1.0

logger = logging.getLogger(__name__)


class Voices(threading.Thread):
    """Runs beside the killing. `taken`: the provider ids of what people said and Omnify answered with a 2xx."""

    def __init__(self, simulator: SimulatorClient, seed: int) -> None:
        super().__init__(name="voices", daemon=True)
        self._simulator = simulator
        self._chance = random.Random(seed + 1)  # noqa: S311 (repeatable on purpose)
        self._spoke: set[str] = set()
        self._over = threading.Event()
        self.taken: set[str] = set()

    def run(self) -> None:
        while not self._over.wait(EVERY):
            try:
                self.speak()
                self.note()
            except (httpx.HTTPError, ValueError) as problem:
                logger.warning("A simulated person could not speak: %s", problem)

    def speak(self) -> None:
        """Somebody who received a text and has not said a word by themselves texts back."""
        reached = {record["to"] for record in self._simulator.ledger(kind="sms")} - self._spoke
        if not reached or self._chance.random() > 0.5:
            return
        person = self._chance.choice(sorted(reached))
        self._spoke.add(person)
        # One in three of those chosen really does: the others stay silent, so that most people get all their messages.
        if self._chance.random() < 1 / 3:
            self._simulator.reply(person, "sms", self._chance.choice(WORDS))

    def note(self) -> None:
        for delivery in self._simulator.callbacks():
            if delivery["event"].lower() == "inbound" and 200 <= delivery["status"] < 300 and not delivery["forged"]:
                self.taken.add(delivery["about"])

    def hush(self) -> None:
        """Nobody begins to speak any more."""
        self._over.set()
        self.join(60)
