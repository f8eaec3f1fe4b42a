"""A restored database sends nothing until it has learnt from the providers what left since, and then nothing a second time."""

import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from contacts.models import Contact, Interaction
from contacts.permissions import suppressed
from omnify.promises.restoring import back_up, restore
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Notification
from sequences import relogging
from sequences.delivery import deliver, dispatch
from sequences.engine import tick
from sequences.models import Enrollment, Message, SendEpoch, Sender, Task
from sequences.thawing import CannotThaw, thaw
from tests.making import make_enrollment, make_sequence
from tests.wire.wiring import Wire, at_all_hours, refreshed, with_own_accounts

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)
STEPS = (
    {"kind": "sms", "body": "One for {{ first_name }}"},
    {"kind": "wait", "config": {"minutes": 1}},
    {"kind": "sms", "body": "Two for {{ first_name }}"},
)


@pytest.fixture(autouse=True)
def _own_database(own_database: None) -> None:
    """It is copied and put back while nobody else may be connected."""


@pytest.fixture
def now() -> datetime:
    """The simulator dates what it accepts by the real clock: these tests live in the present."""
    return datetime.now(UTC)


@pytest.fixture
def wire(wire: Wire) -> Wire:
    return with_own_accounts(wire)


@pytest.fixture(autouse=True)
def _open_and_uncapped(always_open: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _uncapped(monkeypatch)


def later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=6)


def go(wire: Wire, at: datetime) -> int:
    """One round of everything that decides and sends; returns how many were sent."""
    tick(at)
    return sum(dispatch([channel], now=lambda: at, budget_seconds=30) for channel in ("sms", "email", "voice"))


def got(wire: Wire, people: list[Contact]) -> Counter[tuple[str, str]]:
    """(person, words) -> how often they received them, as the simulator has it."""
    phones = {person.phone for person in people}
    return Counter((line["to"], line["body"]) for line in wire.simulator.ledger(kind="sms") if line["to"] in phones)


def thawed(wire: Wire, since: datetime, **options: Any) -> Any:
    given: dict[str, Any] = {"without": [wire.senders["email"].name], "by": "alice"}
    return thaw(since=since, now=later, **given | options)


def enrolled(wire: Wire, count: int, *steps: dict[str, Any]) -> tuple[list[Contact], list[Enrollment]]:
    sequence = make_sequence(wire.people.acme, wire.now, *(steps or STEPS), name=f"S{count}")
    people = [wire.contact() for _ in range(count)]
    return people, [make_enrollment(sequence, person, wire.now) for person in people]


@pytest.mark.parametrize("ticks", [True, False], ids=["decided-again-while-frozen", "untouched-while-frozen"])
def test_nobody_gets_a_step_again_after_a_restore(wire: Wire, settings: Any, ticks: bool) -> None:
    people, enrolments = enrolled(wire, 6)
    assert go(wire, wire.now) == 6
    copy = back_up()
    backup_at = datetime.now(UTC)
    assert go(wire, wire.now + 2 * MINUTE) == 6
    assert sum(got(wire, people).values()) == 12
    restore(copy)
    settings.SEND_EPOCH = 2
    for minute in range(3, 6) if ticks else ():
        go(wire, wire.now + minute * MINUTE)
    assert dispatch(["sms"], now=lambda: wire.now + 5 * MINUTE, budget_seconds=30) == 0
    assert sum(got(wire, people).values()) == 12
    told = thawed(wire, backup_at)
    assert told.found == {"known": 6, "matched" if ticks else "added": 6}
    for minute in (10, 60, 60 * 24):
        go(wire, wire.now + minute * MINUTE)
    assert set(got(wire, people).values()) == {1}
    assert sum(got(wire, people).values()) == 12
    # Every touch of the lost time is in the conversation.
    ids = [person.pk for person in people]
    assert Interaction.objects.all_tenants().filter(contact_id__in=ids, direction="outbound").count() == 12
    held = list(Enrollment.objects.all_tenants().filter(pk__in=[e.pk for e in enrolments]))
    if not ticks:
        assert all(each.needs_human_intervention for each in held)
        tasks = Task.objects.all_tenants().filter(contact_id__in=ids)
        assert {task.contact_id for task in tasks} == set(ids)
        assert "after the backup was made" in tasks[0].body
        assert Notification.objects.all_tenants().filter(title__startswith="6 people").count() == 1


def test_what_waits_expires_and_an_answer_of_the_lost_time_is_obeyed(wire: Wire, settings: Any) -> None:
    waiting, claimed = wire.ready(), wire.ready()
    Message.objects.all_tenants().filter(pk=claimed.pk).update(state="claimed")
    stopper = wire.contact()
    copy = back_up()
    backup_at = datetime.now(UTC)
    wire.simulator.reply(stopper.phone, "sms", "please stop texting me", to=wire.senders["sms"].address)
    restore(copy)
    settings.SEND_EPOCH = 2
    told = thawed(wire, backup_at)
    assert (told.expired, told.heard) == (2, 1)
    assert {(refreshed(each).state, refreshed(each).state_reason) for each in (waiting, claimed)} == {
        ("expired", "restored")
    }
    with tenant_context(wire.tenant_id):
        assert suppressed(wire.tenant_id, [("sms", stopper.phone)])


@pytest.mark.parametrize("channel", ["voice", "email"])
def test_calls_and_mails_of_the_lost_time_are_found_by_their_mark(wire: Wire, settings: Any, channel: str) -> None:
    if channel == "email":
        sender = Sender.objects.all_tenants().get(pk=wire.senders["email"].pk)
        sender.provider = "postmark"
        sender.set_credentials({"server_token": wire.token})
        sender.save()
    known = wire.ready(channel)
    copy = back_up()
    backup_at = datetime.now(UTC)
    lost = wire.ready(channel)
    for _ in range(2):
        assert deliver(wire.claim(channel), wire.at()) == "accepted"
    restore(copy)
    settings.SEND_EPOCH = 2
    told = thaw(
        since=backup_at, by="alice", now=later, without=[] if channel == "email" else [wire.senders["email"].name]
    )
    assert (told.found["matched"], told.found["added"]) == (1, 1)
    assert refreshed(known).provider_id
    again = Message.objects.all_tenants().get(public_id=lost.public_id)
    assert (again.contact_id, again.to_address) == (lost.contact_id, lost.to_address)
    assert again.status_rank >= 10
    assert again.sending_started_at is not None
    assert len(wire.received(known)) == len(wire.received(lost)) == 1


def test_without_a_log_it_stays_frozen_until_the_operator_says_so(wire: Wire, settings: Any) -> None:
    settings.SEND_EPOCH = 2
    with pytest.raises(CannotThaw, match="a mail server keeps no log") as why:
        thawed(wire, wire.now - MINUTE, without=[])
    assert wire.senders["email"].name in str(why.value)
    assert not SendEpoch.objects.exists()
    wire.simulator.faults([{"match": {"provider": "twilio", "op": "list"}, "do": "status_500"}])
    with pytest.raises(CannotThaw, match="Twilio's list"):
        thawed(wire, wire.now - MINUTE)
    assert not SendEpoch.objects.exists()
    wire.simulator.clear()
    thawed(wire, wire.now - MINUTE)
    row = SendEpoch.objects.get()
    assert (row.epoch, row.thawed_by) == (2, "alice")
    with pytest.raises(CannotThaw, match="Nothing to thaw"):
        thawed(wire, wire.now - MINUTE)


@pytest.mark.parametrize("where", ["sequences.relogging.note", "sequences.thawing._hear", "sequences.thawing._expire"])
def test_a_thaw_that_died_can_be_run_again(
    wire: Wire, settings: Any, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    people, _ = enrolled(wire, 3)
    go(wire, wire.now)
    copy = back_up()
    backup_at = datetime.now(UTC)
    go(wire, wire.now + 2 * MINUTE)
    restore(copy)
    settings.SEND_EPOCH = 2
    _die_after(monkeypatch, where)
    with pytest.raises(SystemExit):
        thawed(wire, backup_at)
    assert not SendEpoch.objects.exists()
    monkeypatch.undo()
    at_all_hours(monkeypatch)
    _uncapped(monkeypatch)
    settings.SEND_EPOCH = 2
    thawed(wire, backup_at)
    go(wire, wire.now + 60 * MINUTE)
    assert set(got(wire, people).values()) == {1}
    ids = [person.pk for person in people]
    assert Task.objects.all_tenants().filter(contact_id__in=ids).count() == 3
    assert Interaction.objects.all_tenants().filter(contact_id__in=ids).count() == 6


def test_a_person_who_was_lost_with_the_database_stays_known(wire: Wire, settings: Any) -> None:
    copy = back_up()
    backup_at = datetime.now(UTC)
    lost = wire.ready()
    deliver(wire.claim(), wire.at())
    restore(copy)
    settings.SEND_EPOCH = 2
    assert thawed(wire, backup_at).found == {"added": 1}
    again = Message.objects.all_tenants().get(to_address=lost.to_address)
    assert again.body == lost.body
    assert Contact.objects.all_tenants().get(pk=again.contact_id).last_outbound_at is not None


def test_the_command_says_what_it_did_and_refuses_a_time_without_a_zone(wire: Wire, settings: Any) -> None:
    settings.SEND_EPOCH = 2
    out = io.StringIO()
    with pytest.raises(CommandError, match="zone"):
        call_command("thaw", since="2026-11-18T04:00:00")
    with pytest.raises(CommandError, match="Still frozen"):
        call_command("thaw", since="2026-11-18T04:00:00+00:00", stdout=out)
    call_command(
        "thaw", since="2026-11-18T04:00:00+00:00", by="Alice", without=[wire.senders["email"].name], stdout=out
    )
    said = out.getvalue()
    assert "not read, as you said" in said
    assert "Thawed: the database is of epoch 2 now" in said
    assert SendEpoch.objects.get().thawed_by == "Alice"


def test_the_words_of_a_finding_name_every_kind() -> None:
    found = Counter({relogging.KNOWN: 1, relogging.MATCHED: 2, relogging.ADDED: 3, relogging.ELSEWHERE: 4})
    assert all(str(count) in relogging.in_words(found) for count in (1, 2, 3, 4))
    assert relogging.in_words(Counter()) == ""


def _die_after(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    module, _, name = where.rpartition(".")
    import importlib

    real: Callable[..., Any] = getattr(importlib.import_module(module), name)

    def dies(*args: Any) -> Any:
        real(*args)
        raise SystemExit

    monkeypatch.setattr(where, dies)


def _uncapped(monkeypatch: pytest.MonkeyPatch) -> None:
    from sequences import guards

    monkeypatch.setattr(guards, "GUARDS", tuple(guard for guard in guards.GUARDS if guard.__name__ != "caps"))
    monkeypatch.setattr("sequences.plan.hours", lambda *_: None)
