"""Several claims in one transaction: each is asked for by itself, one person has one, and one bad row spoils no other."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, connections, transaction

from contacts.models import Suppression
from contacts.permissions import suppress
from omnify.lib.ids import public_id
from omnify.promises.pretending import Provider
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences import claiming, delivery, switches
from sequences.claiming import claim_some
from sequences.delivery import dispatch, mark_all
from sequences.models import Message, Sender, Spending
from sequences.taking import chosen
from sequences.turns import Turns
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


def row(contact: int, **more: Any) -> Any:
    usual = {"contact_id": contact, "to_address": f"+1{contact}", "free": True, "crashes": 0, "estimate": None}
    return SimpleNamespace(**usual | more)


def states(wire: Wire) -> Counter[str]:
    return Counter(Message.objects.all_tenants().filter(tenant_id=wire.tenant_id).values_list("state", flat=True))


@pytest.mark.parametrize(
    ("rows", "places"),
    [
        ([], []),
        ([row(1), row(2), row(3)], [0, 1, 2]),
        ([row(1), row(1), row(2), row(1)], [0, 2]),
        ([row(1), row(2, to_address="+11"), row(3)], [0, 2]),
        ([row(1, free=False), row(2)], [1]),
        ([row(1, free=False)], []),
        ([row(1, crashes=1), row(2)], [0]),
        ([row(1), row(2, crashes=1), row(3)], [0, 2]),
        ([row(1, estimate=1), row(2)], [0]),
        ([row(1), row(2, estimate=1)], [0]),
    ],
)
def test_who_goes_together(rows: list[Any], places: list[int]) -> None:
    assert chosen(rows) == [rows[place] for place in places]


def test_a_batch_has_one_message_a_person_and_the_other_waits(wire: Wire) -> None:
    contact = wire.contact()
    first, second, other = wire.ready("sms", contact), wire.ready("sms", contact), wire.ready()
    batch = claim_some("sms", wire.tenant_id, wire.now, most=16)
    assert {claim.id for claim in batch.claims} == {first.pk, other.pk}
    assert refreshed(second).state == "ready"
    again = claim_some("sms", wire.tenant_id, wire.now, most=16)
    assert [(each.id, each.reason) for each in again.stopped] == [(second.pk, "one_at_a_time")]


def test_each_of_a_batch_is_judged_by_itself(wire: Wire) -> None:
    closed, old, fine = wire.ready(), wire.ready(expires_at=wire.now + timedelta(seconds=1)), wire.ready()
    suppress(
        tenant_id=wire.tenant_id, address=closed.to_address, channels=["sms"], reason="opted_out", source="sms",
        now=wire.now, actor="person",
    )  # fmt: skip
    batch = claim_some("sms", wire.tenant_id, wire.now + timedelta(seconds=2), most=16)
    assert [claim.id for claim in batch.claims] == [fine.pk]
    assert {each.id: each.state for each in batch.stopped} == {old.pk: "expired", closed.pk: "suppressed"}


def test_a_guard_that_breaks_for_one_parks_that_one_alone(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [wire.ready() for _ in range(4)]
    poisoned = wire.ready(purpose="reply", not_before=wire.now - MINUTE)
    usual = claiming.judge

    def judge(facts: Any, now: Any) -> Any:
        return 1 / 0 if facts.purpose == "reply" else usual(facts, now)

    monkeypatch.setattr(claiming, "judge", judge)
    batch = claim_some("sms", wire.tenant_id, wire.now, most=16)
    assert {claim.id for claim in batch.claims} == {each.pk for each in rows}
    assert [each.reason for each in batch.stopped] == ["guard_failed: ZeroDivisionError"]
    assert (refreshed(poisoned).state, refreshed(poisoned).crashes) == ("deferred", 1)


def test_a_row_that_the_database_refuses_is_found_and_parked_alone(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [wire.ready() for _ in range(4)]
    poisoned = wire.ready(purpose="reply", not_before=wire.now - MINUTE)
    usual = claiming.permit

    def permit(facts: Any, *more: Any) -> str:
        return "not JSON" if facts.purpose == "reply" else usual(facts, *more)

    monkeypatch.setattr(claiming, "permit", permit)
    batch = claim_some("sms", wire.tenant_id, wire.now, most=16)
    assert {claim.id for claim in batch.claims} == {each.pk for each in rows}
    assert [(each.id, each.state) for each in batch.stopped] == [(poisoned.pk, "deferred")]
    assert {refreshed(each).crashes for each in rows} == {0}


def test_a_batch_keeps_the_books_of_one_sender(wire: Wire) -> None:
    """Two workers that want those of two senders in turns would wait for each other in a ring."""
    first = wire.senders["sms"]
    other = Sender.objects.all_tenants().get(pk=first.pk)
    other.pk, other.is_default, other.address, other.webhook_key = None, False, "+15005550999", "another-key"
    other.public_id = public_id()
    with tenant_context(wire.tenant_id):
        other.save(force_insert=True)
    Sender.objects.all_tenants().filter(channel="sms").update(per_day=50)
    wire.ready(), wire.ready(sender=other), wire.ready()  # noqa: B018 (three rows, in this order)
    assert [len(claim_some("sms", wire.tenant_id, wire.now, most=16).claims) for _ in range(3)] == [2, 1, 0]
    assert sorted(Spending.objects.all_tenants().values_list("used", flat=True)) == [1, 2]


def test_a_batch_takes_no_more_than_its_sender_has(wire: Wire) -> None:
    Sender.objects.all_tenants().filter(pk=wire.senders["sms"].pk).update(per_second=3)
    rows = [wire.ready() for _ in range(6)]
    batch = claim_some("sms", wire.tenant_id, wire.now, most=16)
    assert len(batch.claims) == 3
    assert [each.reason for each in batch.paced] == ["cap:sender_second"]
    assert [refreshed(each).state_reason for each in rows] == ["", "", "", "cap:sender_second", "", ""]


def test_a_persons_cap_holds_in_a_batch_as_it_does_alone(wire: Wire) -> None:
    Tenant.objects.filter(pk=wire.tenant_id).update(caps={"person": {"sms": {"day": 1}}})
    people = [wire.contact() for _ in range(3)]
    for contact in people * 2:
        wire.ready("sms", contact)
    assert dispatch(["sms"], now=wire.at(), budget_seconds=20) == 3
    assert dispatch(["sms"], now=wire.at(wire.now + MINUTE), budget_seconds=20) == 0
    assert states(wire)["accepted"] == 3


def test_a_stop_waits_for_a_batch_and_everything_after_it_is_closed(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [wire.ready() for _ in range(4)]
    later = wire.ready("sms", messages[2].contact)
    judging, go_on, stopping = threading.Event(), threading.Event(), threading.Event()
    order: list[str] = []
    usual = claiming.judge

    def judge(facts: Any, now: Any) -> Any:
        judging.set()
        assert go_on.wait(20)
        return usual(facts, now)

    def claim() -> Any:
        try:
            batch = claim_some("sms", wire.tenant_id, wire.now, most=16)
            order.append("claimed")
            return batch
        finally:
            connections.close_all()

    def stop() -> None:
        try:
            stopping.set()
            suppress(
                tenant_id=wire.tenant_id, address=messages[2].to_address, channels=["sms"], reason="opted_out",
                source="sms", now=wire.now, actor="person",
            )  # fmt: skip
            order.append("stopped")
        finally:
            connections.close_all()

    monkeypatch.setattr(claiming, "judge", judge)
    with ThreadPoolExecutor(2) as pool:
        claimed = pool.submit(claim)
        assert judging.wait(20)
        stopped = pool.submit(stop)
        assert stopping.wait(20)
        assert not wait_done(stopped, 0.3)
        go_on.set()
        assert len(claimed.result(30).claims) == 4
        stopped.result(30)
    assert order[-1] == "stopped" or refreshed(messages[2]).state == "claimed"
    assert Suppression.objects.all_tenants().count() == 1
    monkeypatch.setattr(claiming, "judge", usual)
    Message.objects.all_tenants().filter(pk=messages[2].pk).update(state="accepted")
    assert not claim_some("sms", wire.tenant_id, wire.now, most=16).claims
    assert refreshed(later).state in ("suppressed", "cancelled")


def wait_done(future: Any, seconds: float) -> bool:
    import concurrent.futures

    return bool(concurrent.futures.wait([future], timeout=seconds).done)


def test_a_switch_that_falls_between_claim_and_request_keeps_the_whole_batch(
    wire: Wire, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sender.objects.all_tenants().filter(pk=wire.senders["sms"].pk).update(per_day=50)
    messages = [wire.ready() for _ in range(6)]
    batch = claim_some("sms", wire.tenant_id, wire.now, most=16)
    assert len(batch.claims) == 6
    assert switches.switch_off("sms", by="pat", reason="a wrong text", now=wire.now)
    assert mark_all(batch.claims, wire.now) == set()
    for claim in batch.claims:
        assert not delivery.mark_sending(claim, wire.now)
    assert {refreshed(each).state_reason for each in messages} == {"stopped_before_sending"}
    assert Spending.objects.all_tenants().get().used == 0
    assert switches.switch_on("sms", by="pat", reason="put right", now=wire.now)

    usual = delivery.prepare

    def prepare(claim: Any, now: Any) -> Any:
        switches.switch_off("sms", by="pat", reason="again", now=wire.now)
        return usual(claim, now)

    monkeypatch.setattr(delivery, "prepare", prepare)
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30) == 0
    assert provider.ledger == []
    assert {refreshed(each).state_reason for each in messages} <= {"", "stopped_before_sending", "switch:sms"}
    assert not states(wire).keys() - {"ready", "deferred"}
    assert {refreshed(each).crashes for each in messages} == {0}


def test_a_switched_off_channel_leaves_nothing_old_when_it_is_on_again(wire: Wire, provider: Provider) -> None:
    switches.switch_off("sms", by="pat", reason="a wrong text", now=wire.now)
    old = [wire.ready(expires_at=wire.now + 10 * MINUTE) for _ in range(3)]
    fresh = wire.ready(expires_at=wire.now + timedelta(hours=3))
    later = wire.now + timedelta(hours=1)
    assert dispatch(["sms"], now=wire.at(later), budget_seconds=30) == 0
    assert switches.switch_on("sms", by="pat", reason="put right", now=later)
    assert dispatch(["sms"], now=wire.at(later), budget_seconds=30) == 1
    assert [got.mark for got in provider.ledger] == [str(fresh.public_id)]
    assert {refreshed(each).state for each in old} == {"expired"}


def test_what_somebody_holds_is_not_marked_and_goes_back(wire: Wire) -> None:
    """Marking many rows waits for none of them: whoever holds one may want another that is marked already."""
    messages = [wire.ready() for _ in range(3)]
    batch = claim_some("sms", wire.tenant_id, wire.now, most=16)
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM sequences_message WHERE id = %s FOR NO KEY UPDATE", [messages[1].pk])
                holding.set()
                assert release.wait(20)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert holding.wait(20)
        assert mark_all(batch.claims, wire.now) == {messages[0].pk, messages[2].pk}
        release.set()
        holder.result(20)
    assert not delivery.mark_sending(batch.claims[0], wire.now), "it is under way already"
    assert delivery.mark_sending(batch.claims[1], wire.now)


def test_tenants_take_turns_and_none_fills_every_thread(wire: Wire, now: Any) -> None:
    from omnify.promises import scene

    other = scene.make(now)
    other.message(other.people(1, places=["US-NY"])[0])
    for _ in range(3):
        wire.ready()
    turns, ours, theirs = Turns(["sms"], 12), ("sms", wire.tenant_id), ("sms", other.tenant.pk)
    first, second = turns.next(now, Counter()), turns.next(now, Counter())
    assert first is not None
    assert second is not None
    assert {first[0], second[0]} == {ours, theirs}
    turns.again(ours)
    turns.again(theirs)
    busy = Counter({ours: 4})
    assert turns.next(now, busy) == (theirs, 4), "a share of three stays free for whoever comes"
    turns.ran_dry(theirs)
    assert turns.next(now, Counter({ours: 6})) is None
    assert turns.next(now, Counter({ours: 1})) == (ours, 5)


def test_a_tenant_whose_provider_hangs_delays_nobody_else(wire: Wire, provider: Provider, now: Any) -> None:
    from omnify.promises import scene

    other = scene.make(now)
    rows = [other.message(contact) for contact in other.people(10, places=["US-NY"])]
    theirs, done = {str(each.public_id) for each in rows}, threading.Event()
    for _ in range(12):
        wire.ready()
    reached: list[str] = []

    def mood(outbound: Any) -> str:
        if outbound.mark in theirs:
            reached.append(outbound.mark)
            if len(reached) == len(theirs):
                done.set()
            return "accept"
        return "accept" if done.wait(20) else "timeout"

    provider.mood = mood
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30, threads=6) == 22
    assert set(reached) == theirs
    assert provider.twice() == []
    assert states(wire) == {"accepted": 12}
