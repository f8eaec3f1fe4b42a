"""G9: events and messages that raise, or kill the worker that touches them: set aside after two crashes, the others go on."""

import os
import random
import signal
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import urlencode

from contacts.models import Interaction
from omnify.promises import pretending, scene, workers
from omnify.promises.outcome import Outcome
from omnify.tenants.context import tenant_context
from sequences import delivery, inbound
from sequences.delivery import dispatch
from sequences.inbound import apply_waiting
from sequences.models import Message, ProviderEvent
from sequences.reconcile import reconcile
from sequences.webhooks import twilio

NOON = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
KILLS, RAISES = "this one kills", "this one raises"
MOST_CRASHES = 2
# (events, messages, poison among each)
SIZES = {"quick": (60, 24, 3), "full": (3_000, 600, 30)}


def prove_parked(scale: str, seed: int) -> Outcome:
    """Tried: events and messages. Failed: healthy ones that did not get through, poison that did or that still waits, and
    every death beyond two for each that kills."""
    events, messages, poison = SIZES[scale]
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    made = scene.make(NOON)
    wrong = _events(made, events, poison, chance) + _messages(made, messages, poison, chance)
    print(*wrong, sep="\n", flush=True)
    told = f"events and messages, {4 * poison} of them poison"
    return Outcome(events + messages, len(wrong), f"{told} {wrong[0] if wrong else ''}".strip())


def _events(made: scene.Scene, count: int, poison: int, chance: random.Random) -> list[str]:
    people = made.people(count)
    words = [KILLS] * poison + [RAISES] * poison + ["Good morning"] * (count - 2 * poison)
    chance.shuffle(words)
    with tenant_context(made.tenant.pk):
        for n, (contact, text) in enumerate(zip(people, words, strict=True)):
            form = {"MessageSid": f"SM{n:032x}", "From": contact.phone, "To": made.senders["sms"].address, "Body": text}
            ProviderEvent.objects.create(
                sender=made.senders["sms"], provider="twilio", kind="inbound", event_key=f"inbound:{n}",
                body=urlencode(form), received_at=NOON,
            )  # fmt: skip
    deaths = _until_quiet(lambda now: _apply(now), lambda: _waiting(made), MOST_CRASHES * poison + 10)
    with tenant_context(made.tenant.pk):
        states = dict(ProviderEvent.objects.values_list("body", "state"))
        heard = Interaction.objects.filter(direction="inbound").count()
    wrong = [
        f"an event with {body[-30:]} is {state}"
        for body, state in states.items()
        if state != ("parked" if "this+one" in body else "done")
    ]
    if heard != count - 2 * poison:
        wrong.append(f"{heard} of {count - 2 * poison} texts are in conversations")
    return wrong + ["a death too many"] * max(0, deaths - MOST_CRASHES * poison)


def _apply(now: datetime) -> None:
    def parse(kind: str, body: str, mark: str) -> Any:
        _take(body.replace("+", " "))
        return twilio.parse(kind, body, mark)

    with mock.patch.dict(inbound.PARSERS, {"twilio": SimpleNamespace(parse=parse)}):
        apply_waiting(now, budget_seconds=30)


def _waiting(made: scene.Scene) -> bool:
    with tenant_context(made.tenant.pk):
        return bool(ProviderEvent.objects.filter(state__in=("new", "unmatched")).exists())


def _messages(made: scene.Scene, count: int, poison: int, chance: random.Random) -> list[str]:
    """Poison before the wire: what makes a message ready to send raises or kills."""
    words = [KILLS] * poison + [RAISES] * poison + ["Good morning"] * (count - 2 * poison)
    chance.shuffle(words)
    rows = [
        made.message(contact, purpose="reply", body=f"{text} {n}")
        for n, (contact, text) in enumerate(zip(made.people(count), words, strict=True))
    ]
    ids = [row.pk for row in rows]

    def open_still() -> bool:
        with tenant_context(made.tenant.pk):
            return bool(Message.objects.filter(pk__in=ids, state__in=("ready", "deferred", "claimed")).exists())

    deaths = _until_quiet(_send, open_still, MOST_CRASHES * poison + 10)
    with tenant_context(made.tenant.pk):
        states = dict(Message.objects.filter(pk__in=ids).values_list("body", "state"))
    wrong = [
        f"a message with “{body}” is {state}"
        for body, state in states.items()
        if state != ("held" if "this one" in body else "accepted")
    ]
    return wrong + ["a death too many"] * max(0, deaths - MOST_CRASHES * poison)


def _send(now: datetime) -> None:
    usual = delivery.outbound_for

    def outbound_for(claim: Any, at: datetime) -> Any:
        _take(claim.message.body)
        return usual(claim, at)

    provider = pretending.Provider(now=lambda: now)
    with pretending.in_place_of_all(provider), mock.patch.object(delivery, "outbound_for", outbound_for):
        reconcile(now)
        dispatch(["sms"], now=lambda: now, budget_seconds=30, threads=1)


def _take(text: str) -> None:
    if KILLS in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if RAISES in text:
        raise ValueError("Nobody has ever seen such a thing.")


def _until_quiet(work: Any, still_open: Any, most: int) -> int:
    """Worker after worker, ten minutes apart for them, until nothing waits; returns how many died."""
    deaths, now = 0, NOON
    for _ in range(most + 5):
        deaths += workers.outlived(workers.forked(lambda at=now: work(at))) == workers.DIED  # type: ignore[misc]
        if not still_open():
            break
        now += timedelta(minutes=2)
    return deaths
