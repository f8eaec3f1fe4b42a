"""A whole tenant on one clock, with a provider that judges: each thing it accepts is held against every promise at once.

What is asked of the ledger is asked when something is accepted: twice? after their STOP? without consent? outside the law? over
the cap? while another was uncertain? resent without proof? while the database was frozen? Whatever is wrong is in `wrong`.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode

from django.conf import settings

from contacts.actions import create_contact, update_contact
from contacts.importing import jobs, passes
from contacts.models import Contact
from contacts.permissions import give_consent, revoke_consent, suppress
from omnify.promises import pretending, scene
from omnify.promises.lawbook import outside_the_law
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences import rereading, thawing
from sequences.enrolling import enroll
from sequences.inbound import apply_waiting
from sequences.models import Enrollment, Message, ProviderEvent, SendEpoch, Sequence
from sequences.transports.base import Absent, CannotSay, Found, Listed, Logged, Outbound, Receipt, Taken
from sequences.transports.listing import Reader
from tests.making import start_import
from tests.promises import snapshot

# A Wednesday, 18:00 in New York and 15:00 in Los Angeles: for some the evening closes soon.
START = datetime(2026, 11, 18, 23, 0, tzinfo=UTC)
CAP = 3
MARKETING = "Step "
# The worker dies during the request: what the provider makes of it.
DEATHS = {"accept_then_die": "accept", "die": "timeout"}
STEPS = (
    ({"kind": "sms", "body": "Step one for {{ first_name }}"}, {"kind": "wait", "config": {"hours": 1}},
     {"kind": "email", "subject": "Hello", "body": "Step two for {{ first_name }}"},
     {"kind": "sms", "body": "Step three for {{ first_name }}"}),
    ({"kind": "voice", "subject": "Step four", "body": "Step four for {{ first_name }}", "config": {"first_message": "Step four"}},
     {"kind": "sms", "body": "Step five for {{ first_name }}"}),
    ({"kind": "sms", "body": "Step six for {{ first_name }}"},),
)  # fmt: skip
# The epoch that the environment names when a house is built.
EPOCH = 1
NEVER = 1 << 60
PLACES = (("America/New_York", "US-NY"), ("America/New_York", "US-FL"), ("America/Los_Angeles", "US-CA"), ("", ""))


@dataclass
class Judge(pretending.Provider):
    """The provider, and what it finds wrong with what it is given."""

    house: "House" = None  # type: ignore[assignment]
    clean_looks: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    uncertain: set[str] = field(default_factory=set)

    def send(self, outbound: Outbound) -> Receipt:
        again = self.requests[outbound.mark]
        before = len(self.ledger)
        if (
            again
            and outbound.mark in self.uncertain
            and (self.clean_looks[outbound.mark] < 2 or outbound.channel == "voice")
        ):
            self.house.wrong.append(f"sent again without proof: {outbound.text}")
        drawn, usual = self.mood(outbound), self.mood
        self.mood = lambda _: DEATHS.get(drawn, drawn)
        try:
            receipt = super().send(outbound)
            if drawn in DEATHS:
                self.uncertain.add(outbound.mark)
                raise SystemExit("This worker is no more.")
            return receipt
        except pretending.Uncertain:
            self.uncertain.add(outbound.mark)
            if drawn in DEATHS:
                raise SystemExit("This worker is no more.") from None
            raise
        finally:
            self.mood = usual
            for got in self.ledger[before:]:
                self.house.judge(got)

    def find(self, outbound: Outbound, since: datetime, until: datetime, taken: Taken) -> Found | Absent | CannotSay:
        answer = super().find(outbound, since, until, taken)
        self.clean_looks[outbound.mark] += isinstance(answer, Absent)
        return answer


@dataclass
class House:
    """One tenant, its people (`humans`: whose address is whose, by contact), and what has happened to them."""

    scene: scene.Scene
    sequences: list[Sequence]
    people: list[Contact]
    now: datetime = START
    frozen: bool = False
    wrong: list[str] = field(default_factory=list)
    provider: Judge = field(init=False)
    humans: dict[str, int] = field(default_factory=dict)
    where: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    said: list[tuple[datetime, dict[str, str]]] = field(default_factory=list)
    stopped: dict[str, int] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)
    withdrawn: dict[tuple[int, str], int] = field(default_factory=dict)
    kept: tuple[dict[str, int], dict[tuple[int, str], int]] = field(default_factory=lambda: ({}, {}))
    twins: set[str] = field(default_factory=set)
    claimed: dict[str, int] = field(default_factory=dict)
    moment: int = 0
    ranks: dict[str, int] = field(default_factory=dict)
    backup: snapshot.Backup | None = None
    reshaped: bool = False

    def __post_init__(self) -> None:
        self.provider = Judge(now=lambda: self.now, house=self)
        for contact in self.people:
            self.where[contact.pk] = (tuple(contact.zones), tuple(contact.places or ()))
            self.humans |= {contact.phone: contact.pk, contact.email: contact.pk}

    @property
    def tenant_id(self) -> int:
        return self.scene.tenant.pk

    @contextmanager
    def lived_in(self) -> Iterator[None]:
        """Inside, every transport and every list is the judge's, and the epoch is this house's own."""

        def reader_for(provider: str) -> Reader | None:
            kinds = {"twilio": ("inbound",), "vapi": (), "postmark": ()}[provider]
            return Reader(kinds, self.heard_since, partial(self.left, provider))

        with (
            pretending.in_place_of_all(self.provider),
            mock.patch.object(thawing, "reader_for", reader_for),
            mock.patch.object(rereading, "reader_for", reader_for),
            mock.patch.object(settings, "SEND_EPOCH", EPOCH),
        ):
            yield

    # --- the judge ---

    def judge(self, got: pretending.Got) -> None:
        if self.frozen:
            self.wrong.append(f"accepted while frozen: {got.text}")
        if sum(each.mark == got.mark for each in self.provider.ledger) > 1:
            self.wrong.append(f"the same message twice: {got.text}")
        if not got.text.startswith(MARKETING):
            return
        step = self._step(got)
        same = [each for each in self.provider.ledger if each.to == got.to and self._step(each) == step]
        if len(same) > 1:
            self.wrong.append(f"the same step twice to {got.to}: {step}")
        claimed = self.claimed.get(got.mark, self.moment)
        if got.channel != "email" and min(self.stopped.get(got.to, NEVER), self.noted.get(got.to, NEVER)) < claimed:
            self.wrong.append(f"claimed after STOP: {got.text} to {got.to}")
        if self.withdrawn.get((self.humans[got.to], got.channel), NEVER) < claimed:
            self.wrong.append(f"claimed without consent: {got.text} to {got.to}")
        self._judge_law(got)
        self._judge_cap(got)

    def _step(self, got: pretending.Got) -> str:
        return " ".join(got.text.split()[:4]) if got.text.startswith(MARKETING) else got.mark

    def _judge_law(self, got: pretending.Got) -> None:
        zones, places = self.where[self.humans[got.to]]
        for moment in (got.at, got.latest):
            if problem := outside_the_law(moment, zones, places, got.channel):
                self.wrong.append(f"outside the law ({problem}) at {moment}: {got.text}")

    def _judge_cap(self, got: pretending.Got) -> None:
        human = self.humans[got.to]
        lately = [
            each
            for each in self.provider.ledger
            if self.humans.get(each.to) == human and each.text.startswith(MARKETING)
            and timedelta(0) <= got.at - each.at < timedelta(hours=24)
        ]  # fmt: skip
        if len(lately) > CAP:
            self.wrong.append(f"{len(lately)} in a day to {human}")

    def check(self) -> None:
        """What must hold between any two rules; raises AssertionError with everything that is wrong."""
        with tenant_context(self.tenant_id):
            rows = list(Message.objects.values_list("public_id", "status_rank", "state", "contact_id"))
        flying: dict[int, int] = defaultdict(int)
        for public_id, rank, state, contact_id in rows:
            mark = str(public_id)
            if rank < self.ranks.get(mark, 0):
                self.wrong.append(f"{mark} went back from {self.ranks[mark]} to {rank}")
            self.ranks[mark] = rank
            flying[contact_id] += state in ("claimed", "sending", "unknown")
        self.wrong += [f"{number} at once to contact {pk}" for pk, number in flying.items() if number > 1]
        assert not self.wrong, "\n".join(self.wrong)

    # --- what others do ---

    def receive(self, form: dict[str, str], *, kind: str = "inbound", mark: str = "") -> None:
        """A verified webhook of Twilio's, stored and applied."""
        with tenant_context(self.tenant_id):
            ProviderEvent.objects.create(
                sender=self.scene.senders["sms"], provider="twilio", kind=kind, mark=mark, body=urlencode(form),
                event_key=form["MessageSid"] if kind == "inbound" else str(uuid.uuid4()), received_at=self.now,
            )  # fmt: skip
        apply_waiting(self.now)

    def says(self, contact: Contact, text: str) -> None:
        form = {
            "MessageSid": f"SM{uuid.uuid4().hex}", "From": contact.phone, "To": self.scene.senders["sms"].address, "Body": text,
        }  # fmt: skip
        self.said.append((self.now, form))
        self.receive(form)

    def says_from(self, number: str, text: str) -> None:
        """Whoever holds this number now, whether we know them or not."""
        self.says(Contact(phone=number), text)
        self.stopped.setdefault(number, self.moment)

    def asks_a_member_to_stop(self, contact: Contact) -> None:
        """Said to a member, who notes it; their sequences go on by other channels."""
        suppress(
            tenant_id=self.tenant_id, address=contact.phone, channels=("sms", "voice"), reason="asked_us", source="member",
            quote="on the phone", now=self.now, actor="member:1",
        )  # fmt: skip
        self.noted.setdefault(contact.phone, self.moment)

    def takes_back_consent(self, contact: Contact, channel: str) -> None:
        with tenant_context(self.tenant_id):
            revoke_consent(contact_id=contact.pk, channel=channel, now=self.now, actor="member:1")
        self.withdrawn.setdefault((contact.pk, channel), self.moment)

    def gets_another_number(self, contact: Contact) -> None:
        """A member writes down a new number; what was made ready goes to the old one."""
        self.reshaped = True
        number = f"+1212{6_000_000 + len(self.humans):07d}"
        with tenant_context(self.tenant_id):
            update_contact(contact, {"phone": number}, actor="member:1", now=self.now)
        self.humans[contact.phone] = contact.pk

    def gets_a_twin(self, contact: Contact) -> None:
        """Somebody types the number in once more, with a consent, and enrols them."""
        self.reshaped = True
        self.twins.add(contact.phone)
        with tenant_context(self.tenant_id):
            twin = create_contact({"first_name": "Twin", "phone": contact.phone}, actor="member:1", now=self.now)
            give_consent(
                contact_id=twin.pk, address=contact.phone, channel="sms", kind="pewc_text", source="A form", now=self.now,
                actor="member:1", text_shown="Yes",
            )  # fmt: skip
        enroll(self.sequences[2], [twin.pk], by="member:1", now=self.now)

    def united(self, keep: Contact, gone: Contact) -> None:
        """Two contacts are one person now, wherever either of them was thought to be."""
        self.reshaped = True
        self.withdrawn = {key: when for key, when in self.withdrawn.items() if key[0] not in (keep.pk, gone.pk)}
        mine, theirs = self.where[keep.pk], self.where[gone.pk]
        self.where[keep.pk] = (tuple({*mine[0], *theirs[0]}), tuple({*mine[1], *theirs[1]}))
        self.humans = {address: keep.pk if pk == gone.pk else pk for address, pk in self.humans.items()}
        self.people = [keep if contact.pk == gone.pk else contact for contact in self.people]

    def import_list(self, folder: Path) -> None:
        """Everybody's row again, with consent to everything, as a member would import it."""
        lines = ["First name,Email,Phone,SMS consent"]
        lines += [f"{contact.first_name},{contact.email},{contact.phone},yes" for contact in self.people]
        path = folder / "list.csv"
        path.write_text("\n".join(lines))
        with tenant_context(self.tenant_id):
            job = jobs.start_upload(path, file_name="list.csv", by=self.scene.owner, now=self.now)
            mapping = {int(index): target for index, target in job.mapping.items()}
            consent = {"basis": "column", "source": "A form"}
            jobs.set_mapping(
                job,
                mapping,
                consent=consent,
                duplicates="update",
                region="US",
                tags=[],
                by=self.scene.owner,
                now=self.now,
            )
            jobs.start_review(job, by=self.scene.owner, now=self.now)
        passes.run(self.tenant_id, job.pk, now=self.now)
        with tenant_context(self.tenant_id):
            job.refresh_from_db()
            start_import(job, by=self.scene.owner, signed_by=self.scene.owner, now=self.now)
        passes.run(self.tenant_id, job.pk, now=self.now)
        self.withdrawn = {
            key: when for key, when in self.withdrawn.items() if key[1] != "sms"
        }  # the list says they agree

    def back_up(self) -> None:
        self.backup = snapshot.take(self.tenant_id, self.now)
        self.kept = (dict(self.noted), dict(self.withdrawn))

    def restore(self) -> None:
        """The database is as it was at the backup, and the operator has raised the epoch."""
        assert self.backup is not None
        snapshot.restore(self.backup)
        self.noted, self.withdrawn = map(dict, self.kept)  # type: ignore[assignment]  # no provider knows what members noted
        settings.SEND_EPOCH += 1
        self.frozen = True
        self.ranks.clear()

    def heard_since(self, account: Any, kind: str, since: datetime, until: datetime) -> Iterator[Listed]:
        for at, form in self.said:
            if self._is_ours(account) and since <= at <= until:
                yield Listed("inbound", urlencode(form).encode(), at, "application/x-www-form-urlencoded")

    def _is_ours(self, account: Any) -> bool:
        """Whether this account is of this house: earlier ones have left theirs in the database."""
        own = [sender.credentials for sender in self.scene.senders.values()]
        return dict(account.credentials) in own

    def left(self, provider: str, account: Any, since: datetime, until: datetime) -> Iterator[Logged]:
        """What left through a provider, as its log shows it: Twilio's knows nothing of our marks."""
        channel = {"twilio": "sms", "vapi": "voice", "postmark": "email"}[provider]
        for got in self.provider.ledger:
            if self._is_ours(account) and got.channel == channel and since <= got.at <= until:
                yield Logged(
                    got.provider_id, pretending.FIRST_WORD[channel], got.to, got.at, got.text, "Hello",
                    "" if provider == "twilio" else got.mark,
                )  # fmt: skip

    def leave(self) -> None:
        """Nothing of this house is due any more, so that the next one can be judged alone."""
        with tenant_context(self.tenant_id):
            Enrollment.objects.update(next_run_at=None)
            Message.objects.exclude(state__in=("delivered", "undelivered")).update(state="cancelled", claim_token=None)
            ProviderEvent.objects.update(state="done")
        SendEpoch.objects.all().delete()


def build() -> House:
    """Four people in four places, three sequences, one sender a channel; at most CAP touches a day."""
    made = scene.make(START, word=f"house{uuid.uuid4().hex[:8]}")
    Tenant.objects.filter(pk=made.tenant.pk).update(caps={"person": {"all": {"day": CAP}}})
    with tenant_context(made.tenant.pk):
        mail = made.senders["email"]
        mail.provider = "postmark"
        mail.set_credentials({"server_token": made.tenant.slug})
        mail.save()
    people = [
        made.people(1, zones=[zone] if zone else [], places=[place] if place else [])[0] for zone, place in PLACES
    ]
    return House(made, [made.sequence(*steps, name=f"Story {n}") for n, steps in enumerate(STEPS)], people)
