"""G3: sixteen workers stop, claim, import, merge, edit and start again for the same people at once; no claim may follow a stop.

Judged by the order of the commits themselves (omnify.promises.turnstile). One Python runs on one core, so several gangs of sixteen
race side by side, each with people of its own, in a process each.
"""

import itertools
import multiprocessing
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, OperationalError, connections, transaction

from contacts.actions import create_contact, update_contact
from contacts.importing.passes import run as run_import
from contacts.merging import MergeBlocked, merge
from contacts.models import Contact, ImportJob
from contacts.permissions import give_consent
from omnify.promises import scene, turnstile
from omnify.promises.outcome import Outcome
from omnify.promises.rows import MOMENT
from omnify.promises.scene import Scene
from omnify.tenants.context import tenant_context
from sequences import inbound, matching, optouts
from sequences.claiming import Claim, claim_one
from sequences.definitions import pause_sequence, resume_sequence
from sequences.engine import tick
from sequences.enrolling import NotEnrollable, enroll
from sequences.models import Message, ProviderEvent, Sequence

WORKERS, GANGS = 16, 2
STOPS = {"quick": 48, "full": 10_000}
CROWD = 6
# One person of each crowd has so many texts waiting when they say stop.
QUEUED = 50
_numbers = itertools.count(1)


def prove_stop(scale: str, seed: int) -> Outcome:
    """Tried: opt-outs, each in a race with claims of texts to the same number. Failed: claims that committed after one.

    Raises RuntimeError when nothing was claimed at all: then nothing was proven.
    """
    turnstile.install()
    try:
        connections.close_all()  # no gang may inherit one
        with ProcessPoolExecutor(GANGS, multiprocessing.get_context("fork")) as gangs:
            shares = [(n, -(-STOPS[scale] // GANGS), seed + n) for n in range(GANGS)]
            done = sum(gangs.map(_race, shares), Counter[str]())
        notes = turnstile.notes()
    finally:
        turnstile.remove()
    claims = sum(what == "claimed" for what, *_ in notes)
    if not claims:
        raise RuntimeError("No text was claimed: the race had one runner.")
    late = turnstile.after_stop(notes)
    others = ", ".join(f"{number} {what}" for what, number in sorted(done.items()) if what != "stop")
    return Outcome(done["stop"], len(late), f"{WORKERS} workers, {claims} claims, {others}; seed {seed}")


def _race(share: tuple[int, int, int]) -> Counter[str]:
    """One gang's race: (which gang, how many stops at least, its seed); what its workers have done, how often."""
    gang, stops, seed = share
    global _numbers  # noqa: PLW0603 (a process of its own: two gangs must not draw the same numbers)
    _numbers = itertools.count(gang * scene.FAR_APART + 1)
    scene.count_from(gang * scene.FAR_APART + 1)
    chance, done = random.Random(seed), Counter[str]()  # noqa: S311 (repeatable on purpose)
    with ThreadPoolExecutor(WORKERS) as workers:
        while done["stop"] < stops:
            _round(Crowd.gathered(CROWD), chance, done, workers)
        everybody = threading.Barrier(WORKERS)
        for leaving in [workers.submit(_leave, everybody) for _ in range(WORKERS)]:
            leaving.result()
    connections.close_all()
    return done


@dataclass
class Crowd:
    """People of one tenant, each a number that one to three contacts have, in two spellings, with texts waiting for them."""

    scene: Scene
    sequence: Sequence
    other: Sequence
    numbers: list[str]
    strangers: list[Contact] = field(default_factory=list)

    @classmethod
    def gathered(cls, count: int) -> "Crowd":
        made = scene.make(MOMENT)
        first = made.sequence(name="First", allow_reentry=True)
        crowd = cls(made, first, made.sequence(name="Second", allow_reentry=True), [])
        people = made.people(count)
        crowd.numbers = [contact.phone for contact in people]
        more = made.people(count // 2)
        for number in crowd.numbers[1::2]:
            people += made.people(1, phone=f"({number[2:5]}) {number[5:8]}-{number[8:]}")
        for contact, number in zip(more, crowd.numbers[::2], strict=False):
            with tenant_context(made.tenant.pk):
                Contact.objects.filter(pk=contact.pk).update(alternative_phone=number)
        crowd.strangers = made.people(count // 3)
        everybody = [*people, *more, *crowd.strangers]
        for sequence in (first, crowd.other):
            made.enrolled(sequence, everybody)
        while tick(MOMENT).decided:
            pass
        with tenant_context(made.tenant.pk):
            Message.objects.bulk_create(_waiting(made, people[0]) for _ in range(QUEUED))
        return crowd

    @property
    def tenant_id(self) -> int:
        return self.scene.tenant.pk

    def stop(self, number: str, chance: random.Random) -> None:
        if chance.random() < 0.25:  # the whole way from the stored event; the rest of the time its last part
            self._text(number, "STOP")
            return
        with tenant_context(self.tenant_id), transaction.atomic():
            optouts.opt_out(
                matching.people_at(number), tenant_id=self.tenant_id, address=number, channels=optouts.PHONE,
                reason=optouts.OPTED_OUT, source="sms", quote="STOP", now=MOMENT,
            )  # fmt: skip

    def start(self, number: str, chance: random.Random) -> None:
        self._text(number, "START")

    def _text(self, number: str, word: str) -> None:
        n = next(_numbers)
        with tenant_context(self.tenant_id):
            event = ProviderEvent.objects.create(
                sender=self.scene.senders["sms"], provider="twilio", kind="inbound", event_key=f"proof-{n}",
                body=f"MessageSid=SM{n}&From=%2B{number[1:]}&To=%2B15005550006&Body={word}", received_at=MOMENT,
            )  # fmt: skip
        inbound.apply(event.pk, MOMENT, tenant_id=self.tenant_id)

    def claim(self, number: str, chance: random.Random) -> None:
        """Takes what is longest due, and lets the next message of the person follow at once."""
        found = claim_one("sms", self.tenant_id, MOMENT)
        if isinstance(found, Claim):
            with tenant_context(self.tenant_id):
                Message.objects.filter(pk=found.id).update(state="sent")

    def create(self, number: str, chance: random.Random) -> None:
        """Somebody types the number in once more, notes a consent and enrols them at once."""
        with tenant_context(self.tenant_id), transaction.atomic():
            contact = create_contact({"first_name": "Typed", "phone": number}, actor="proof", now=MOMENT)
            give_consent(
                contact_id=contact.pk, address=number, channel="sms", kind="pewc_text", source="proof", now=MOMENT,
                actor="proof", text_shown="Yes",
            )  # fmt: skip
            Contact.objects.filter(pk=contact.pk).update(
                zones=["America/New_York"], places=["US-NY"], country="US", state="NY"
            )
        self._enroll([contact.pk])

    def load(self, number: str, chance: random.Random) -> None:
        """A list with the number, everybody in it agreed; in half of them a neighbour is opted out."""
        text = f"phone,name,out\n{number[2:]},Listed,\n+1213{2_000_000 + next(_numbers)},Out,{'yes' if chance.random() < 0.5 else ''}\n"
        place = Path(settings.MEDIA_ROOT) / f"proof-{next(_numbers)}.csv"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        with tenant_context(self.tenant_id):
            job = ImportJob.objects.create(
                file_name=place.name, file_path=place.name, file_size=len(text), encoding="utf-8", delimiter=",",
                header=["phone", "name", "out"], mapping={"0": "phone", "1": "first_name", "2": "opted_out"},
                consent={"basis": "stated", "channels": {"sms": "pewc_text"}, "source": "proof"}, state="importing",
            )  # fmt: skip
        run_import(self.tenant_id, job.pk, now=MOMENT)
        with tenant_context(self.tenant_id):
            self._enroll(list(Contact.objects.filter(phone=number).values_list("pk", flat=True)))

    def merge(self, number: str, chance: random.Random) -> None:
        with tenant_context(self.tenant_id):
            same = list(Contact.objects.alive().filter(phone__in=(number, number[2:]))[:4])
            if not same:
                return
            stranger = Contact.objects.alive().filter(pk=chance.choice(self.strangers).pk).first()
            pair = [chance.choice(same), *([stranger] if stranger else same[:1])]
            chance.shuffle(pair)
            if pair[0].pk != pair[1].pk:
                merge(pair[0], pair[1], by="proof", now=MOMENT)

    def edit(self, number: str, chance: random.Random) -> None:
        """The number wanders to somebody who waits for a text of their own."""
        with tenant_context(self.tenant_id):
            stranger = Contact.objects.alive().filter(pk=chance.choice(self.strangers).pk).first()
            if stranger is not None:
                update_contact(
                    stranger, {chance.choice(("phone", "alternative_phone")): number}, actor="proof", now=MOMENT
                )
                self._enroll([stranger.pk])

    def restart(self, number: str, chance: random.Random) -> None:
        with tenant_context(self.tenant_id):
            sequence = Sequence.objects.get(pk=self.sequence.pk)
            pause_sequence(sequence, by=self.scene.owner, now=MOMENT)
            resume_sequence(sequence, by=self.scene.owner, now=MOMENT)
            self._enroll(list(Contact.objects.filter(phone=number).values_list("pk", flat=True)))

    def _enroll(self, ids: list[int]) -> None:
        enroll(self.other, ids, by="proof", now=MOMENT, force=True)
        tick(MOMENT)


Deed = Callable[[str, random.Random], None]


def _waiting(made: Scene, contact: Contact) -> Message:
    return Message(
        tenant=made.tenant, contact=contact, channel="sms", to_address=contact.phone, body="Hello", sender=made.senders["sms"],
        state_at=MOMENT, created_at=MOMENT, not_before=MOMENT, expires_at=MOMENT + timedelta(hours=4),
    )  # fmt: skip


def _round(crowd: Crowd, chance: random.Random, done: Counter[str], workers: ThreadPoolExecutor) -> None:
    """Every number says stop once; all else happens around it, in an order nobody knows."""
    rare = ("create", "load", "merge", "edit", "restart", "start")
    deeds = [("stop", number) for number in crowd.numbers] + [("claim", number) for number in crowd.numbers * 6]
    deeds += [(chance.choice(rare), number) for number in crowd.numbers * 2]
    chance.shuffle(deeds)
    seeds = [chance.random() for _ in range(WORKERS)]
    working = [
        workers.submit(_work, crowd, deeds[n::WORKERS], random.Random(seeds[n]), done)  # noqa: S311
        for n in range(WORKERS)
    ]
    for each in working:
        each.result()


def _work(crowd: Crowd, deeds: list[tuple[str, str]], chance: random.Random, done: Counter[str]) -> None:
    for what, number in deeds:
        deed: Deed = getattr(crowd, what)
        try:
            _until_it_is_done(deed, number, chance, done)
        except (MergeBlocked, NotEnrollable):
            continue  # refused, as it should be
        done[what] += 1


def _leave(everybody: threading.Barrier) -> None:
    """Each worker closes its own connection: none goes on to the next task before all have one."""
    everybody.wait(30)
    connections.close_all()


def _until_it_is_done(deed: Deed, number: str, chance: random.Random, done: Counter[str]) -> None:
    """As the workers do: who lost a deadlock tries again."""
    for _ in range(20):
        try:
            return deed(number, chance)
        except OperationalError:
            done["deadlock"] += 1
    raise DatabaseError(f"Twenty deadlocks in a row at {number}.")
