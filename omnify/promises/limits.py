"""G5, G7, G16: caps under many workers, a sender's pace, switches that flip, an epoch that is not ours.

The judge is the provider's ledger and its clock. Workers are threads with connections of their own.
"""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import connections, transaction

from contacts.models import Contact
from omnify.promises import pretending, scene
from omnify.promises.outcome import Outcome
from omnify.tenants.actions import set_sending
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences import switches
from sequences.catchup import after_standstill
from sequences.claiming import Claim, Stopped, claim_one, tenants_with_work
from sequences.definitions import pause_sequence, resume_sequence
from sequences.delivery import deliver, dispatch
from sequences.engine import tick
from sequences.models import Enrollment, Message, SendEpoch, Sender, Spending, Wakeup
from sequences.reconcile import reconcile

NOON = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
WORKERS = 16
STEPS = ({"kind": "sms", "body": "Hello."}, {"kind": "email", "subject": "Hello", "body": "Hello."})
PERSON = {"person": {"all": {"day": 3, "week": 7}, "sms": {"day": 2}}, "money_per_day": "50"}


@dataclass
class Clock:
    """One clock for all workers; only the proof moves it."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


def caps_under_workers(scale: str, seed: int) -> Outcome:
    """People in five sequences each, sixteen workers, days that pass: no stretch of a day or a week holds more than the cap
    says, no sender sends more in a day, no tenant spends more. The plan, which would let most of them wait at their steps, knows
    of no caps here: the claim has to hold alone."""
    people, days = {"quick": (40, 4), "full": (1_000, 12)}[scale]
    made, clock, chance = scene.make(NOON, caps=PERSON), Clock(), random.Random(seed)  # noqa: S311 (repeatable on purpose)
    per_day = people * 2
    Sender.objects.all_tenants().filter(pk=made.senders["sms"].pk).update(per_day=per_day)
    contacts = made.people(people, places=["US-NY"])
    provider = pretending.Provider(
        now=clock, mood=lambda _: chance.choice(("accept",) * 6 + ("busy", "refuse", "accept_then_timeout", "timeout"))
    )
    with pretending.in_place_of_all(provider), mock.patch("sequences.plan.caps", return_value=None):
        for n in range(5):
            made.enrolled(
                made.sequence(*STEPS, {"kind": "wait", "config": {"hours": 20}}, *STEPS, name=f"S{n}"), contacts
            )
        for _ in range(days):
            while tick(clock.at).decided:
                pass
            _together(lambda: _work(clock))
            clock.at += chance.choice((HOUR, 5 * HOUR, 23 * HOUR))
            for minutes in (0, 2):
                reconcile(clock.at + timedelta(minutes=minutes), batch=1000, budget_seconds=30)
            if not 13 <= clock.at.hour <= 23:  # the night is another promise's
                clock.at = clock.at.replace(hour=15) + (DAY if clock.at.hour > 15 else timedelta(0))
    over = over_caps(provider.ledger, contacts)
    over += [
        f"sender over its day: {day}"
        for day, sent in Counter(g.at.date() for g in provider.ledger if g.channel == "sms").items()
        if sent > per_day
    ]
    over += [f"over the budget: {row}" for row in Spending.objects.all_tenants().filter(scope="tenant", amount__gt=50)]
    print(*over, sep="\n", flush=True)
    waited = Message.objects.all_tenants().filter(state_reason__startswith="cap:").count()
    note = f"sends to {people} people in 5 sequences by {WORKERS} workers; a cap stopped {waited} messages"
    return Outcome(len(provider.ledger) + waited, len(over) + (not waited), note)


def switch_flips(scale: str, seed: int) -> Outcome:
    """Sixteen workers claim without a pause while a switch, a tenant's sending or a sequence is turned off and on: nothing is
    claimed between the commit of "off" and the beginning of "on". Two machines that answer each other stop by themselves, and six
    hours' standstill is followed by no storm."""
    flips = {"quick": 24, "full": 240}[scale]
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    made = scene.make(NOON)
    sequence = made.sequence()
    provider, stop = pretending.Provider(now=lambda: NOON), threading.Event()
    claimed: list[int] = []
    late = 0
    with pretending.in_place_of_all(provider), ThreadPoolExecutor(WORKERS) as pool:
        workers = [pool.submit(_claim_on, made.tenant.pk, claimed, stop) for _ in range(WORKERS)]
        try:
            for _ in range(flips):
                before = len(claimed)  # read first: sixteen workers may take all thirty while the tick returns
                _queue(made, sequence, 30)
                off, on = _switch(chance.choice(("all", "sms", "tenant", "sequence")), made, sequence)
                _until(lambda before=before: len(claimed) >= before + 3)  # type: ignore[misc]
                with transaction.atomic():
                    off()
                    known = _claimed()  # no claim can commit between this count and the commit of "off"
                time.sleep(0.03)
                late += _claimed() - known
                on()
        finally:
            stop.set()
        for each in workers:
            each.result()
    answered, percent = bot_loop(made, NOON), first_hour(NOON + DAY)
    note = (
        f"claims by {WORKERS} workers over {flips} flips of four switches; a bot got {answered} answers; the first hour after "
        f"an outage had {percent} %"
    )
    return Outcome(len(claimed) + 2, late + (answered > 3) + (not 100 <= percent <= 110), note)


def epoch_refuses(scale: str, seed: int) -> Outcome:
    """A database that is not of the epoch the environment names claims nothing and changes nothing; then it does."""
    messages = {"quick": 200, "full": 2_000}[scale]
    made, provider = scene.make(NOON), pretending.Provider(now=lambda: NOON)
    rows = [made.message(contact) for contact in made.people(messages, places=["US-NY"])]
    expected, failed = settings.SEND_EPOCH, 0
    with pretending.in_place_of_all(provider):
        for stored, asked in ((None, 2), (1, 2), (3, 2)):
            SendEpoch.objects.all().delete()
            if stored is not None:
                SendEpoch.objects.create(epoch=stored)
            settings.SEND_EPOCH = asked
            try:
                failed += len(tenants_with_work("sms", NOON))
                failed += sum(_together(lambda: dispatch(["sms"], now=lambda: NOON, budget_seconds=2, threads=2)))
                failed += sum(found is not None for found in _together(lambda: claim_one("sms", made.tenant.pk, NOON)))
            finally:
                settings.SEND_EPOCH = expected
        untouched = Message.objects.all_tenants().filter(state="ready", state_reason="").count()
        failed += len(rows) - untouched + len(provider.ledger)
        SendEpoch.objects.all().delete()
        sent = dispatch(["sms"], now=lambda: NOON, budget_seconds=120, threads=WORKERS)
    return Outcome(3 * len(rows), failed + (sent != len(rows)), f"{len(rows)} ready messages under three wrong epochs")


def bot_loop(made: scene.Scene, now: datetime) -> int:
    """How many automatic answers somebody gets who answers each of them within ten seconds, twenty times."""
    contact = made.people(1, places=["US-NY"])[0]
    sent = 0
    for n in range(20):
        at = now + timedelta(seconds=10 * n)
        answer = made.message(contact, purpose="help", not_before=at, expires_at=at + timedelta(minutes=5))
        found = claim_one("sms", made.tenant.pk, at)
        while isinstance(found, Stopped) and found.id != answer.pk:
            found = claim_one("sms", made.tenant.pk, at)
        if isinstance(found, Claim):
            with pretending.in_place_of_all(pretending.Provider(now=Clock(at))):
                deliver(found, Clock(at))
            sent += found.id == answer.pk
    return sent


def first_hour(resumed: datetime) -> int:
    """Somebody is due every minute, and nothing was decided for six hours: what the hour after that brings, in percent."""
    made, begins = scene.make(resumed - DAY), resumed - 6 * HOUR
    mine = Enrollment.objects.all_tenants().filter(tenant=made.tenant)
    made.enrolled(made.sequence(), made.people(7 * 60, places=["US-NY"]))
    for n, pk in enumerate(mine.order_by("pk").values_list("pk", flat=True)):
        mine.filter(pk=pk).update(next_run_at=begins + n * timedelta(minutes=1))
    Wakeup.objects.update_or_create(kind="tick", defaults={"started_at": begins, "finished_at": begins})
    after_standstill(resumed)
    for minute in range(60):
        while tick(resumed + timedelta(minutes=minute)).decided:
            pass
    return round(Message.objects.all_tenants().filter(tenant=made.tenant).count() / 60 * 100)


def over_caps(ledger: list[pretending.Got], contacts: list[Contact]) -> list[str]:
    """Every stretch of time in which somebody received more than PERSON says."""
    whose = {address: contact.pk for contact in contacts for address in (contact.phone, contact.email)}
    times: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for each in ledger:
        times[whose[each.to]].append((each.at, each.channel))
    wrong = []
    for person, touches in times.items():
        for scope, caps in PERSON["person"].items():  # type: ignore[attr-defined]
            counted = sorted(at for at, channel in touches if scope in ("all", channel))
            for period, most in caps.items():
                length = DAY if period == "day" else 7 * DAY
                for first, beyond in zip(counted, counted[most:], strict=False):
                    if beyond - first < length:
                        wrong.append(f"{person}: more than {most} ({scope}) a {period}, {first} to {beyond}")
    return wrong


def _work(clock: Clock) -> int:
    return sum(dispatch([channel], now=clock, budget_seconds=30, threads=1) for channel in ("sms", "email"))


def _together(work: Callable[[], Any]) -> list[Any]:
    """The work of WORKERS threads that begin at once; their results."""
    barrier = threading.Barrier(WORKERS)

    def run() -> Any:
        try:
            barrier.wait(30)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        return [each.result() for each in [pool.submit(run) for _ in range(WORKERS)]]


def _claim_on(tenant_id: int, claimed: list[int], stop: threading.Event) -> None:
    try:
        while not stop.is_set():
            found = claim_one("sms", tenant_id, NOON)
            if isinstance(found, Claim):
                claimed.append(found.id)
            else:
                time.sleep(0.001)
    finally:
        connections.close_all()


def _claimed() -> int:
    return Message.objects.all_tenants().filter(state="claimed").count()


def _until(done: Callable[[], bool]) -> None:
    for _ in range(5000):
        if done():
            return
        time.sleep(0.002)
    raise RuntimeError("Nothing was claimed for ten seconds.")


def _queue(made: scene.Scene, sequence: Any, count: int) -> None:
    """So many messages of the sequence that are due. What an earlier flip put off is due again."""
    Message.objects.all_tenants().filter(state="deferred").update(not_before=NOON)
    made.enrolled(sequence, made.people(count, places=["US-NY"]))
    tick(NOON)


def _switch(which: str, made: scene.Scene, sequence: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    if which == "tenant":
        tenant = Tenant.objects.get(pk=made.tenant.pk)
        return (
            lambda: set_sending(tenant, enabled=False, by=made.owner, now=NOON),
            lambda: set_sending(tenant, enabled=True, by=made.owner, now=NOON),
        )
    if which == "sequence":

        def move(verb: Callable[..., bool]) -> bool:
            with tenant_context(made.tenant.pk):
                return verb(sequence, by=made.owner, now=NOON)

        return lambda: move(pause_sequence), lambda: move(resume_sequence)
    return (
        lambda: switches.switch_off(which, by="proof", reason="trying", now=NOON),
        lambda: switches.switch_on(which, by="proof", reason="tried", now=NOON),
    )
