"""Many workers at once against every limit: the drivers that `manage.py promises` runs, on less, and what they lean on."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from omnify.promises import limits as proofs
from omnify.promises import scene
from omnify.promises.pretending import Provider
from omnify.tenants.models import Tenant
from sequences import guards, switches
from sequences.claiming import Claim, claim_one, tenants_with_work
from sequences.delivery import deliver, dispatch, mark_sending
from sequences.models import Message, SendEpoch, Sender, Spending, VoiceSlot
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)


def together(wire: Wire, channel: str, workers: int = 16) -> list[Any]:
    """What so many workers claim that begin at once, each until there is nothing."""
    barrier = threading.Barrier(workers)

    def run() -> list[Any]:
        try:
            barrier.wait(30)
            found, claims = claim_one(channel, wire.tenant_id, wire.now), []
            while isinstance(found, Claim):
                claims.append(found)
                found = claim_one(channel, wire.tenant_id, wire.now)
            return claims
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        return [claim for each in [pool.submit(run) for _ in range(workers)] for claim in each.result()]


@pytest.mark.parametrize(
    ("channel", "allowance", "most"),
    [("sms", {"per_second": 7}, 7), ("sms", {"per_day": 9}, 9), ("voice", {"max_concurrent": 5}, 5)],
)
def test_sixteen_workers_take_no_more_than_there_is(
    wire: Wire, channel: str, allowance: dict[str, Any], most: int
) -> None:
    Sender.objects.all_tenants().filter(pk=wire.senders[channel].pk).update(**allowance)
    for _ in range(30):
        wire.ready(channel, expires_at=wire.now + timedelta(hours=1))
    claims = together(wire, channel)
    assert len(claims) == most == Message.objects.all_tenants().filter(state="claimed").count()
    if channel == "voice":
        assert VoiceSlot.objects.all_tenants().count() == most


def test_sixteen_workers_spend_no_more_money_than_a_day_has(wire: Wire) -> None:
    Tenant.objects.filter(pk=wire.tenant_id).update(caps={"money_per_day": "0.1"})
    for _ in range(30):
        wire.ready()
    assert len(together(wire, "sms")) == 8
    assert float(Spending.objects.all_tenants().get().amount) == pytest.approx(8 * 0.0113)


def test_sixteen_workers_take_one_message_for_a_number_that_many_contacts_have(wire: Wire) -> None:
    first = wire.contact()
    for contact in (first, *(wire.contact(phone=first.phone) for _ in range(15))):
        wire.ready("sms", contact)
    assert len(together(wire, "sms")) == 1


@pytest.mark.parametrize("driver", ["caps_under_workers", "switch_flips", "epoch_refuses"])
def test_the_proof_finds_nothing(people: Any, driver: str) -> None:
    outcome = getattr(proofs, driver)("quick", 7)
    assert outcome.tried > 0
    assert outcome.failed == 0, outcome.note


def test_the_proof_would_find_a_person_over_the_cap(people: Any, wire: Wire) -> None:
    from omnify.promises.pretending import Got

    contact = wire.contact()
    got = [Got("m", "sms", contact.phone, "", wire.now + timedelta(hours=n), wire.now, str(n)) for n in (0, 1, 30)]
    assert proofs.over_caps(got, [contact]) == []
    assert proofs.over_caps([*got, Got("m", "sms", contact.phone, "", wire.now, wire.now, "x")], [contact])


def test_a_worker_frozen_between_claim_and_request_finds_the_switch(wire: Wire, provider: Provider) -> None:
    Sender.objects.all_tenants().filter(pk=wire.senders["sms"].pk).update(per_day=5)
    message = wire.ready()
    claim = claim_one("sms", wire.tenant_id, wire.now)
    assert isinstance(claim, Claim)
    assert switches.switch_off("sms", by="pat", reason="a wrong text", now=wire.now)
    assert deliver(claim, wire.at()) == ""
    assert provider.ledger == []
    assert refreshed(message).state == "ready"
    assert Spending.objects.all_tenants().get().used == 0
    assert switches.switch_on("sms", by="pat", reason="put right", now=wire.now)
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30, threads=1) == 1


@pytest.mark.parametrize(
    ("key", "channels"), [("all", set()), ("sms", {"email", "voice"}), ("voice", {"sms", "email"})]
)
def test_a_switch_stops_its_channel_and_no_other(wire: Wire, key: str, channels: set[str]) -> None:
    for channel in ("sms", "email", "voice"):
        wire.ready(channel)
    switches.switch_off(key, by="pat", reason="a wrong text", now=wire.now)
    assert not switches.switch_off(key, by="sam", reason="too", now=wire.now)
    assert {each for each in ("sms", "email", "voice") if tenants_with_work(each, wire.now)} == channels
    held = claim_one("voice" if key == "voice" else "sms", wire.tenant_id, wire.now)
    assert getattr(held, "reason", "") == f"switch:{key}"
    row = next(each for each in switches.switches() if each.key == key)
    assert (row.off, row.by, row.reason) == (True, "pat", "a wrong text")


def test_there_is_no_switch_of_another_name() -> None:
    with pytest.raises(ValueError, match="fax"):
        switches.switch_off("fax", by="pat", reason="", now=None)  # type: ignore[arg-type]


def test_a_frozen_worker_cannot_keep_a_switch_from_being_turned_off(wire: Wire, monkeypatch: Any) -> None:
    from django.db import connection, transaction

    from omnify.lib import gate

    monkeypatch.setattr(gate, "WAIT", "50ms")
    holding, release = threading.Event(), threading.Event()

    def freeze() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [gate.GATE])
                holding.set()
                assert release.wait(20)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        frozen = pool.submit(freeze)
        assert holding.wait(20)
        assert switches.switch_off("all", by="pat", reason="", now=wire.now)
        release.set()
        frozen.result(20)
    assert switches.stopped("sms") is not None


def test_a_database_of_another_epoch_says_so_and_keeps_its_messages(
    wire: Wire, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from sequences import epochs

    message = wire.ready()
    assert epochs.frozen() == ""
    settings.SEND_EPOCH = 2
    monkey = epochs._said.copy()
    epochs._said.clear()
    assert "epoch 1" in epochs.frozen()
    assert "thaw" in epochs.frozen()
    for seconds in (0, 30, 61):
        assert tenants_with_work("sms", wire.now + timedelta(seconds=seconds)) == []
    assert sum("frozen" in record.message for record in caplog.records) == 2
    assert claim_one("sms", wire.tenant_id, wire.now) is None
    assert (refreshed(message).state, refreshed(message).state_reason) == ("ready", "")
    SendEpoch.objects.create(epoch=2)
    assert isinstance(claim_one("sms", wire.tenant_id, wire.now), Claim)
    epochs._said |= monkey


def test_a_claim_of_an_epoch_that_ended_is_not_sent(wire: Wire, settings: Any) -> None:
    wire.ready()
    claim = claim_one("sms", wire.tenant_id, wire.now)
    assert isinstance(claim, Claim)
    settings.SEND_EPOCH = 2
    assert not mark_sending(claim, wire.now)


@pytest.mark.parametrize("guard", [guard.__name__ for guard in guards.GUARDS])
def test_a_guard_that_breaks_sends_nothing(
    wire: Wire, provider: Provider, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    def broken(facts: Any, now: Any) -> None:
        raise ZeroDivisionError

    chosen = tuple(broken if each.__name__ == guard else each for each in guards.GUARDS)
    monkeypatch.setattr(guards, "GUARDS", chosen)
    message = wire.ready()
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30, threads=1) == 0
    assert provider.ledger == []
    assert refreshed(message).state_reason == "guard_failed: ZeroDivisionError"


@pytest.mark.parametrize("broken", [{"person": {"sms": {"day": "three"}}}, {"money_per_day": "much"}])
def test_caps_that_cannot_be_read_send_nothing(wire: Wire, provider: Provider, broken: dict[str, Any]) -> None:
    Tenant.objects.filter(pk=wire.tenant_id).update(caps=broken)
    message = wire.ready()
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30, threads=1) == 0
    assert provider.ledger == []
    assert refreshed(message).state_reason == "guard_failed: BadLimits"


def test_spending_that_breaks_sends_nothing(wire: Wire, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    from sequences import spending

    Sender.objects.all_tenants().update(per_day=5)
    monkeypatch.setattr(spending, "SPEND", "SELECT 1/0")
    message = wire.ready()
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30, threads=1) == 0
    assert provider.ledger == []
    assert refreshed(message).state == "deferred"


def test_a_bot_that_answers_every_answer_hears_three(people: Any, wire: Wire) -> None:
    assert proofs.bot_loop(scene.make(wire.now), wire.now) == 3
