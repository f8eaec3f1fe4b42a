"""Whatever happens in whatever order: the provider's ledger, not our own tables, says whether a promise was broken.

Hypothesis draws the stories and shrinks one that breaks a promise to its shortest form. Everybody's checks tell the same
stories; OMNIFY_STORY_SEED=n tells others, OMNIFY_STORIES=full many and long ones, from a seed that is printed.
tests/promises/test_guards.py takes suppression, consent and hours away in turn: each is missed, in words of its own. That caps,
the epoch or the proof of absence are missed when they alone are taken away is not shown here: other proofs try them.
"""

import contextlib
import os
import secrets
import tempfile
import uuid
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from contacts.merging import MergeBlocked, merge
from omnify.promises import pretending
from omnify.tenants.context import tenant_context
from sequences import definitions, drafting, publishing, thawing
from sequences.claiming import Claim, claim_one
from sequences.delivery import deliver
from sequences.engine import tick
from sequences.enrolling import enroll
from sequences.enrollments import pause_enrollment, resume_enrollment
from sequences.models import Enrollment, Execution, Message, Step, Task
from sequences.receipts import sentence
from sequences.reconcile import reconcile
from sequences.relogging import TITLE
from tests.promises.house import DEATHS, House, build

pytestmark = pytest.mark.django_db(transaction=True)

# How many stories, and how long each.
SIZES = {"quick": (25, 30), "full": (100, 60)}
SIZE = os.environ.get("OMNIFY_STORIES") or "quick"
EXAMPLES, STEPS = SIZES[SIZE]
# A failure in somebody's checks is of their change, and can be looked at again.
USUAL_SEED = 20261121
# Shrinking takes Hypothesis up to five minutes.
LONGEST = {"quick": 900, "full": 3600}[SIZE]
CHANNELS = ("sms", "email", "voice")
STATUSES = ("queued", "sending", "sent", "delivered", "undelivered", "failed", "read", "canceled", "nonsense")
WORDS = ("STOP", "stop", "please stop texting me", "Sounds good", "who is this?", "HELP")
people, stories = strategies.integers(0, 3), strategies.integers(0, 2)
channels = strategies.sampled_from(CHANNELS)
moods = strategies.lists(
    strategies.sampled_from(("accept", "accept", *pretending.MOODS, *DEATHS)), min_size=6, max_size=6
)
STOPS = ("STOP", "stop", "please stop texting me")
# How people say no so that their sequences are not ended by it.
NOES = ("to a member", "to a member", "from a number they had", "sms", "voice")
# How much the stories held: a story in which nothing is sent can break nothing.
TOLD: Counter[str] = Counter()


class Story(RuleBasedStateMachine):
    """One tenant's life. Rules are what people, members, providers, workers, operators and clocks do.

    A rule that cannot be followed just now does nothing, and none has a precondition: rows have other numbers each time, and
    people's turns follow from them, so what is possible in a story may differ when it is told again; what is drawn must not.
    """

    house: House

    @initialize()
    def move_in(self) -> None:
        self.house = build()
        self.around = self.house.lived_in()
        self.around.__enter__()
        self.held: list[Claim] = []
        self.enrolled = {(contact.pk, 0) for contact in self.house.people}
        enroll(self.house.sequences[0], [pk for pk, _ in self.enrolled], by="member:1", now=self.house.now)
        self.decide_and_send(["accept"] * 6, 0)

    # --- members ---

    @rule(who=people, story=stories)
    def enrol(self, who: int, story: int) -> None:
        contact = self.house.people[who]
        if (contact.pk, story) not in self.enrolled:
            self.enrolled.add((contact.pk, story))
            enroll(self.house.sequences[story], [contact.pk], by="member:1", now=self.house.now)

    @rule(who=people, pause=strategies.booleans())
    def pause_or_resume_a_person(self, who: int, pause: bool) -> None:
        with tenant_context(self.house.tenant_id):
            looked_at = set(Task.objects.filter(title=TITLE).values_list("contact_id", flat=True))
            for enrollment in Enrollment.objects.filter(contact_id=self.house.people[who].pk):
                if pause:
                    pause_enrollment(enrollment, by="member:1", now=self.house.now)
                elif enrollment.contact_id not in looked_at:  # there a member decides where they go on
                    resume_enrollment(enrollment, by="member:1", now=self.house.now)

    @rule(story=stories, pause=strategies.booleans())
    def pause_or_resume_a_sequence(self, story: int, pause: bool) -> None:
        verb = definitions.pause_sequence if pause else definitions.resume_sequence
        with tenant_context(self.house.tenant_id):
            verb(self.house.sequences[story], by=self.house.scene.owner, now=self.house.now)

    @rule(story=stories, word=strategies.sampled_from(("now", "today", "again")))
    def edit_and_publish(self, story: int, word: str) -> None:
        sequence, by, now = self.house.sequences[story], self.house.scene.owner, self.house.now
        with tenant_context(self.house.tenant_id):
            draft = drafting.ensure_draft(sequence, by=by, now=now)
            step = Step.objects.filter(version=draft, kind="sms").order_by("position").first()
            assert step is not None
            body = f"{step.body.partition(' (')[0]} ({word})"
            drafting.update_step(draft, step.key, revision=draft.revision, by=by, now=now, body=body)
            publishing.publish(sequence, by=by, now=now)

    @rule(keep=people, gone=people)
    def unite_two(self, keep: int, gone: int) -> None:
        one, other = self.house.people[keep], self.house.people[gone]
        if one.pk == other.pk:
            return
        try:
            if not merge(one, other, by="member:1", now=self.house.now):
                return
        except MergeBlocked:
            return
        self.house.united(one, other)
        self.enrolled |= {(one.pk, story) for contact, story in self.enrolled if contact == other.pk}

    @rule()
    def import_everybody_again(self) -> None:
        self.house.import_list(Path(tempfile.mkdtemp()))

    # --- people and providers ---

    @rule(who=people, text=strategies.sampled_from(WORDS))
    def say(self, who: int, text: str) -> None:
        contact = self.house.people[who]
        self.house.says(contact, text)
        if text in STOPS:
            self.house.stopped.setdefault(contact.phone, self.house.moment)

    @rule(who=people)
    def say_start(self, who: int) -> None:
        contact = self.house.people[who]
        if contact.phone not in self.house.twins:  # of two contacts with one number each has caps of its own
            self.house.says(contact, "START")
            self.house.stopped.pop(contact.phone, None)
            self.house.noted.pop(contact.phone, None)

    @rule(who=people, no=strategies.sampled_from(NOES), drawn=moods)
    def say_no_after_the_decision(self, who: int, no: str, drawn: list[str]) -> None:
        """What is ready stays ready: nothing but the guards is between it and the wire."""
        contact = self.house.people[who]
        self.decide()
        match no:
            case "to a member":
                self.house.asks_a_member_to_stop(contact)
            case "from a number they had" if not self.house.reshaped:
                former = contact.phone
                self.house.gets_another_number(contact)
                self.house.says_from(former, "STOP")
            case "sms" | "voice":
                self.house.takes_back_consent(contact, no)
        for channel in CHANNELS:
            self.send(channel, drawn)

    @rule(who=people)
    def type_a_stopped_number_in_again(self, who: int) -> None:
        contact = self.house.people[who]
        if contact.phone in self.house.stopped and contact.phone not in self.house.twins:
            self.house.gets_a_twin(contact)
            self.decide()
            self.send("sms", ["accept"] * 6)

    @rule(which=strategies.integers(0, 40), status=strategies.sampled_from(STATUSES), forged=strategies.booleans())
    def report(self, which: int, status: str, forged: bool) -> None:
        """Any status, in any order, as often as it likes; a forged one names what does not exist."""
        texts = [got for got in self.house.provider.ledger if got.channel == "sms"]
        if forged or not texts:
            form = {"MessageSid": f"SM{uuid.uuid4().hex}", "MessageStatus": status}
            self.house.receive(form, kind="status", mark=str(uuid.uuid4()))
            return
        got = texts[which % len(texts)]
        code = {"ErrorCode": "30003"} if status in ("undelivered", "failed") else {}
        form = {"MessageSid": got.provider_id, "MessageStatus": status, "To": got.to, **code}
        self.house.receive(form, kind="status", mark=got.mark)

    # --- workers ---

    @rule()
    def decide(self) -> None:
        tick(self.house.now)

    @rule(channel=channels, drawn=moods)
    def send(self, channel: str, drawn: list[str]) -> None:
        left = iter(drawn)
        self.house.provider.mood = lambda _: next(left, "accept")
        for _ in drawn:
            claim = self._claim(channel)
            if claim is None:
                break
            self._deliver(claim)

    @rule(drawn=moods, minutes=strategies.sampled_from((0, 1, 25)))
    def decide_and_send(self, drawn: list[str], minutes: int) -> None:
        """Workers at work, as they always are."""
        self.house.now += timedelta(minutes=minutes)
        self.decide()
        for channel in CHANNELS:
            self.send(channel, drawn)

    @rule(drawn=moods)
    def work_through_an_evening(self, drawn: list[str]) -> None:
        for _ in range(4):
            self.decide_and_send(drawn, 40)
            reconcile(self.house.now)

    @rule(drawn=moods, hours=strategies.sampled_from((1, 2, 3)))
    def send_what_was_decided_hours_ago(self, drawn: list[str], hours: int) -> None:
        self.decide()
        self.house.now += timedelta(hours=hours)
        for channel in CHANNELS:
            self.send(channel, drawn)

    @rule(channel=channels, drawn=moods)
    def say_stop_while_a_worker_dies_with_their_message(self, channel: str, drawn: list[str]) -> None:
        """What it had claimed goes back, and must not leave any more."""
        self.decide()
        claim = self._claim(channel)
        if claim is None:
            return
        who = [contact.pk for contact in self.house.people].index(claim.message.contact_id)
        self.say(who, "STOP")
        self.house.now += timedelta(seconds=61)
        reconcile(self.house.now)
        self.send(channel, drawn)

    @rule(channel=channels)
    def claim_and_freeze(self, channel: str) -> None:
        claim = self._claim(channel)
        if claim is not None:
            self.held.append(claim)

    @rule()
    def go_on_with_what_was_frozen(self) -> None:
        if self.held:
            self.house.provider.mood = lambda _: "accept"
            self._deliver(self.held.pop())

    @rule(lists=strategies.sampled_from(("all", "all", "down")))
    def ask_providers(self, lists: str) -> None:
        self.house.provider.lists = lists
        reconcile(self.house.now)

    # --- operators and clocks ---

    @rule(seconds=strategies.sampled_from((1, 30, 61, 130, 600, 3600, 2 * 3600, 86_400, 3 * 86_400)))
    def time_passes(self, seconds: int) -> None:
        self.house.now += timedelta(seconds=seconds)

    @rule(seconds=strategies.sampled_from((1, 5, 90)))
    def the_clock_is_set_back(self, seconds: int) -> None:
        self.house.now -= timedelta(seconds=seconds)

    @rule()
    def back_up(self) -> None:
        if not self.house.frozen:
            self.house.back_up()

    @rule(wait=strategies.booleans())
    def restore_the_backup(self, wait: bool) -> None:
        if self.house.backup is None or self.house.frozen or self.house.reshaped:
            return
        self.held.clear()  # those workers are gone with the server
        self.house.restore()
        self.decide_and_send(["accept"] * 6, 1)
        if not wait:
            self.thaw()

    @rule()
    def thaw(self) -> None:
        if not self.house.frozen:
            return
        assert self.house.backup is not None
        self.house.now += timedelta(seconds=120)
        thawing.thaw(since=self.house.backup.at, by="operator", now=lambda: self.house.now)
        self.house.frozen = False

    # --- the judge ---

    @invariant()
    def every_promise_is_kept(self) -> None:
        if hasattr(self, "house"):
            self.house.check()

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        TOLD["stories"] += 1
        TOLD["accepted"] += len(self.house.provider.ledger)
        try:
            every_message_is_explained(self.house)
        finally:
            self.house.leave()
            self.around.__exit__(None, None, None)

    def _deliver(self, claim: Claim) -> None:
        with contextlib.suppress(SystemExit):
            deliver(claim, lambda: self.house.now)

    def _claim(self, channel: str) -> Claim | None:
        for _ in range(8):
            self.house.moment += 1
            found = claim_one(channel, self.house.tenant_id, self.house.now)
            if found is None:
                return None
            if isinstance(found, Claim):
                self.house.claimed[str(found.public_id)] = self.house.moment
                return found
        return None


def every_message_is_explained(house: House) -> None:
    """Each message has the receipt of the decision that made it, in words; each that left has the permit it left with."""
    with tenant_context(house.tenant_id):
        receipts = {row.pk: row for row in Execution.objects.all()}
        for message in Message.objects.exclude(enrollment=None):
            receipt = receipts[message.execution_id or 0]
            assert (receipt.enrollment_id, receipt.step_id, receipt.decision) == (
                message.enrollment_id, message.step_id, "send",
            )  # fmt: skip
            assert sentence(receipt.decision, receipt.reason, receipt.facts)
        left = {got.mark for got in house.provider.ledger}
        for message in Message.objects.filter(public_id__in=left, attempt__gt=0).exclude(state_reason="restored"):
            assert message.permit, f"{message.body} left, and nothing says why it might"


@pytest.mark.timeout(LONGEST)
def test_no_story_breaks_a_promise(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    given = os.environ.get("OMNIFY_STORY_SEED") or (USUAL_SEED if SIZE == "quick" else secrets.randbelow(1_000_000))
    number = int(given)
    print(f"OMNIFY_STORY_SEED={number}")
    TOLD.clear()
    run_state_machine_as_test(seed(number)(Story), settings=profile())  # type: ignore[no-untyped-call]
    print(dict(TOLD))
    assert TOLD["accepted"] >= TOLD["stories"]


def profile() -> settings:
    return settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), print_blob=True, report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip
