"""Real threads and a barrier: which statement decides when two workers, or a worker and a STOP, come at the same instant."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from contacts.models import Suppression
from contacts.permissions import suppress
from sequences.claiming import Claim, claim_one
from sequences.delivery import deliver, dispatch
from sequences.models import Message
from sequences.reconcile import Timing, reconcile
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Runs the works in threads that start together; returns their results in order."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=20)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, work) for work in works]]


def test_eight_workers_and_one_message_make_one_send(wire: Wire) -> None:
    for _ in range(5):
        message = wire.ready()

        def work() -> str:
            claim = claim_one("sms", wire.tenant_id, wire.now)
            return deliver(claim, wire.at()) if isinstance(claim, Claim) else ""

        states = at_once(*[work] * 8)
        assert sorted(states)[:7] == [""] * 7
        assert len(wire.received(message)) == 1


def test_two_dispatchers_share_forty_messages_and_double_none(wire: Wire) -> None:
    messages = [wire.ready() for _ in range(40)]

    def work() -> int:
        return dispatch(["sms"], now=wire.at(), budget_seconds=20, threads=4)

    assert sum(at_once(work, work)) == 40
    assert {refreshed(message).attempt for message in messages} == {1}
    assert wire.simulator.duplicates() == []
    assert all(len(wire.received(message)) == 1 for message in messages)


def test_messages_to_one_person_on_three_channels_never_overlap(wire: Wire) -> None:
    contact = wire.contact()
    for channel in ("sms", "email", "voice"):
        wire.ready(channel, contact)

    def work(channel: str) -> Callable[[], Any]:
        return lambda: claim_one(channel, wire.tenant_id, wire.now)

    found = at_once(work("sms"), work("email"), work("voice"))
    assert sum(isinstance(each, Claim) for each in found) == 1


def test_no_claim_commits_after_a_stop_has_committed(wire: Wire) -> None:
    """Both take the person's row first: whichever way they fall, a claim that succeeded began before the STOP was stored."""
    outcomes = set()
    for _ in range(25):
        message = wire.ready()

        def stop(address: str = message.to_address) -> list[str]:
            return suppress(
                tenant_id=wire.tenant_id,
                address=address,
                channels=["sms", "voice"],
                reason="opted_out",
                source="sms",
                now=wire.now,
                actor="person",
            )

        def claim() -> Any:
            return claim_one("sms", wire.tenant_id, wire.now)

        found, stored = at_once(claim, stop)
        assert stored == ["sms", "voice"]
        row = refreshed(message)
        claimed_before = isinstance(found, Claim)
        if claimed_before:
            assert row.state == "claimed"
        elif found is None:  # the STOP held the person's row: passed over, and seen by the next look
            found = claim_one("sms", wire.tenant_id, wire.now)
            assert not isinstance(found, Claim)
        outcomes.add(claimed_before)
        Message.objects.all_tenants().filter(pk=message.pk).update(state="cancelled")
    assert Suppression.objects.all_tenants().count() == 50
    assert outcomes <= {True, False}


def test_a_claim_waits_for_nobody_whose_person_is_locked(wire: Wire) -> None:
    from django.db import transaction

    from contacts.locks import lock_contacts
    from omnify.tenants.context import tenant_context

    locked, free = wire.ready(), wire.ready()
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), tenant_context(wire.tenant_id):
                lock_contacts([locked.contact_id])
                holding.set()
                assert release.wait(20)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert holding.wait(20)
        found = claim_one("sms", wire.tenant_id, wire.now)
        assert isinstance(found, Claim)
        assert found.id == free.pk
        assert claim_one("sms", wire.tenant_id, wire.now) is None
        release.set()
        holder.result(20)
    assert isinstance(claim_one("sms", wire.tenant_id, wire.now), Claim)


def test_a_receipt_and_the_reconciler_at_once_end_in_one_touch(wire: Wire) -> None:
    from contacts.models import Interaction
    from sequences.delivery import mark_sending
    from sequences.outcome import record_outcome
    from sequences.transports.base import Receipt

    for n in range(5):
        message = wire.ready()
        claim = wire.claim()
        mark_sending(claim, wire.now)
        Message.objects.all_tenants().filter(pk=message.pk).update(state="unknown")

        def receipt(claim: Any = claim, n: int = n) -> str:
            return record_outcome(claim, Receipt(f"SM-race-{n}", "queued"), wire.now)

        def settle() -> int:
            return reconcile(wire.now + timedelta(minutes=3), timing=Timing(between_looks=timedelta(0)))

        at_once(receipt, settle)
        assert refreshed(message).provider_id == f"SM-race-{n}"
        assert Interaction.objects.all_tenants().filter(message_id=message.pk).count() == 1
