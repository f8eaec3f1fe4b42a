"""Outcomes that share a commit: who is locked or refused goes on alone, and what dies with its worker is asked for."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction

from contacts.models import Contact, Interaction
from omnify.promises import workers
from omnify.promises.pretending import Provider
from sequences import accepting, deadman, delivery, recording
from sequences.claiming import claim_some
from sequences.delivery import dispatch, mark_all
from sequences.models import Message
from sequences.reconcile import reconcile
from sequences.recording import Recorder
from sequences.transports.base import Receipt
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)


def on_the_way(wire: Wire, count: int) -> list[Any]:
    """So many claims whose requests are about to leave."""
    for _ in range(count):
        wire.ready()
    claims = claim_some("sms", wire.tenant_id, wire.now, most=count).claims
    assert len(mark_all(claims, wire.now)) == count
    return claims


def written_together(claims: list[Any], receipts: list[Any], wire: Wire) -> list[Any]:
    """What each waiter is told when all of them wait for one writer."""
    recorder = Recorder()

    def write(n: int) -> Any:
        try:
            return recorder.write(claims[n], receipts[n], wire.now)
        except Exception as error:  # noqa: BLE001 (the answer that is looked at)
            return error

    with ThreadPoolExecutor(len(claims)) as pool:
        told = [each.result(60) for each in [pool.submit(write, n) for n in range(len(claims))]]
    recorder.finish()
    return told


def test_outcomes_share_a_commit_and_each_waiter_is_told(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = on_the_way(wire, 12)
    sizes: list[int] = []
    usual = recording.accepted_all

    def accepted_all(written: Any) -> Any:
        sizes.append(len(written))
        time.sleep(0.05)  # a slow disk
        return usual(written)

    monkeypatch.setattr(recording, "accepted_all", accepted_all)
    told = written_together(claims, [Receipt(f"SM-{n}", "queued") for n in range(12)], wire)
    assert told == ["accepted"] * 12
    assert sum(sizes) == 12
    assert len(sizes) < 12
    assert Interaction.objects.all_tenants().filter(message_id__in=[claim.id for claim in claims]).count() == 12
    assert set(Contact.objects.all_tenants().filter(interaction_count=1).values_list("pk", flat=True)) >= {
        claim.message.contact_id for claim in claims
    }


def test_one_outcome_that_the_database_refuses_spoils_no_other(wire: Wire) -> None:
    """Two messages cannot have one id at a provider: the second one's words are refused, and the reconciler asks."""
    claims = on_the_way(wire, 5)
    receipts = [Receipt(f"SM-{n}", "queued") for n in range(4)] + [Receipt("SM-0", "queued")]
    told = written_together(claims, receipts, wire)
    assert told[1:4] == ["accepted"] * 3
    assert sorted(str(type(each).__name__) for each in (told[0], told[4])) == ["IntegrityError", "str"]
    assert sorted(refreshed_state(claim) for claim in claims) == ["accepted"] * 4 + ["sending"]


def refreshed_state(claim: Any) -> str:
    return str(Message.objects.all_tenants().get(pk=claim.id).state)


def test_an_outcome_whose_person_is_locked_keeps_nobody_waiting(wire: Wire) -> None:
    claims = on_the_way(wire, 4)
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "SELECT 1 FROM contacts_contact WHERE id = %s FOR NO KEY UPDATE", [claims[0].message.contact_id]
                )
                holding.set()
                assert release.wait(30)
        finally:
            connections.close_all()

    recorder = Recorder()
    with ThreadPoolExecutor(5) as pool:
        holder = pool.submit(hold)
        assert holding.wait(20)
        waiting = [
            pool.submit(recorder.write, claim, Receipt(f"SM-{n}", "queued"), wire.now) for n, claim in enumerate(claims)
        ]
        assert [each.result(30) for each in waiting[1:]] == ["accepted"] * 3
        assert not waiting[0].done()
        release.set()
        assert waiting[0].result(30) == "accepted"
        holder.result(20)
    recorder.finish()


def test_a_lost_connection_is_opened_again_and_nothing_is_sent_twice(
    wire: Wire, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [wire.ready() for _ in range(5)]
    usual, lost = accepting._write, []

    def write(statement: str, written: Any) -> Any:
        if not lost:
            lost.append(len(written))
            with connection.cursor() as cursor, pytest.raises(Exception, match=r"terminat|closed"):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return usual(statement, written)

    monkeypatch.setattr(accepting, "_write", write)
    assert dispatch(["sms"], now=wire.at(), budget_seconds=20) == 5
    assert lost
    assert provider.twice() == []
    assert {refreshed(each).state for each in messages} == {"accepted"}


def test_a_worker_killed_between_two_commits_of_a_batch_sends_nothing_twice(wire: Wire, provider: Provider) -> None:
    """Claimed and not marked: they go again. Marked and not sent: they are asked for, and go again when they are proven absent."""
    messages = [wire.ready() for _ in range(4)]

    def die_after_claiming() -> None:
        assert claim_some("sms", wire.tenant_id, wire.now, most=2).claims
        os.kill(os.getpid(), signal.SIGKILL)

    def die_after_marking() -> None:
        assert mark_all(claim_some("sms", wire.tenant_id, wire.now, most=2).claims, wire.now)
        os.kill(os.getpid(), signal.SIGKILL)

    assert workers.outlived(workers.forked(die_after_claiming)) == workers.DIED
    # Nobody waits for the disk at a claim, so a crash of the whole database may forget it; that of a worker does not.
    assert sorted(refreshed(each).state for each in messages) == ["claimed"] * 2 + ["ready"] * 2
    assert workers.outlived(workers.forked(die_after_marking)) == workers.DIED
    assert sorted(refreshed(each).state for each in messages) == ["claimed"] * 2 + ["sending"] * 2
    for minutes in (3, 5, 7, 9):
        now = wire.now + timedelta(minutes=minutes)
        reconcile(now)
        dispatch(["sms"], now=wire.at(now), budget_seconds=30)
    assert {refreshed(each).state for each in messages} == {"accepted"}
    assert provider.twice() == []
    assert len(provider.ledger) == 4


@pytest.mark.skipif(deadman._library() is None, reason="This system has no POSIX timers.")
@pytest.mark.parametrize(("over", "ended"), [(3, 0), (2, signal.SIGKILL)])
def test_a_worker_frozen_with_a_batch_is_killed_unless_all_of_it_is_over(over: int, ended: int) -> None:
    pid = os.fork()
    if pid == 0:
        together = deadman.Together(3, 0.4)
        for _ in range(over):
            together.over()
        if over < 3:
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.8)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert (os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0) == ended


def test_a_batch_that_woke_too_late_opens_no_socket(
    wire: Wire, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [wire.ready() for _ in range(3)]
    monkeypatch.setattr(deadman.Together, "expired", lambda self: True)
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30) == 0
    assert provider.ledger == []
    assert {refreshed(each).state for each in messages} == {"sending"}


def test_a_dispatch_inside_a_transaction_is_refused(wire: Wire) -> None:
    wire.ready()
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        dispatch(["sms"], now=wire.at(), budget_seconds=30)


def test_a_message_costs_less_than_one_statement_where_there_are_many(
    wire: Wire, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(60):
        wire.ready()
    ran: list[str] = []
    usual = psycopg.Cursor.execute

    def execute(self: Any, query: Any, *more: Any, **options: Any) -> Any:
        ran.append(str(query))
        return usual(self, query, *more, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", execute)
    open_at_most: list[int] = []
    usual_send = delivery.send

    def send(claim: Any, outbound: Any) -> Any:
        assert connection.connection is None, "a thread that sends has no connection"
        open_at_most.append(1)
        return usual_send(claim, outbound)

    monkeypatch.setattr(delivery, "send", send)
    assert dispatch(["sms"], now=wire.at(), budget_seconds=30) == 60
    assert len(open_at_most) == 60
    # One after the other it would be five each.
    assert len(ran) / 60 < 2
    # 1, 2, 4, 8, 16, 16, 13: seven handfuls, each taken, looked at, claimed and marked; an eighth look finds nothing.
    assert sum("pg_try_advisory_xact_lock_shared" in each for each in ran) <= 12
