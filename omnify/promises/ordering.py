"""G8, the second half: a provider's reports come ten times at once, in every order, before our own note and after the end of
what they speak of; there is one final state, and every effect happens once."""

import itertools
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.db import connections

from contacts.models import Contact, Interaction, Suppression
from omnify.lib.clock import now as clock
from omnify.lib.ids import public_id
from omnify.promises import knocking, scene
from omnify.promises.knocking import Knock, at_the_door
from omnify.promises.outcome import Outcome
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences import states
from sequences.inbound import apply_waiting
from sequences.models import Message, ProviderEvent
from sequences.outcome import apply_report

STATUSES = ("queued", "sending", "sent", "undelivered", "delivered", "read")
TIMES = 10
# How many orders of the six: a sample, or all 720, each also with our own note in their middle.
ORDERS = {"quick": 20, "full": 720}
WORKERS = 3


def prove_orders(scale: str, seed: int) -> Outcome:
    """Tried: reports and texts, each delivery counted. Failed: messages with another final state than their reports say, and
    effects that happened twice or never."""
    dice, made = _dice(seed), scene.make(clock())
    wrong: list[str] = []
    tried = _reports(made, dice, ORDERS[scale], wrong)
    tried += _texts(made, 10 if scale == "quick" else 100, wrong)
    tried += _strays(made, wrong)
    return Outcome(tried, len(wrong), f"deliveries, each {TIMES} times; seed {seed} {'; '.join(wrong[:5])}".strip())


def _dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (a proof must be repeatable, not secret)


def _reports(made: scene.Scene, dice: random.Random, orders: int, wrong: list[str]) -> int:
    """Every chosen order of the six statuses for a message of its own. Half of the messages are in the database before their
    first report; of the others the first two reports come before it. Our own note of the answer comes in their middle."""
    chosen = list(itertools.permutations(STATUSES))
    dice.shuffle(chosen)
    # Shorter sets too: "delivered" need not be among them.
    subsets = [list(each) for size in (1, 2, 3) for each in itertools.permutations(STATUSES[:4], size)]
    journeys = [list(each) for each in chosen[:orders]] + (subsets if orders > 100 else dice.sample(subsets, 10))
    people = made.people(len(journeys))
    marks = [public_id() for _ in journeys]
    late = {n for n in range(len(journeys)) if n % 2}
    rows = {n: _sent(made, people[n], marks[n]) for n in range(len(journeys)) if n not in late}
    tried = 0
    for turn in range(len(STATUSES)):
        if turn == 2:
            rows |= {n: _sent(made, people[n], marks[n]) for n in late}
            _apply(clock() + timedelta(minutes=11))
        knocks = [
            knocking.twilio(
                made.senders["sms"], f"status/{marks[n]}", {"MessageSid": _sid(n), "MessageStatus": each[turn]}
            )
            for n, each in enumerate(journeys)
            if turn < len(each)
        ]
        tried += _ten_times(knocks, dice, wrong)
        _apply()
        if turn == 3:
            for n, row in rows.items():
                _note_answer(made, row, _sid(n))
    for n, row in rows.items():
        if len(journeys[n]) <= 3:
            _note_answer(made, row, _sid(n))
    _apply(clock() + timedelta(minutes=30))
    _judge_messages(made, journeys, rows, wrong)
    return tried


def _sent(made: scene.Scene, contact: Contact, mark: object) -> Message:
    return made.message(
        contact, public_id=mark, state="sending", sending_started_at=made.now, attempt=1, provider="", provider_id=""
    )


def _sid(n: int) -> str:
    return f"SM{n:032x}"


def _note_answer(made: scene.Scene, message: Message, sid: str) -> None:
    """What our own request was answered, written down late."""
    report = states.report("twilio", "queued")
    assert report is not None  # noqa: S101
    apply_report(
        tenant_id=made.tenant.pk, message_id=message.pk, provider="twilio", provider_id=sid, report=report, now=clock()
    )


def _ten_times(knocks: list[Knock], dice: random.Random, wrong: list[str]) -> int:
    everything = knocks * TIMES
    dice.shuffle(everything)
    answers = Counter(at_the_door(everything))
    if set(answers) != {200}:
        wrong.append(f"the door answered {dict(answers)}")
    return len(everything)


def _apply(now: datetime | None = None) -> None:
    """Several workers at once, until nothing that is new is left."""

    def work() -> None:
        try:
            while apply_waiting(now or clock(), budget_seconds=20):
                if not ProviderEvent.objects.all_tenants().filter(state="new").exists():
                    return
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        for each in [pool.submit(work) for _ in range(WORKERS)]:
            each.result()


def _judge_messages(made: scene.Scene, journeys: list[list[str]], rows: dict[int, Message], wrong: list[str]) -> None:
    ids = [row.pk for row in rows.values()]
    with tenant_context(made.tenant.pk):
        now = {row.pk: row for row in Message.objects.filter(pk__in=ids)}
        touches = Counter(Interaction.objects.filter(message_id__in=ids).values_list("message_id", flat=True))
        failures = Counter(
            Event.objects.filter(kind="message.failed", subject_id__in=ids).values_list("subject_id", flat=True)
        )
        stored = Counter(ProviderEvent.objects.filter(kind="status").values_list("mark", flat=True))
    for n, row in rows.items():
        reports = [each for word in [*journeys[n], "queued"] if (each := states.report("twilio", word))]
        highest = max(reports, key=lambda report: report.rank)
        after = now[row.pk]
        if (after.state, after.status_rank) != (highest.state, highest.rank):
            wrong.append(f"{journeys[n]} ended in {after.state} ({after.status_rank})")
        if touches[row.pk] != 1 or failures[row.pk] > 1:
            wrong.append(f"{journeys[n]}: {touches[row.pk]} touches, {failures[row.pk]} failures")
        if stored[str(after.public_id)] != len(journeys[n]):
            wrong.append(f"{journeys[n]}: {stored[str(after.public_id)]} events stored")
        if after.provider_id != _sid(n):
            wrong.append(f"{journeys[n]} belongs to {after.provider_id}")


def _texts(made: scene.Scene, count: int, wrong: list[str]) -> int:
    """Answers and STOPs, each ten times at once."""
    people = made.people(count)
    words = ["STOP" if n % 2 else "Yes, call me" for n in range(count)]
    knocks = [
        knocking.twilio(
            made.senders["sms"],
            "inbound",
            {"MessageSid": f"SM9{n:031x}", "From": person.phone, "To": made.senders["sms"].address, "Body": words[n]},
        )
        for n, person in enumerate(people)
    ]
    tried = _ten_times(knocks, _dice(count), wrong)
    _apply()
    with tenant_context(made.tenant.pk):
        for n, person in enumerate(people):
            row = Contact.objects.get(pk=person.pk)
            heard = Interaction.objects.filter(contact=person, direction="inbound").count()
            stopped = Suppression.objects.filter(address=person.phone, channel="sms", lifted_at__isnull=True).count()
            confirmations = Message.objects.filter(contact=person, purpose="confirmation").count()
            if (heard, row.inbound_count, stopped) != (1, 1, n % 2) or confirmations > n % 2:
                wrong.append(
                    f"{words[n]!r}: heard {heard}, counted {row.inbound_count}, stopped {stopped}, told {confirmations}"
                )
    return tried


def _strays(made: scene.Scene, wrong: list[str]) -> int:
    """Reports on what is not there: a message nobody has, and one of a person who was deleted meanwhile."""
    (gone,) = made.people(1)
    message = _sent(made, gone, public_id())
    from contacts.actions import delete_contact

    with tenant_context(made.tenant.pk):
        delete_contact(gone, actor="proof", now=clock())
    knocks = [
        knocking.twilio(made.senders["sms"], f"status/{mark}", {"MessageSid": sid, "MessageStatus": "delivered"})
        for mark, sid in ((message.public_id, "SM" + "a" * 32), (public_id(), "SM" + "b" * 32))
    ]
    tried = _ten_times(knocks, _dice(1), wrong)
    _apply()
    with tenant_context(made.tenant.pk):
        message.refresh_from_db()
        deleted = Contact.objects.get(pk=gone.pk)
        waiting = ProviderEvent.objects.filter(state="unmatched").count()
        if message.state != "delivered" or deleted.first_name or deleted.deleted_at is None:
            wrong.append(f"the report on a deleted person's message: {message.state}, {deleted.first_name!r}")
        if waiting != 1:
            wrong.append(f"{waiting} events wait for a message nobody has")
    _apply(clock() + timedelta(hours=25))
    with tenant_context(made.tenant.pk):
        if ProviderEvent.objects.exclude(state="done").exists():
            wrong.append("an event about nothing is still waiting after a day")
    return tried
