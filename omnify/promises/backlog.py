"""G14: everything sent becomes unknown, and the provider lists nothing; then it lists again, late, with words that look alike."""

import random
import time
from collections import Counter
from datetime import timedelta

from django.conf import settings

from omnify.lib.clock import now as clock
from omnify.promises import scene
from omnify.promises.outcome import Outcome
from omnify.simulator.client import SimulatorClient
from omnify.simulator.wiring import simulated_accounts
from omnify.tenants.context import tenant_context
from sequences.delivery import dispatch
from sequences.models import Message
from sequences.reconcile import Timing, reconcile

SIZES = {"quick": 24, "full": 300}
# Shrunk together: a request 2 s < grace; and the grace above the listing's lag.
TIMING = Timing(
    claim_stale=timedelta(seconds=20), grace=timedelta(seconds=3), between_looks=timedelta(seconds=1),
    give_up=timedelta(minutes=10),
)  # fmt: skip
LAG = 1.5
OPEN = ("ready", "deferred", "claimed", "sending", "unknown")


def prove_backlog(scale: str, seed: int) -> Outcome:
    """Tried: messages whose fate nobody knew. Failed: those received twice, matched with another's record, taken for sent and
    never received, or still unknown at the end."""
    count = SIZES[scale]
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    simulator = SimulatorClient(settings.SIMULATOR_URL)
    made = scene.make(clock(), word="backlog")
    simulator.configure(simulated_accounts())
    simulator.faults(
        [
            {"match": {"op": "create"}, "do": {"listing_lag_s": LAG}},
            {"match": {"op": "create", "probability": 0.5}, "do": "accept_then_reset"},
            {"match": {"op": "create"}, "do": "reset"},
            {"match": {"op": "list"}, "do": "status_500"},
        ]
    )
    words = [f"Hello, number {n % 3}" for n in range(count)]
    chance.shuffle(words)
    # Answers to people who wrote to us: those are bound by no hours, whenever this runs.
    for contact, text in zip(made.people(count), words, strict=True):
        made.message(contact, chance.choice(("sms", "sms", "voice")), purpose="reply", body=text)
    dispatch(["sms", "voice"], now=clock, budget_seconds=60, threads=8)
    unknown = _states(made)["unknown"]
    for _ in range(2):  # while the list is down nothing may be concluded
        time.sleep(TIMING.grace.total_seconds())
        reconcile(clock(), batch=count, timing=TIMING, budget_seconds=60)
    resolved_blindly = unknown - _states(made)["unknown"]
    simulator.clear()
    _settle(made, count)
    wrong = _wrong(made, simulator)
    wrong += [f"{resolved_blindly} settled while the provider listed nothing"] * bool(resolved_blindly)
    print(*wrong, dict(_states(made)), sep="\n", flush=True)
    simulator.close()
    ended = ", ".join(f"{number} {state}" for state, number in sorted(_states(made).items()))
    return Outcome(unknown, len(wrong), f"unknown, list down, then late: {ended} {wrong[0] if wrong else ''}".strip())


def _settle(made: scene.Scene, count: int) -> None:
    until = time.monotonic() + 60 + count / 2
    while time.monotonic() < until:
        reconcile(clock(), batch=count, timing=TIMING, budget_seconds=60)
        dispatch(["sms", "voice"], now=clock, budget_seconds=60, threads=8)
        if not any(_states(made)[state] for state in OPEN):
            return
        time.sleep(0.5)


def _states(made: scene.Scene) -> Counter[str]:
    with tenant_context(made.tenant.pk):
        return Counter(Message.objects.values_list("state", flat=True))


def _wrong(made: scene.Scene, simulator: SimulatorClient) -> list[str]:
    """The judge: what the provider says it accepted under our mark, and what people received."""
    accepted = {record["mark"]: record["provider_id"] for record in simulator.ledger(record="accepted")}
    received = Counter(record["mark"] for record in simulator.ledger())
    with tenant_context(made.tenant.pk):
        rows = list(Message.objects.values_list("public_id", "state", "provider_id"))
    wrong = [f"received {times} times: {mark}" for mark, times in received.items() if times > 1]
    for public_id, state, provider_id in rows:
        mark = str(public_id)
        if provider_id and provider_id != accepted.get(mark):
            wrong.append(f"{mark} was matched with another's {provider_id}")
        if state in OPEN:
            wrong.append(f"{mark} is still {state}")
        if state in ("accepted", "sent", "delivered") and mark not in accepted:
            wrong.append(f"{mark} is {state} and nobody has it")
    return wrong
